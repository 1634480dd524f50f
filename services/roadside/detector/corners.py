"""The close look at a detection: where its plate's corners lie, and whether it is a plate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.corners import (
    bounding_box,
    checked,
    needs_second_look,
    place,
    plate_probability,
    region,
    region_picture,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.frames import Box, Corners
    from roadside.ports.nets import CornerNet


class CornerFinder:
    """Finds the corners of plates with a corner net."""

    def __init__(self, net: CornerNet) -> None:
        self._net = net

    def find(self, image: NDArray[np.uint8], box: Box) -> Corners | None:
        """The corners of the plate in `box` of `image` ((H, W, 3) uint8, BGR); None where it finds none.

        A plate that reaches out of its box is looked at once more, from the box around its corners.
        """
        return self.look(image, box)[0]

    def look(self, image: NDArray[np.uint8], box: Box) -> tuple[Corners | None, float | None]:
        """The same, and how probable it is that `box` holds a plate at all; None where the net does not tell."""
        answer = self._ask(image, box)
        corners, plate = place(answer, box), plate_probability(answer)
        if needs_second_look(corners, box) and checked(corners, box) is not None:
            closer = bounding_box(corners)
            corners = place(self._ask(image, closer), closer)
        return checked(corners, box), plate

    def _ask(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        return self._net.offsets(region_picture(image, region(box)))
