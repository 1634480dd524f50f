"""Finding and reading plates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.frames import Crop, Detection
    from roadside.core.reads import Read


class Detector(Protocol):
    """Finds plates in a picture."""

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """Detections of `image` ((H, W, 3) uint8, blue green red), best score first, boxes in its pixels."""
        ...


class Reader(Protocol):
    """Reads the characters of one plate."""

    def read(self, crop: Crop) -> Read:
        """What stands on the plate; a low confidence where it cannot be read, never an error."""
        ...
