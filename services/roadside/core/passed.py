"""The vehicles that were told of and may be seen again before they are gone: a passage is told once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from roadside.core.motion import MOVED_RATIO, MOVED_WIDTHS, Place
from roadside.core.plates import fold

if TYPE_CHECKING:
    from roadside.core.reads import FusedPlate, Track

JOINED_S = 20.0
"""A vehicle that is seen again within this time, further on, has not left."""
STANDING_S = 300.0
"""One that stood, and is seen again in the same place within this time, was hidden and did not leave."""
RESTED_S = 3.0
"""What was in one place for so long, when it was seen last, stood."""
BACK_WIDTHS = 0.5
"""How far behind the place where it was last a vehicle may be seen again, in widths of its plate, ..."""
ASIDE_WIDTHS = 1.0
"""... and how far aside of its way, if it is not farther ahead."""
REACH_WIDTHS = 4.0
"""How far from it, where it stood and nobody knows where to it went."""
SAME_PLATE = 0.2
"""Probability that two readings are of one plate, one of them unsure."""
SURE = 0.9
"""Confidence from which two different readings are two plates."""
LATEST_S = 120.0
"""A track is judged when it has ended, up to so long after it began."""
MOST = 512
"""Vehicles remembered of one camera."""
FOLLOWED_READS = 3
READINGS = 8
MOST_PIECES = 8


@dataclass(frozen=True, slots=True)
class Heading:
    """Where to a plate went from its first frame to its last."""

    x: float
    y: float
    """A vector of length 1, or 0 and 0 where it stayed in place."""
    grows: int
    """1 where it came nearer, -1 where it went away, 0 for neither."""

    @classmethod
    def of(cls, begin: Place, end: Place) -> Heading:
        """From the one place to the other."""
        x, y = end.x - begin.x, end.y - begin.y
        length = math.hypot(x, y)
        if length < MOVED_WIDTHS * max(begin.width, end.width):
            x, y, length = 0.0, 0.0, 1.0
        ratio = end.width / begin.width
        grows = 1 if ratio >= MOVED_RATIO else -1 if ratio <= 1 / MOVED_RATIO else 0
        return cls(x / length, y / length, grows)

    @property
    def is_known(self) -> bool:
        """Whether it went anywhere."""
        return bool(self.x or self.y or self.grows)

    def leads(self, begin: Place, end: Place) -> bool:
        """Whether a vehicle that goes so can be seen at `begin` and then at `end`."""
        width = max(begin.width, end.width)
        x, y = (end.x - begin.x) / width, (end.y - begin.y) / width
        ahead, aside = x * self.x + y * self.y, abs(x * self.y - y * self.x)
        if not (self.x or self.y):
            ahead, aside = 0.0, math.hypot(x, y)
        nearer = math.log(end.width / begin.width) * self.grows
        return ahead >= -BACK_WIDTHS and aside <= max(ASIDE_WIDTHS, ahead) and nearer >= -math.log(MOVED_RATIO)

    def agrees(self, other: Heading) -> bool:
        """Whether the two are not opposite."""
        return self.x * other.x + self.y * other.y > -0.5 and self.grows * other.grows >= 0


@dataclass(frozen=True, slots=True)
class Passed:
    """A vehicle that was told of."""

    track_id: str
    confidence: float
    readings: tuple[tuple[str, float], ...]
    """Folded texts that the plate may have, with their probabilities, the best first."""
    place: Place
    """Where it was seen last."""
    heading: Heading
    last_seen_ns: int
    stood: bool
    """Whether it stood there."""
    followed: bool
    """Whether it was seen long enough to tell where to it went."""
    pieces: tuple[str, ...] = ()
    """The latest tracks that were found to be this vehicle again."""

    @classmethod
    def of(cls, track: Track, plate: FusedPlate) -> Passed:
        """The vehicle of `track`, whose reads together are `plate`."""
        likely = {fold(plate.text): plate.confidence}
        for other in plate.alternatives[:READINGS]:
            text = fold(other.text)
            likely[text] = max(likely.get(text, 0.0), min(1.0, math.exp(other.log_p)))
        end = Place.of(track.last_box)
        heading = Heading.of(Place.of(track.first_box), end)
        return cls(
            track.track_id,
            plate.confidence,
            tuple(likely.items()),
            end,
            heading,
            track.last_seen_ns,
            stood=track.rested_s >= RESTED_S,
            followed=len(track.identities) >= FOLLOWED_READS,
        )

    def prolonged(self, track: Track) -> Passed:
        """The same vehicle, seen again as `track`."""
        if track.last_seen_ns < self.last_seen_ns:
            return self
        end = Place.of(track.last_box)
        heading = Heading.of(Place.of(track.first_box), end)
        return replace(
            self,
            place=end,
            heading=heading if heading.is_known else self.heading,
            last_seen_ns=track.last_seen_ns,
            stood=track.rested_s >= RESTED_S,
            followed=self.followed or len(track.identities) >= FOLLOWED_READS,
            pieces=(*(piece for piece in self.pieces if piece != track.track_id), track.track_id)[-MOST_PIECES:],
        )

    def goes_on_as(self, track: Track, later: Passed) -> bool:
        """Whether `later`, made of `track`, is this vehicle again."""
        if track.track_id in self.pieces:
            return True
        if not self._is_plate_of(later):
            return False
        gap_s = (track.first_seen_ns - self.last_seen_ns) / 1e9
        here = Place.of(track.first_box)
        if self.stood and self.place.is_at(here):
            return abs(gap_s) <= STANDING_S
        return 0 <= gap_s <= JOINED_S and self._leads_to(here, later.heading)

    def _leads_to(self, here: Place, heading: Heading) -> bool:
        """Whether it can have got `here`, to go on with `heading`."""
        if self.heading.is_known:
            return self.heading.leads(self.place, here) and self.heading.agrees(heading)
        if not self.followed:
            return self.place.is_at(here)
        return self.place.distance(here) <= (REACH_WIDTHS if self.stood else ASIDE_WIDTHS)

    def _is_plate_of(self, later: Passed) -> bool:
        if self.readings[0][0] == later.readings[0][0]:
            return True
        if min(self.confidence, later.confidence) >= SURE:
            return False
        theirs = dict(later.readings)
        return sum(p * theirs.get(text, 0.0) for text, p in self.readings) >= SAME_PLATE


class PassedVehicles:
    """Those of one camera; it forgets those that are gone."""

    def __init__(self, known: tuple[Passed, ...] = ()) -> None:
        self._known = {passed.track_id: passed for passed in known}

    @property
    def known(self) -> tuple[Passed, ...]:
        """What is remembered, to be given to another one."""
        return tuple(self._known.values())

    def is_told(self, track: Track) -> bool:
        """Whether `track` goes on with one that was told of under its own name; it then is remembered so."""
        told = self._known.get(track.track_id)
        if told is None or track.first_seen_ns < told.last_seen_ns:
            return False
        self._known[track.track_id] = told.prolonged(track)
        return True

    def continues(self, track: Track, plate: FusedPlate) -> bool:
        """Whether `track`, whose reads together are `plate`, is a vehicle that was told of, seen again."""
        later = Passed.of(track, plate)
        for told in self._known.values():
            if told.track_id != track.track_id and told.goes_on_as(track, later):
                self._known[told.track_id] = told.prolonged(track)
                return True
        return False

    def remember(self, track: Track, plate: FusedPlate) -> None:
        """The vehicle of `track`, whose reads together are `plate`, is told of."""
        self._known[track.track_id] = Passed.of(track, plate)

    def forget_before(self, now_ns: int) -> None:
        """Drop those that are gone at `now_ns`."""
        known = [
            told
            for told in self._known.values()
            if (now_ns - told.last_seen_ns) / 1e9 <= LATEST_S + (STANDING_S if told.stood else JOINED_S)
        ]
        if len(known) > MOST:
            known = sorted(known, key=lambda told: told.last_seen_ns)[-MOST:]
        self._known = {told.track_id: told for told in known}
