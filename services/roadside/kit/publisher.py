"""Publishes to a stream that may be full or away: waits for room where nothing may be lost, or gives up at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from roadside.errors import BusFullError, BusUnavailableError
from roadside.ports.bus import EventT

if TYPE_CHECKING:
    from roadside.kit.stage_runner import LoopParts
    from roadside.ports.bus import Room, Stream

FULL_PAUSE_S = 0.05


class BoundedPublisher(Generic[EventT]):
    """Publishes on one stream, on which a camera has so much room."""

    def __init__(self, stream: Stream[EventT], parts: LoopParts, room: Room, loop: str) -> None:
        """`loop` is the name under which the loop that publishes beats."""
        self._bus = parts.bus
        self._stream = stream
        self._parts = parts
        self._room = room
        self._loop = loop

    def offer(self, event: EventT) -> bool:
        """Publish `event` now; False where there is no room or no bus."""
        try:
            return self._bus.publish(self._stream, event, room=self._room)
        except BusFullError:
            return False
        except BusUnavailableError:
            self._parts.meter.count("bus_errors_total")
            return False

    def push(self, event: EventT) -> bool:
        """Publish `event`, waiting for room and for the bus; False where the time to end came first."""
        parts = self._parts
        while not parts.retry.call(lambda: self._bus.publish(self._stream, event, room=self._room), otherwise=False):
            if parts.stopping.is_set():
                return False
            parts.health.beat(self._loop)
            parts.stopping.wait(FULL_PAUSE_S)
        return True
