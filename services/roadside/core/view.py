"""How a camera's picture is looked at: which way up it is, what of it is read, what is never looked at, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.line_speed import line_speed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from roadside.core.frames import Box, Detection
    from roadside.core.line_speed import SpeedLines
    from roadside.core.outline import Direction, Line, Point, Polygon
    from roadside.core.reads import Track
    from roadside.core.schedule import Schedule
    from roadside.core.speed import AverageSpeed

ROTATIONS = (0, 90, 180, 270)
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
MOST_AREAS = 32


class Flip(StrEnum):
    """How a picture is mirrored, after it was turned."""

    NONE = "none"
    HORIZONTAL = "horizontal"
    """Left and right change places."""
    VERTICAL = "vertical"
    """Top and bottom change places."""


_FLIPS = {Flip.HORIZONTAL: 1, Flip.VERTICAL: 0}


@dataclass(frozen=True, slots=True)
class View:
    """What is set of one camera's picture. Zones, masks and the line are of the picture once it is turned and flipped.

    The default looks at everything, always.
    """

    rotation: int = 0
    """Degrees by which the picture is turned clockwise: 0, 90, 180 or 270."""
    flip: Flip = Flip.NONE
    zones: tuple[Polygon, ...] = ()
    """Only plates whose centre lies in one of them are read; without zones, all."""
    masks: tuple[Polygon, ...] = ()
    """Blackened before anything looks at the picture, or keeps it."""
    line: Line | None = None
    """Tells vehicles that come in from those that go out."""
    least_width_px: float = 0.0
    """Plates narrower than this are not read."""
    motion_gate: bool = True
    """Whether frames of a live camera in which nothing moves are left out."""
    speed: SpeedLines | None = None
    """Two lines whose distance is known; None: nobody's speed is measured."""
    schedule: Schedule | None = None
    """When a live camera is watched; None: always."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if self.rotation not in ROTATIONS:
            raise ValueError(f"rotation is one of {', '.join(map(str, ROTATIONS))} degrees")
        if max(len(self.zones), len(self.masks)) > MOST_AREAS:
            raise ValueError(f"a camera has at most {MOST_AREAS} zones and as many masks")
        if not 0 <= self.least_width_px <= 10_000:
            raise ValueError("least_width is a number of pixels from 0 to 10000")

    @property
    def is_turned(self) -> bool:
        """Whether pictures do not come as they are looked at."""
        return self.rotation != 0 or self.flip is not Flip.NONE

    def shown(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """`image` ((H, W, 3) uint8) turned, flipped and with the masks black; a copy where that changes it."""
        upright = self.upright(image)
        if not self.masks:
            return upright
        black = upright.copy() if upright is image else upright
        size = (black.shape[1], black.shape[0])
        return np.asarray(cv2.fillPoly(black, [_pixels(mask, size) for mask in self.masks], (0, 0, 0)), np.uint8)

    def upright(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """`image` ((H, W, 3) uint8) turned and flipped; itself where it is upright already."""
        turned = cv2.rotate(image, _TURNS[self.rotation]) if self.rotation else image
        flipped = cv2.flip(turned, _FLIPS[self.flip]) if self.flip in _FLIPS else turned
        return np.asarray(flipped, np.uint8)

    def reads(self, box: Box, size: tuple[int, int]) -> bool:
        """Whether a plate found at `box` of a picture of `size` (width, height) in pixels is to be read."""
        if box.width < self.least_width_px:
            return False
        return not self.zones or any(zone.holds(_centre(box, size)) for zone in self.zones)

    def wanted(self, found: Sequence[Detection], size: tuple[int, int]) -> tuple[Detection, ...]:
        """Those of the plates `found` that are to be read."""
        return tuple(each for each in found if self.reads(each.box, size))

    def is_open(self, local: datetime) -> bool:
        """Whether the camera is watched at `local`, a time of the place where it stands."""
        return self.schedule is None or self.schedule.is_open(local)

    def direction(self, track: Track) -> Direction | None:
        """Which way the vehicle of `track` crossed the line; None without a line, or where it did not."""
        if self.line is None:
            return None
        return self.line.crossed(_path(track))

    def speed_of(self, track: Track) -> AverageSpeed | None:
        """How fast the vehicle of `track` was between the two lines; None without them, or where it is not known."""
        return None if self.speed is None else line_speed(self.speed, track)


def _path(track: Track) -> list[Point]:
    """Where the plate's centre was, in fractions of the picture, in the order of the frames."""
    size = next((p.crop.frame_size for p in track.reads if p.crop.frame_size is not None), None)
    if size is None:
        return []
    ends = () if track.ends is None else track.ends
    boxes = [*ends[:1], *(placed.crop.detection.box for placed in track.reads), *ends[1:]]
    return [_centre(box, size) for box in boxes]


def _centre(box: Box, size: tuple[int, int]) -> Point:
    return (box.x1 + box.x2) / 2 / size[0], (box.y1 + box.y2) / 2 / size[1]


def _pixels(polygon: Polygon, size: tuple[int, int]) -> NDArray[np.int32]:
    """The polygon's corners in whole pixels of a picture of `size`, never beyond its last row and column."""
    scaled = np.array(polygon.points) * size
    return np.minimum(np.rint(scaled), np.array(size) - 1).astype(np.int32)
