"""What one round is made of: news become notices, and notices that are due are delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.notify.dispatcher import Dispatcher
from roadside.notify.policy import compose

if TYPE_CHECKING:
    import random

    from roadside.notify.channels import Channels
    from roadside.ports.notify import Outbox
    from roadside.ports.system import Clock


class Notifier:
    """What the service and the command do alike, in one thread."""

    def __init__(self, outbox: Outbox, channels: Channels, clock: Clock, rng: random.Random) -> None:
        self._outbox = outbox
        self._channels = channels
        self._clock = clock
        self._rng = rng

    def collect(self) -> int:
        """Write notices of what is new; how many. Raises StoreUnavailableError."""
        return self._outbox.collect(lambda sighting: compose(sighting, self._channels.options), self._clock.now_ns())

    def dispatcher(self) -> Dispatcher:
        """Delivers to the channels that are open now."""
        channels = self._channels
        return Dispatcher(self._outbox, channels.by_name, channels.options, self._clock, self._rng)
