"""What another view of a camera would have made of the plates that were found a moment ago."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.core.line_speed import Seen, speed_of_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roadside.core.frames import Box
    from roadside.core.line_speed import SpeedLines
    from roadside.core.outline import Direction, Point
    from roadside.core.speed import AverageSpeed
    from roadside.core.view import View

PASSED_NS = 20 * 10**9
"""After which a text is another passage: a vehicle may be hidden so long."""
NEAR_NS = 10**9
NEAR_WIDTHS = 1.5
"""Of the plate: a plate without a text goes so far between two frames, within NEAR_NS, and is still the same."""


@dataclass(frozen=True, slots=True)
class Found:
    """A plate that was found in one frame."""

    at_ns: int
    box: Box
    size: tuple[int, int]
    """Width and height of the frame in pixels, as it is looked at."""
    text: str = ""
    """What was read; empty where it was not read, or is not known well."""


@dataclass(frozen=True, slots=True)
class Retrial:
    """How many of the plates that were found a view would have read."""

    read: int
    outside: int
    """Of zones."""
    masked: int
    narrow: int
    texts: tuple[str, ...]
    """Those read, each once, in the order of their first frame."""
    crossings: tuple[tuple[str, Direction], ...]
    """Which way the plates that were read crossed the line."""
    speeds: tuple[tuple[str, AverageSpeed], ...] = ()
    """How fast those were whose speed is known between the two lines."""

    @property
    def found(self) -> int:
        """All of them."""
        return self.read + self.outside + self.masked + self.narrow


def retry(view: View, found: Iterable[Found]) -> Retrial:
    """What `view`, of pictures turned and flipped as those were, would have made of `found`, in the order of frames."""
    counts = {"read": 0, "outside": 0, "masked": 0, "narrow": 0}
    trails = _Trails()
    for each in found:
        fate = _fate(view, each)
        counts[fate] += 1
        if fate == "read":
            trails.follow(each)
    told = sorted((trail for trail in trails.every if trail.text), key=lambda trail: trail.told_ns)
    return Retrial(
        **counts,
        texts=tuple(dict.fromkeys(trail.text for trail in told)),
        crossings=_crossings(view, told),
        speeds=() if view.speed is None else _speeds(view.speed, told),
    )


@dataclass(slots=True)
class _Trail:
    """Where one plate was found, frame by frame."""

    places: list[Found] = field(default_factory=list)
    text: str = ""
    told_ns: int = 0
    """When its text was first read."""

    @property
    def until_ns(self) -> int:
        """After which nothing is of the same passage."""
        return self.places[-1].at_ns + (PASSED_NS if self.text else NEAR_NS)

    def add(self, found: Found) -> None:
        self.places.append(found)
        if found.text and not self.text:
            self.text, self.told_ns = found.text, found.at_ns

    def may_have(self, found: Found) -> bool:
        """Whether `found` may be the same plate a moment later."""
        last = self.places[-1]
        if self.text and found.text:
            return self.text == found.text
        if not 0 < found.at_ns - last.at_ns <= NEAR_NS:
            return False
        return self.away(found) <= NEAR_WIDTHS * max(last.box.width, found.box.width)

    def away(self, found: Found) -> float:
        """Pixels from where it was last."""
        return math.dist(_pixels(self.places[-1]), _pixels(found))


@dataclass(slots=True)
class _Trails:
    every: list[_Trail] = field(default_factory=list)
    _open: list[_Trail] = field(default_factory=list)
    """Those that may go on."""
    _at_ns: int = 0

    def follow(self, found: Found) -> None:
        """Into the trail of its text, else of the nearest plate, else into one of its own."""
        if found.at_ns != self._at_ns:
            self._open = [trail for trail in self._open if found.at_ns <= trail.until_ns]
            self._at_ns = found.at_ns
        likely = [trail for trail in self._open if trail.may_have(found)]
        same = [trail for trail in likely if found.text and trail.text == found.text]
        nearest = min(same or likely, key=lambda trail: trail.away(found), default=None)
        if nearest is None:
            nearest = _Trail()
            self.every.append(nearest)
            self._open.append(nearest)
        nearest.add(found)


def _crossings(view: View, trails: Sequence[_Trail]) -> tuple[tuple[str, Direction], ...]:
    if view.line is None:
        return ()
    ways = ((trail.text, view.line.crossed([_centre(each) for each in trail.places])) for trail in trails)
    return tuple((text, way) for text, way in ways if way is not None)


def _speeds(lines: SpeedLines, trails: Sequence[_Trail]) -> tuple[tuple[str, AverageSpeed], ...]:
    told = []
    for trail in trails:
        seen = [Seen(each.at_ns, _pixels(each), max(1.0, each.box.width)) for each in trail.places]
        if (speed := speed_of_places(lines, seen, trail.places[0].size)) is not None:
            told.append((trail.text, speed))
    return tuple(told)


def _fate(view: View, found: Found) -> str:
    if any(mask.holds(_centre(found)) for mask in view.masks):
        return "masked"
    if found.box.width < view.least_width_px:
        return "narrow"
    return "read" if view.reads(found.box, found.size) else "outside"


def _centre(found: Found) -> Point:
    (x, y), (width, height) = _pixels(found), found.size
    return x / width, y / height


def _pixels(found: Found) -> Point:
    return (found.box.x1 + found.box.x2) / 2, (found.box.y1 + found.box.y2) / 2
