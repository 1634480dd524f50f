"""What the stages need of the world, as protocols; `adapters` meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.types import Crop, Detection, Read


class Clock(Protocol):
    """Tells the time."""

    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970."""
        ...


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
