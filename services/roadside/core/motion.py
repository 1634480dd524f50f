"""Whether a plate moved, in the picture and against the background, and how often its camera takes a picture."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from roadside.core.background import Background

if TYPE_CHECKING:
    from roadside.core.frames import Box

MOVED_WIDTHS = 0.35
"""Of the plate's width, between two smoothed places: boxes of one standing plate differ by 0.03, a camera on a pole in
the wind sways by less than 0.1, and a vehicle that passes covers several."""
MOVED_WIDTHS_ROUGH = 0.6
"""The same where fewer frames than SMOOTHED_OVER twice show it, so that one wrong box can be half of all."""
SAME_PLACE_WIDTHS = 0.3
"""Between two boxes of a plate that stands, one of them wrong."""
MOVED_RATIO = 1.25
"""Of the plate's smoothed widths: a vehicle that comes straight towards the camera grows on the spot."""
SMOOTHED_OVER = 3
RESTING_WIDTHS = 0.05
"""From one frame to the next: less is no motion but the unrest of boxes."""
RESTING_RATIO = 1.1
JUMPED_WIDTHS = 0.15
"""From rest to the next frame: a vehicle gathers speed, and boxes of a standing plate stay much nearer."""
UNEVEN_SHARE = 0.15
"""Of the background's own way: a wide lens moves the rim of a picture that pans faster than its middle."""
UNEVEN_RATIO = 0.03
"""For each width of a plate that the background went: the rim is stretched, too."""
MANY_BREAKS = 2
"""A camera that stands loses its background when a light goes on, once; one that drives or zooms again and again."""
LEAST_STOOD_FRAMES = 3
LEAST_STOOD_S = 0.5
"""What is seen for less has had no time to move."""
PACE_SAMPLES = 9
MOST_RESTS = 4
RESTED_NS = 1_000_000_000
"""What was at one place for so long rests there: if it is elsewhere for a while and back, it was half hidden."""


PART_ACROSS_WIDTHS, PART_DOWN_WIDTHS = 0.15, 0.2
"""How far a part may be boxed out of the whole, in widths of the whole."""


class Motion(StrEnum):
    """What is known of a plate's motion."""

    MOVED = "moved"
    STOOD = "stood"
    """It was at one place in every frame."""
    CARRIED = "carried"
    """It moved in the picture, but so did the camera, in a way that could not be followed."""
    UNKNOWN = "unknown"
    """It was seen too few times, or for too short a time."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plate was, pixels of the frame."""

    x: float
    y: float
    """Of its centre."""
    width: float

    @classmethod
    def of(cls, box: Box) -> Place:
        """The place of a box."""
        return cls((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2, max(1.0, box.width))

    def distance(self, other: Place) -> float:
        """Between the centres, in widths of the larger of the two."""
        return math.dist((self.x, self.y), (other.x, other.y)) / max(self.width, other.width)

    def ratio(self, other: Place) -> float:
        """The larger width divided by the smaller."""
        return max(self.width, other.width) / min(self.width, other.width)

    def rests_after(self, other: Place) -> bool:
        """Whether what was at `other` in the frame before has not moved."""
        return self.distance(other) <= RESTING_WIDTHS and self.ratio(other) < RESTING_RATIO

    def jumped_from(self, other: Place) -> bool:
        """Whether what rested at `other` in the frame before is too far away to have begun to move."""
        return self.distance(other) >= JUMPED_WIDTHS or self.ratio(other) >= MOVED_RATIO

    def is_at(self, other: Place) -> bool:
        """Whether a plate that stands may be boxed so."""
        return self.distance(other) <= SAME_PLACE_WIDTHS and self.ratio(other) < MOVED_RATIO

    def covers(self, part: Place) -> bool:
        """Whether `part` may be a part of what is here, a little loosely boxed."""
        across = (self.width - part.width) / 2 + PART_ACROSS_WIDTHS * self.width
        return abs(part.x - self.x) <= across and abs(part.y - self.y) <= PART_DOWN_WIDTHS * self.width


@dataclass(slots=True)
class Stretch:
    """The first and the last places of one plate where all of them can be compared, and whether it moved between."""

    frames: int = 0
    moved: bool = False
    _first: list[Place] = field(default_factory=list)
    _last: deque[Place] = field(default_factory=lambda: deque(maxlen=SMOOTHED_OVER))
    _farthest_px: float = 0.0

    def add(self, place: Place, background_px: float = 0.0) -> None:
        """The plate was there, when the background was `background_px` from where it was in the first frame."""
        self.frames += 1
        if len(self._first) < SMOOTHED_OVER:
            self._first.append(place)
        self._last.append(place)
        self._farthest_px = max(self._farthest_px, background_px)
        self.moved = self.moved or self._has_moved()

    @property
    def rested(self) -> bool:
        """Whether it was seen long enough to have moved, and did not."""
        return self.frames >= LEAST_STOOD_FRAMES and not self.moved

    def begin_anew(self) -> None:
        """Nothing is compared with what was before; that it has moved stays true."""
        self._first, self._last, self._farthest_px = [], deque(maxlen=SMOOTHED_OVER), 0.0

    def parted(self, other: Stretch) -> bool:
        """Whether the two, of one plate, began at different places; what rested at both has jumped, not moved."""
        if not self._first or not other._first or (self.rested and other.rested):
            return False
        mine, theirs = _smoothed(self._first), _smoothed(other._first)
        return mine.distance(theirs) >= MOVED_WIDTHS_ROUGH or mine.ratio(theirs) >= MOVED_RATIO

    def _has_moved(self) -> bool:
        over = min(SMOOTHED_OVER, (len(self._first) + len(self._last)) // 2, self.frames // 2)
        if over == 0:
            return False
        begin, end = _smoothed(self._first[:over]), _smoothed(list(self._last)[-over:])
        carried = self._farthest_px / max(begin.width, end.width)
        far = (MOVED_WIDTHS if over == SMOOTHED_OVER else MOVED_WIDTHS_ROUGH) + UNEVEN_SHARE * carried
        return begin.distance(end) >= far or begin.ratio(end) >= MOVED_RATIO + UNEVEN_RATIO * carried


@dataclass(frozen=True, slots=True)
class _Rest:
    """Where a plate rested, and what was known of its motion then."""

    place: Place
    since_ns: int
    in_picture: bool
    """Whether it had moved in the picture..."""
    on_ground: bool
    """... and against the background."""


@dataclass(slots=True)
class Course:
    """The places of one plate, in capture order, in a bounded memory."""

    rests_at: Place | None = None
    rests_since_ns: int = 0
    _in_picture: Stretch = field(default_factory=Stretch)
    _on_ground: Stretch = field(default_factory=Stretch)
    """Of the places against the background, since that could last be followed."""
    _moved_on_ground: bool = False
    """Once it has moved, it is a thing that moves, however long it then stands."""
    _origin: Background | None = None
    _breaks: int = 0
    """How often the background could not be followed from one frame to the next."""
    _untold: int = 0
    """Frames whose background is not known."""
    _latest: Place | None = None
    _resting: bool = False
    """Whether it had not moved between the last two frames."""
    _rests: list[_Rest] = field(default_factory=list)
    """Where it rested, latest last."""

    @property
    def was_carried(self) -> bool:
        """Whether it moved in the picture because the camera did, or may have."""
        return self._in_picture.moved and not self._moves

    def add(self, box: Box, at_ns: int, background: Background | None = None) -> None:
        """The plate was at `box` in the next frame, that of `at_ns`; without a `background` the camera stands."""
        place = Place.of(box)
        if self.rests_at is None or not self.rests_at.is_at(place):
            self.rests_at, self.rests_since_ns = place, at_ns
        self._notice_return(place, at_ns)
        self._notice_jump(place)
        self._in_picture.add(place)
        self._place_on_ground(place, background or Background(0.0, 0.0))

    def _notice_return(self, place: Place, at_ns: int) -> None:
        """What rested, of which a part was boxed and that is back whole did not move: something stood before it.

        What was beyond the place where it rested has left it, and may come back: a vehicle that reverses.
        """
        self._rests = [rest for rest in self._rests if rest.place.covers(place) or place.covers(rest.place)]
        if self.rests_at is None or (self._rests and self._rests[-1].place == self.rests_at):
            return
        known = next((number for number, rest in enumerate(self._rests) if rest.place.is_at(place)), None)
        if known is not None:
            self._go_back(self._rests[known])
            del self._rests[known + 1 :]
        elif at_ns - self.rests_since_ns >= RESTED_NS:
            rest = _Rest(self.rests_at, self.rests_since_ns, self._in_picture.moved, self._moved_on_ground)
            self._rests = [*self._rests, rest][-MOST_RESTS:]

    def _go_back(self, rest: _Rest) -> None:
        self.rests_at, self.rests_since_ns = rest.place, rest.since_ns
        for stretch in (self._in_picture, self._on_ground):
            stretch.begin_anew()
        self._in_picture.moved, self._on_ground.moved = rest.in_picture, rest.on_ground
        self._moved_on_ground = rest.on_ground

    def _notice_jump(self, place: Place) -> None:
        """A text that rests, is elsewhere in the next frame and rests there is a caption: vehicles gather speed."""
        if self._latest is not None:
            if self._resting and place.jumped_from(self._latest):
                self._in_picture.begin_anew()
                self._on_ground.begin_anew()
            self._resting = place.rests_after(self._latest)
        self._latest = place

    def join(self, other: Course) -> None:
        """The two are of one plate."""
        parted = self._in_picture.parted(other._in_picture)
        alike = self._origin is None or other._origin is None or self._origin.is_since(other._origin)
        on_ground = alike and self._on_ground.parted(other._on_ground)
        self._in_picture.frames += other._in_picture.frames
        self._in_picture.moved = self._in_picture.moved or other._in_picture.moved or parted
        self._moved_on_ground = self._moved_on_ground or other._moved_on_ground or on_ground
        self._breaks += other._breaks + (not alike)
        self._untold += other._untold
        self.rests_at, self.rests_since_ns = max(
            (self.rests_at, self.rests_since_ns), (other.rests_at, other.rests_since_ns), key=lambda rest: rest[1]
        )

    def motion(self, span_s: float) -> Motion:
        """What is known of it after `span_s` seconds."""
        if self._moves:
            return Motion.MOVED
        if self._in_picture.moved and (self._breaks or self._untold):
            return Motion.CARRIED
        enough = self._in_picture.frames >= LEAST_STOOD_FRAMES and span_s >= LEAST_STOOD_S
        return Motion.STOOD if enough else Motion.UNKNOWN

    @property
    def _moves(self) -> bool:
        """Whether it moved in the picture and against the background, as far as that could be followed."""
        followed = self._breaks < MANY_BREAKS and 2 * self._untold <= self._in_picture.frames
        return self._in_picture.moved and self._moved_on_ground and followed

    def _place_on_ground(self, place: Place, background: Background) -> None:
        if self._origin is None or not self._origin.is_since(background):
            self._breaks += self._origin is not None
            self._origin, self._on_ground = background, Stretch()
        if not background.told:
            self._untold += 1
            return
        here = Place(place.x - background.x, place.y - background.y, place.width)
        self._on_ground.add(here, math.dist((background.x, background.y), (self._origin.x, self._origin.y)))
        self._moved_on_ground = self._moved_on_ground or self._on_ground.moved


class FramePace:
    """The time between two pictures of a camera, of what is known of a few of them."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None
        self._samples: deque[float] = deque(maxlen=PACE_SAMPLES)

    def note(self, captured_at_ns: int, sequence: int) -> None:
        """A picture was taken then; `sequence` counts them, whether all are noted or not."""
        if self._last is not None:
            elapsed, frames = captured_at_ns - self._last[0], sequence - self._last[1]
            if elapsed * frames > 0:
                self._samples.append(elapsed / frames / 1e9)
        self._last = captured_at_ns, sequence

    @property
    def interval_s(self) -> float:
        """The median of the last few, in seconds; 0 while nothing is known. A camera that drops does not change it."""
        return median(self._samples) if self._samples else 0.0


def _smoothed(places: list[Place]) -> Place:
    return Place(
        median(place.x for place in places),
        median(place.y for place in places),
        median(place.width for place in places),
    )
