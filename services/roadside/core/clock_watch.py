"""Whether a clock is to be believed: what speaks against it, from what it and others say."""

from __future__ import annotations

from enum import StrEnum

from roadside.core.moments import JUMP_NS, TimeDoubt

SETTLING_NS = 3600 * 10**9
"""For which a clock that was set is doubted, unless the system says that it is synchronised."""


class ClockSync(StrEnum):
    """What the system must say of its clock."""

    AUTO = "auto"
    """Where it says that the clock is not synchronised, the clock is not believed."""
    REQUIRED = "required"
    """Only where it says that it is."""
    OFF = "off"
    """It is not asked."""


class ClockWatch:
    """Told again and again what clocks say, it tells what speaks against one of them. Not safe between threads."""

    def __init__(self, not_before_ns: int, *, unknown_is_doubt: bool = False) -> None:
        """`not_before_ns` is known to be over; `unknown_is_doubt` where the system must say that it is synchronised."""
        self._not_before_ns = not_before_ns
        self._unknown_is_doubt = unknown_is_doubt
        self._ahead_ns: int | None = None
        self._doubted_until_ns: int | None = None

    def look(
        self, clock_ns: int, steady_ns: int, *, synchronised: bool | None = None, difference_ns: int = 0
    ) -> TimeDoubt | None:
        """What speaks against `clock_ns`, the weightiest; None where nothing does.

        `steady_ns` is the time of a clock that nobody sets, `synchronised` what the system says of the first one (None:
        nothing), and `difference_ns` how far it is from another machine's.
        """
        self._note_jump(clock_ns - steady_ns, steady_ns)
        if synchronised:
            self._doubted_until_ns = None
        if clock_ns < self._not_before_ns:
            return TimeDoubt.TOO_EARLY
        if self._doubted_until_ns is not None and steady_ns < self._doubted_until_ns:
            return TimeDoubt.JUMPED
        if abs(difference_ns) > JUMP_NS:
            return TimeDoubt.DISAGREES
        if synchronised is False or (synchronised is None and self._unknown_is_doubt):
            return TimeDoubt.UNSYNCHRONISED
        return None

    def _note_jump(self, ahead_ns: int, steady_ns: int) -> None:
        if self._ahead_ns is None:
            self._ahead_ns = ahead_ns
        elif abs(ahead_ns - self._ahead_ns) > JUMP_NS:
            self._ahead_ns = ahead_ns
            self._doubted_until_ns = steady_ns + SETTLING_NS
