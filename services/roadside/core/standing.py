"""What stands before a camera, so that a part of it is not taken for something that came and left.

A bus hides half of a sign for a moment: the other half is read as another text, at a place where nothing was before and
nothing is afterwards. It stood where the sign stands, and is a part of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.fusion import edit_distance
from roadside.core.motion import Motion, Place
from roadside.core.passed import RESTED_S, STANDING_S
from roadside.core.plates import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roadside.core.reads import Track

MOST = 64
"""Things remembered of one camera."""
NARROWER = 0.85
"""Of the whole's width: what is as wide and says something else is another vehicle that stopped there."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A text that stands."""

    place: Place
    text: str
    """Folded."""
    since_ns: int
    last_ns: int

    def holds(self, track: Track, text: str) -> bool:
        """Whether `track`, which was read as `text` (folded), is a part of this: in space and in time."""
        gap_s = (track.first_seen_ns - self.last_ns) / 1e9
        if self.since_ns > track.first_seen_ns or gap_s > STANDING_S:
            return False
        places = [Place.of(placed.crop.detection.box) for placed in track.reads]
        return all(self.place.covers(place) for place in places) and (
            all(place.width <= NARROWER * self.place.width for place in places) or self._says(text)
        )

    def _says(self, text: str) -> bool:
        """Whether all characters of `text` stand in this one, in their order."""
        return edit_distance(text, self.text) == len(self.text) - len(text)


class StandingTexts:
    """Those of one camera, as far as their tracks have ended."""

    def __init__(self) -> None:
        self._known: deque[Standing] = deque(maxlen=MOST)

    def remember(self, track: Track, text: str) -> None:
        """`track`, which was read as `text`, has ended; it is remembered where it stood."""
        if track.rested_s >= RESTED_S:
            since_ns = track.last_seen_ns - round(track.rested_s * 1e9)
            self._known.append(Standing(Place.of(track.last_box), fold(text), since_ns, track.last_seen_ns))

    def hold(self, track: Track, text: str, growing: Iterable[Standing]) -> bool:
        """Whether `track` is a part of what stands, or of one of those whose tracks are `growing`."""
        if track.motion is Motion.MOVED:
            return False
        return any(standing.holds(track, fold(text)) for standing in (*growing, *self._known))
