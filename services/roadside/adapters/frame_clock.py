"""The time of live frames: counted on by a clock that nobody sets, and stamped with what the wall clock said."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside._version import RELEASED
from roadside.adapters.clock_sync import is_synchronised
from roadside.core.clock_watch import ClockSync, ClockWatch
from roadside.core.moments import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from roadside.core.moments import TimeDoubt
    from roadside.ports.system import Clock

ASK_EVERY_NS = 10 * 10**9
"""How often the system is asked about its clock."""
RELEASED_NS = round(datetime.fromisoformat(RELEASED).replace(tzinfo=UTC).timestamp() - 86_400) * 10**9
"""No frame was taken before this program was made; a day less, for it may have been another day there."""


def steady_ns() -> int:
    """Nanoseconds of a clock that nobody sets and that goes on while the machine sleeps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class SteadyClock:
    """Meets `roadside.ports.system.Clock`: begins at the time of another clock and is not set with it."""

    def __init__(self, clock: Clock, steady: Callable[[], int] = steady_ns) -> None:
        self._steady = steady
        self._ahead_ns = clock.now_ns() - steady()

    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970, as if the clock had not been set since."""
        return self._steady() + self._ahead_ns


class FrameClock:
    """Stamps frames. Safe to share between the threads of several cameras."""

    def __init__(
        self,
        clock: Clock,
        sync: ClockSync,
        *,
        steady: Callable[[], int] = steady_ns,
        ask: Callable[[], bool | None] = is_synchronised,
    ) -> None:
        """`ask` tells whether the system calls its clock synchronised; it may take seconds, and is asked here once."""
        self._clock = clock
        self._steady = steady
        self._ask = ask
        self._sync = sync
        self._counted = SteadyClock(clock, steady)
        self._watch = ClockWatch(RELEASED_NS, unknown_is_doubt=sync is ClockSync.REQUIRED)
        self._lock = threading.Lock()
        self._asking = False
        self._asked_ns = steady()
        self._synchronised = None if sync is ClockSync.OFF else ask()
        self._difference_ns = 0

    def now_ns(self) -> int:
        """What the wall clock says; meets `Clock`."""
        return self._clock.now_ns()

    def stamp(self) -> tuple[int, Stamp]:
        """The order of a frame that is taken now, in nanoseconds, and its stamp."""
        at_ns = self._clock.now_ns()
        return self._counted.now_ns(), Stamp(at_ns, doubt=self._doubt(at_ns))

    def doubt(self) -> TimeDoubt | None:
        """What speaks against the wall clock now."""
        return self._doubt(self._clock.now_ns())

    def compare(self, other_ns: int) -> int:
        """How far the wall clock is ahead of another machine's, which says `other_ns` now, in nanoseconds."""
        self._difference_ns = self._clock.now_ns() - other_ns
        return self._difference_ns

    def _doubt(self, at_ns: int) -> TimeDoubt | None:
        with self._lock:
            self._ask_again()
            return self._watch.look(
                at_ns, self._steady(), synchronised=self._synchronised, difference_ns=self._difference_ns
            )

    def _ask_again(self) -> None:
        """Ask the system, now and then and beside the frames: it may take seconds to answer."""
        if self._sync is ClockSync.OFF or self._asking or self._steady() - self._asked_ns < ASK_EVERY_NS:
            return
        self._asking = True
        threading.Thread(target=self._asked, name="clock", daemon=True).start()

    def _asked(self) -> None:
        answer = self._ask()
        with self._lock:
            self._synchronised, self._asked_ns, self._asking = answer, self._steady(), False
