"""Calls to the bus that outlast its absence: tried again with growing pauses, and told to health and metrics."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from roadside.errors import BusUnavailableError, UnavailableError
from roadside.kit.logs import fields

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from roadside.kit.backoff import Backoff
    from roadside.kit.health import Health
    from roadside.ports.system import Meter

BUS = "bus"
"""The part of a process's health that is kept here."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


class RetryPolicy:
    """Tries until it works; once `stopping` is set, for no longer than `drain_s`."""

    def __init__(  # noqa: PLR0913 - what it needs of the world comes from outside
        self,
        loop: str,
        *,
        meter: Meter,
        health: Health,
        backoff: Backoff,
        stopping: threading.Event,
        drain_s: float,
    ) -> None:
        self._loop = loop
        self._meter = meter
        self._health = health
        self._backoff = backoff
        self._stopping = stopping
        self._drain_s = drain_s
        self._give_up_at_s: float | None = None

    def call(self, action: Callable[[], T], otherwise: T, *, draining: bool = True) -> T:
        """What `action` gives; `otherwise` where the bus stayed away until it was time to end.

        With `draining` False that is once `stopping` is set: the action takes up work and ends none.
        """
        while True:
            try:
                answer = action()
            except BusUnavailableError as error:
                self._meter.count("bus_errors_total")
                self._health.set(BUS, ready=False, reason=str(error))
                if (self._stopping.is_set() and not draining) or not self.pause(error):
                    return otherwise
            else:
                self._backoff.reset()
                self._health.set(BUS, ready=True)
                return answer

    def pause(self, error: UnavailableError) -> bool:
        """Wait before another attempt; False where there is no time for one."""
        now_s = time.monotonic()
        if self._stopping.is_set() and self._give_up_at_s is None:
            self._give_up_at_s = now_s + self._drain_s
        if self._give_up_at_s is not None and now_s >= self._give_up_at_s:
            return False
        pause_s = self._backoff.next_s()
        _log.warning("waiting", extra=fields(loop=self._loop, reason=str(error), seconds=round(pause_s, 2)))
        self._health.beat(self._loop)
        if self._stopping.is_set():
            time.sleep(min(pause_s, 0.5))
        else:
            self._stopping.wait(pause_s)
        return True
