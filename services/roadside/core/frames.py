"""Pictures of cameras and where plates are in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CameraId = NewType("CameraId", str)

END_OF_TIME_NS = 2**63 - 1
"""Later than any frame: the capture time, in UTC nanoseconds since 1970, at which nothing is on its way any more."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel rectangle in half-open pixels of the original frame."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y2 - self.y1


Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Top left, top right, bottom right, bottom left as (x, y) pixels of the original frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera."""

    camera_id: CameraId
    captured_at_ns: int
    """UTC, nanoseconds since 1970."""
    sequence: int
    image: NDArray[np.uint8] = field(repr=False)
    """(H, W, 3) uint8, blue green red."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A plate's box in a frame."""

    box: Box
    score: float
    """The detector's score, 0 to 1."""
    corners: Corners | None = None
    """Where the model gives them."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The picture of a plate cut from a frame, and where it came from."""

    camera_id: CameraId
    captured_at_ns: int
    sequence: int
    detection: Detection
    image: NDArray[np.uint8] = field(repr=False)
    """(h, w, 3) uint8, blue green red: the detection with a margin around it."""
    origin: tuple[int, int] = (0, 0)
    """x, y of the crop's top left pixel in the frame."""

    @property
    def identity(self) -> str:
        """The crop's name within its camera, and that of its read: the frame's sequence number and the box.

        The box is rounded to hundredths of a pixel, so that the same detection always gives the same name.
        """
        box = self.detection.box
        return f"{self.sequence}:{box.x1:.2f},{box.y1:.2f},{box.x2:.2f},{box.y2:.2f}"
