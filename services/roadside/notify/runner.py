"""The loop of the service: round after round, whatever is away meanwhile; told to health, metrics and log."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.errors import PoisonError, SettingsError, StoreUnavailableError
from roadside.kit.logs import fields
from roadside.notify.dispatcher import Outcome
from roadside.notify.notifier import Notifier

if TYPE_CHECKING:
    import random
    import threading
    from collections.abc import Callable

    from roadside.kit.backoff import Backoff
    from roadside.kit.health import Health
    from roadside.notify.channels import Channels
    from roadside.notify.dispatcher import Attempt
    from roadside.ports.notify import Outbox
    from roadside.ports.system import Clock, Meter

ROUND_S = 1.0
LOOP = "notify"
STORE, CHANNELS = "store", "channels"
"""The parts of the process's health that are kept here."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotifyParts:
    """What the loop is made of."""

    outbox: Outbox
    channels: Channels
    clock: Clock
    rng: random.Random
    """For the jitter of pauses."""
    meter: Meter
    health: Health
    backoff: Backoff
    """Between attempts to reach the store."""
    stopping: threading.Event


class NotifyRunner:
    """Outlasts a store that is away and a file of channels that is wrong.

    Without any channel it is idle: it follows what is stored, so that the first channel is not told of the past.
    """

    def __init__(self, parts: NotifyParts) -> None:
        self._parts = parts
        self._notifier = Notifier(parts.outbox, parts.channels, parts.clock, parts.rng)
        self._usable = False
        self._started = False
        self._fault = ""

    def run(self) -> None:
        """Tell of what is new until `stopping` is set; the attempt in hand is finished first."""
        while not self._parts.stopping.is_set():
            self._parts.health.beat(LOOP)
            self._parts.stopping.wait(self._outlasting(self.round))
        self._parts.channels.close()
        self._parts.health.done(LOOP)

    def round(self) -> None:
        """Collect, and one attempt at each notice that is due. Raises StoreUnavailableError."""
        self._read_channels()
        if not self._started:
            self._parts.outbox.start_here()
            self._started = True
        if self._usable:  # collecting before would pass over what the channels of the mended file want to be told
            self._notifier.collect()
            self._deliver()
        counts = self._parts.outbox.counts()
        self._parts.meter.set("notices_waiting_count", counts.waiting)
        self._parts.meter.set("notices_given_up_count", counts.given_up)
        self._parts.health.set(STORE, ready=True)

    def _deliver(self) -> None:
        for attempt in self._notifier.dispatcher().attempts():
            self._tell(attempt)
            if self._parts.stopping.is_set():
                break

    def _outlasting(self, action: Callable[[], None]) -> float:
        """The pause in seconds after `action`, longer each time that the store does not answer."""
        try:
            action()
        except (StoreUnavailableError, PoisonError) as error:
            self._parts.health.set(STORE, ready=False)
            pause_s = self._parts.backoff.next_s()
            _log.warning("waiting", extra=fields(loop=LOOP, reason=str(error), seconds=round(pause_s, 2)))
            return pause_s
        self._parts.backoff.reset()
        return ROUND_S

    def _read_channels(self) -> None:
        try:
            changed = self._parts.channels.refresh()
        except SettingsError as error:
            self._parts.health.set(CHANNELS, ready=False)
            if str(error) != self._fault:
                _log.error("channels", extra=fields(reason=str(error), going_on=self._usable))
            self._fault = str(error)
            return
        self._fault = ""
        self._usable = True
        self._parts.health.set(CHANNELS, ready=True)
        if changed:
            self._announce()

    def _announce(self) -> None:
        names = sorted(self._parts.channels.by_name)
        _log.info("channels" if names else "idle: no channel is configured", extra=fields(channels=names))
        for name in names:
            for outcome in Outcome:
                self._parts.meter.count("notices_total", 0, channel=name, outcome=outcome.value)

    def _tell(self, attempt: Attempt) -> None:
        notice = attempt.notice
        self._parts.health.beat(LOOP)
        self._parts.meter.count("notices_total", channel=notice.channel, outcome=attempt.outcome.value)
        level = logging.INFO if attempt.outcome is Outcome.DELIVERED else logging.WARNING
        where = fields(
            channel=notice.channel,
            sighting=notice.sighting_id,
            outcome=attempt.outcome.value,
            attempts=notice.attempts + 1,
            reason=attempt.fault,
        )
        _log.log(level, "notice", extra=where)
