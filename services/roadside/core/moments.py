"""When a vehicle passed: from its first frame to its last, by a clock that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class TimeDoubt(StrEnum):
    """Why the time of a frame is not believed, the weightiest first; docs/verdict.md has each as a rule."""

    RECORDING_UNKNOWN = "recording-time-unknown"
    """A recording that does not say when it was taken."""
    TOO_EARLY = "clock-too-early"
    """The clock stood before a time that is known to have passed."""
    JUMPED = "clock-jumped"
    """The clock was set while the vehicle passed, or not long before."""
    DISAGREES = "clock-disagrees"
    """The clock differs from that of the machine that carries the events."""
    UNSYNCHRONISED = "clock-not-synchronised"
    """The system says that its clock is not synchronised, or cannot say, where it must."""


@dataclass(frozen=True, slots=True)
class PassageTime:
    """The time for which a vehicle is judged: paid at any moment of it is paid."""

    first_ns: int
    """The first moment that it may have passed: UTC, in nanoseconds since 1970."""
    last_ns: int
    """The last such moment, itself included."""
    doubt: TimeDoubt | None = None
    """Why the two may be quite wrong; None where they are believed."""

    @classmethod
    def at(cls, at_ns: int) -> PassageTime:
        """A single moment, believed."""
        return cls(at_ns, at_ns)

    def widened(self, by_ns: int) -> PassageTime:
        """The same, begun and ended `by_ns` earlier and later."""
        return replace(self, first_ns=self.first_ns - by_ns, last_ns=self.last_ns + by_ns)

    def meets(self, from_ns: int, to_ns: int) -> bool:
        """Whether it shares a moment with what is valid from `from_ns` on and before `to_ns`."""
        return from_ns <= self.last_ns and self.first_ns < to_ns


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a frame was taken, where its `captured_at_ns` only puts it in order."""

    at_ns: int
    """UTC, in nanoseconds since 1970: by the clock of the camera's computer, or as the recording says."""
    slack_ns: int = 0
    """How far that may be off, either way."""
    doubt: TimeDoubt | None = None
    """Why it is not believed; None where it is."""


TOLERANCE_S = 300.0
"""By which the clocks of cameras and of the registry may differ; docs/verdict.md says why."""
JUMP_NS = 60_000_000_000
"""What a clock must be set by to be doubted: less than verdicts tolerate, more than NTP corrects by the way."""


def time_seen(span_ns: tuple[int, int], stamped: Sequence[tuple[int, Stamp | None]]) -> tuple[PassageTime, int]:
    """When a vehicle was seen, and how far that may be off either way, in nanoseconds.

    `span_ns` is from its first to its last frame, and `stamped` tells of at least one of its frames when it was
    captured and its stamp. Where the clock was set meanwhile, the time covers what it said before and after.
    """
    ahead = [0 if stamp is None else stamp.at_ns - captured_at_ns for captured_at_ns, stamp in stamped]
    first_ns, last_ns = min(span_ns) + min(ahead), max(span_ns) + max(ahead)
    stamps = [stamp for _, stamp in stamped if stamp is not None]
    doubts = {stamp.doubt for stamp in stamps}
    if max(ahead) - min(ahead) > JUMP_NS:
        doubts.add(TimeDoubt.JUMPED)
    doubt = next((known for known in TimeDoubt if known in doubts), None)
    return PassageTime(first_ns, last_ns, doubt), max((stamp.slack_ns for stamp in stamps), default=0)
