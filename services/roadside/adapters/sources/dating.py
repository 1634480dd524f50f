"""When recordings were taken: as whoever gives them says, or as the file does, if that can be; else nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from roadside.core.moments import Stamp, TimeDoubt

EARLIEST_NS = round(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 10**9
"""Before this nobody took digital films; clocks that were never set say 1904, 1970 or 1980."""
AHEAD_NS = 300 * 10**9
"""By which a file's time may lie ahead of our clock."""


@dataclass(frozen=True, slots=True)
class Dating:
    """What is said of a source's recordings beside what their files say."""

    stamp: Stamp | None = None
    """When the first frame was taken, whatever the file says."""
    as_played: bool = False
    """They are to be taken as if a camera saw them now."""

    def first(self, told: Stamp | None, now_ns: int) -> Stamp | None:
        """The stamp of the first frame of a file that has `told` a time; None where it is the time of playing."""
        if self.as_played:
            return None
        if self.stamp is not None:
            return self.stamp
        if told is not None and EARLIEST_NS <= told.at_ns <= now_ns + AHEAD_NS:
            return told
        return Stamp(now_ns, doubt=TimeDoubt.RECORDING_UNKNOWN)
