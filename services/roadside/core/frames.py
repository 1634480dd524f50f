"""Pictures of cameras and where plates are in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.background import Background
    from roadside.core.moments import Stamp

CameraId = NewType("CameraId", str)

END_OF_TIME_NS = 2**63 - 1
"""Later than any frame: the capture time, in UTC nanoseconds since 1970, at which nothing is on its way any more."""
SEPARATE_NS = 20_000_000_000
"""Longer than the longest gap in a track: what is seen before and after so much time belongs to different passages."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel rectangle in pixels of the original frame, which have their origin at its top left.

    Half-open: the pixel columns from `x1` up to but without `x2` belong to it, and the rows alike.
    """

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
"""The corners of a plate as (x, y) in pixels of the original frame: top left, top right, bottom right, bottom left of
the plate itself, so that a plate on its head begins at the lower right."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera."""

    camera_id: CameraId
    captured_at_ns: int
    """When the camera took it: UTC, in nanoseconds since 1970, counted on from when the source was opened by a clock
    that nobody sets. It puts frames in order and tells how far apart they are; `stamp` says what the time was."""
    sequence: int
    """Counts the camera's frames upwards; with `camera_id` it names the frame."""
    image: NDArray[np.uint8] = field(repr=False)
    """The pixels: (H, W, 3) uint8, in the order blue, green, red (BGR)."""
    stamp: Stamp | None = None
    """When it was taken; None where `captured_at_ns` says it."""
    background: Background | None = None
    """Where the background is in it; None where nobody looked at the frames before it."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Where the detector found a plate in a frame."""

    box: Box
    score: float
    """How sure the detector is that this is a plate, 0 to 1; no calibrated probability."""
    corners: Corners | None = None
    """The four corners of the plate, or None if the model gives boxes alone."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The picture of one plate, cut from a frame, with the place that it was cut from."""

    camera_id: CameraId
    captured_at_ns: int
    sequence: int
    detection: Detection
    image: NDArray[np.uint8] = field(repr=False)
    """The pixels of the detection and a margin around it: (h, w, 3) uint8, in the order blue, green, red (BGR)."""
    origin: tuple[int, int] = (0, 0)
    """Where the crop's top left pixel lies in the frame: (x, y) in pixels."""
    frame_size: tuple[int, int] | None = None
    """Width and height of the frame in pixels; None where it is not known."""
    stamp: Stamp | None = None
    """That of the frame."""
    model: str = ""
    """Which nets found it, by the SHA-256 of their files; empty where that is not known."""
    others: tuple[Box, ...] = ()
    """The other plates that were found in the frame: they are made unreadable where it becomes evidence."""
    background: Background | None = None
    """That of the frame."""

    @property
    def identity(self) -> str:
        """The crop's name within its camera, and that of its read: the frame's sequence number and the box.

        The box is rounded to hundredths of a pixel, so that the same detection always gives the same name.
        """
        box = self.detection.box
        return f"{self.sequence}:{box.x1:.2f},{box.y1:.2f},{box.x2:.2f},{box.y2:.2f}"
