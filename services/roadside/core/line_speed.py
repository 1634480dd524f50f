"""Average speed between two lines of one camera's picture, with what is not known of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from roadside.core.motion import Motion
from roadside.core.outline import LEAST_LENGTH, Point, check_inside, steps_over
from roadside.core.speed import COVERAGE, KMH, RECTANGULAR, SLOWEST_MS, AverageSpeed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.reads import Track

FASTEST_MS = 250.0 / KMH
"""What seems faster is two vehicles, or times that are wrong."""
LEAST_BETWEEN = 3
"""Frames that show the plate between the lines: fewer do not show that it went on evenly."""
MOST_RELATIVE = 0.15
"""Standard uncertainty of ln v: what is known worse is not told."""
BOX_NOISE_WIDTHS = 0.03
"""Of the plate's width, by which boxes of a standing plate differ (`roadside.core.motion.MOVED_WIDTHS`)."""
BACK_WIDTHS = 0.35
"""How far a plate may seem to go back between the lines before it did."""

Ends = tuple[Point, Point]
"""Of a line, in fractions of the picture."""


@dataclass(frozen=True, slots=True)
class SpeedLines:
    """Two lines across the road whose distance is known. Errors are bounds: the true value lies within, anywhere."""

    first: Ends
    second: Ends
    distance_m: float
    """Along the road, between what the lines cover of its surface."""
    distance_error_m: float
    camera_height_m: float
    """Of the lens above the road."""
    plate_height_m: float = 0.5
    plate_height_error_m: float = 0.3
    """Plates hang 0.2 to 0.8 m above the road, with few exceptions."""
    time_error_s: float = 0.03
    """Of the time of either frame against the other."""

    def __post_init__(self) -> None:
        """Raises ValueError, which begins with the name of what is wrong."""
        for name in ("first", "second"):
            start, end = getattr(self, name)
            try:
                check_inside((start, end))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if math.dist(start, end) < LEAST_LENGTH:
                raise ValueError(f"{name}: the line has no length: give two points that are apart")
        if _cross(self.first, self.second):
            raise ValueError("second: crosses the first line: a distance lies between two that do not")
        for name, least, most in _RANGES:
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}: is a number from {least:g} to {most:g}")
        if self.distance_error_m >= self.distance_m:
            raise ValueError("distance_error_m: is as large as the distance")
        if self.camera_height_m < 2 * (self.plate_height_m + self.plate_height_error_m):
            raise ValueError("camera_height_m: a camera hardly higher than plates cannot tell how far they went")

    @property
    def plates_distance_m(self) -> float:
        """How far a plate goes from the one line to the other.

        What covers a point of the road at a height h lies nearer to a camera at the height H, by the ratio (H - h) / H
        of similar triangles: so does a plate's way.
        """
        return self.distance_m * (1.0 - self.plate_height_m / self.camera_height_m)

    @property
    def relative_distance_error(self) -> float:
        """Standard uncertainty of the logarithm of that distance: of the tape, and of the heights of plates."""
        height = self.plate_height_error_m / (self.camera_height_m - self.plate_height_m)
        return math.hypot(self.distance_error_m / self.distance_m, height) / RECTANGULAR


_RANGES = (
    ("distance_m", 1.0, 500.0),
    ("distance_error_m", 0.0, 500.0),
    ("camera_height_m", 0.5, 100.0),
    ("plate_height_m", 0.0, 3.0),
    ("plate_height_error_m", 0.0, 3.0),
    ("time_error_s", 0.0, 10.0),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a plate was in one frame, in pixels."""

    at_ns: int
    centre: Point
    width_px: float
    """Of the plate."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a plate went over a line."""

    step: int
    """The place of the last frame before it."""
    at_s: float
    """Since the first frame of the passage."""
    error_s: float
    """Standard uncertainty."""


def line_speed(lines: SpeedLines, track: Track) -> AverageSpeed | None:
    """The average speed of the vehicle of `track` between the lines, in either direction; None where it is not known.

    v = d / t. The time of each crossing is interpolated between the frames before and after it (`crossing`). Relative
    uncertainties add as squares; the interval is that of ln v, v * exp(-2u) to v * exp(2u), as in
    `roadside.core.speed.average_speed` (JCGM 100:2008, 5.1.6 and 4.3.7). Nothing is told of who crossed a line twice,
    was seen in too few frames between them, turned round there, or has a speed that no vehicle has; nor where the
    camera moved.
    """
    size = next((p.crop.frame_size for p in track.reads if p.crop.frame_size is not None), None)
    if size is None or track.motion is Motion.CARRIED:
        return None
    return speed_of_places(lines, seen_of(track), size)


def speed_of_places(lines: SpeedLines, seen: Sequence[Seen], size: tuple[int, int]) -> AverageSpeed | None:
    """As `line_speed`, of a plate that was `seen`, in the order of time; `size` is a picture's width and height."""
    first, second = (crossing(seen, _scaled(line, size)) for line in (lines.first, lines.second))
    if first is None or second is None or not _went_on(seen, *sorted((first.step, second.step))):
        return None
    seconds = abs(second.at_s - first.at_s)
    if seconds <= 0 or not SLOWEST_MS <= lines.plates_distance_m / seconds <= FASTEST_MS:
        return None
    clock = math.sqrt(2.0) * lines.time_error_s / RECTANGULAR
    time_error = math.sqrt(first.error_s**2 + second.error_s**2 + clock**2)
    relative = math.hypot(lines.relative_distance_error, time_error / seconds)
    if relative > MOST_RELATIVE:
        return None
    kmh, factor = lines.plates_distance_m / seconds * KMH, math.exp(COVERAGE * relative)
    return AverageSpeed(kmh, kmh / factor, kmh * factor)


def seen_of(track: Track) -> list[Seen]:
    """Where the plate of `track` was, once a frame, in the order of time."""
    found: dict[int, Seen] = {}
    for crop in (placed.crop for placed in track.reads):
        box = crop.detection.box
        centre = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
        found.setdefault(crop.captured_at_ns, Seen(crop.captured_at_ns, centre, max(1.0, box.width)))
    return [found[at_ns] for at_ns in sorted(found)]


def _scaled(line: Ends, size: tuple[int, int]) -> Ends:
    (x1, y1), (x2, y2) = line
    return (x1 * size[0], y1 * size[1]), (x2 * size[0], y2 * size[1])


def crossing(seen: Sequence[Seen], line: Ends) -> Crossing | None:
    """When the plate went over `line`; None where it did not, or more than once.

    Between two frames a plate's centre goes from p to q, a share s of it to the line. A vehicle that comes straight on
    is seen to go faster as it comes nearer; that makes an error of at most |w2 - w1| / (2 (w1 + w2)) of the interval,
    where w1 and w2 are the plate's widths in the two frames (the depth of each is 1/w). Boxes are unsure by
    BOX_NOISE_WIDTHS.
    """
    over = [i for i, (p, q) in enumerate(pairwise(seen)) if steps_over(p.centre, q.centre, *line)]
    if len(over) != 1:
        return None
    before, after = seen[over[0]], seen[over[0] + 1]
    was, is_now = _away(before.centre, line), _away(after.centre, line)
    share, interval_s = was / (was - is_now), (after.at_ns - before.at_ns) / 1e9
    bend = abs(after.width_px - before.width_px) / (2 * (after.width_px + before.width_px)) / RECTANGULAR
    noise = BOX_NOISE_WIDTHS * max(before.width_px, after.width_px) / max(math.dist(before.centre, after.centre), 1e-9)
    at_s = (before.at_ns - seen[0].at_ns) / 1e9 + share * interval_s
    return Crossing(over[0], at_s, interval_s * math.hypot(bend, min(noise, 1.0)))


def _went_on(seen: Sequence[Seen], begin: int, end: int) -> bool:
    """Whether enough frames show that the plate went on from the step `begin` to the step `end`, and never back."""
    if end - begin < LEAST_BETWEEN:
        return False
    between = seen[begin : end + 2]
    (x1, y1), (x2, y2) = between[0].centre, between[-1].centre
    length = math.hypot(x2 - x1, y2 - y1)
    if length == 0:
        return False
    ahead = [((p.centre[0] - x1) * (x2 - x1) + (p.centre[1] - y1) * (y2 - y1)) / length for p in between]
    return all(b - a >= -BACK_WIDTHS * q.width_px for (a, b), q in zip(pairwise(ahead), between[1:], strict=True))


def _away(point: Point, line: Ends) -> float:
    """The point's signed distance from the line, times the line's length."""
    (x1, y1), (x2, y2) = line
    return (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)


def _cross(one: Ends, other: Ends) -> bool:
    return steps_over(*one, *other)
