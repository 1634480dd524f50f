"""Live watches: one reader of the store for all of them, with a bounded queue each."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.errors import BusyError, RoadsideError, UnavailableError
from roadside.kit.logs import fields
from roadside.wire.convert import sighting_to_proto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from roadside.core.sightings import Sighting
    from roadside.ports.store import SightingStore, StoredBell
    from roadside.ports.system import Meter
    from roadside.v1 import types_pb2

AT_ONCE = 100
"""How many sightings are taken from the store at a time."""
PAUSE_S = 0.02
"""Between two takings of that many: what comes in a burst must not outrun those who read quickly."""
MOST_BEHIND = 1000
"""A watch that has so many sightings before it is ended: its client reads too slowly."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting and its message, made once for all watches."""

    sighting: Sighting
    message: types_pb2.Sighting

    @classmethod
    def of(cls, sightings: Iterable[Sighting]) -> tuple[Seen, ...]:
        """Those of `sightings`, in their order."""
        return tuple(cls(sighting, sighting_to_proto(sighting)) for sighting in sightings)


@dataclass(slots=True, eq=False)
class _Queue:
    """What one watch has not sent yet; everything but `offer` happens in its event loop."""

    loop: asyncio.AbstractEventLoop
    waiting: deque[Seen] = field(default_factory=deque)
    fault: RoadsideError | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, found: Sequence[Seen], fault: RoadsideError | None = None) -> None:
        """From any thread: more to send, or why nothing more will come."""
        self.loop.call_soon_threadsafe(self._take, found, fault)

    async def items(self) -> AsyncIterator[Seen]:
        """All that is offered, in order. Raises the fault, BusyError where it was read too slowly."""
        while True:
            while self.waiting:
                yield self.waiting.popleft()
            if self.fault is not None:
                raise self.fault
            self._changed.clear()
            await self._changed.wait()

    def _take(self, found: Sequence[Seen], fault: RoadsideError | None) -> None:
        self.fault = self.fault or fault
        if len(self.waiting) + len(found) > MOST_BEHIND and self.fault is None:
            self.waiting.clear()
            self.fault = BusyError(
                f"more than {MOST_BEHIND} sightings wait for you: watch again after the last one that came"
            )
        if self.fault is None:
            self.waiting.extend(found)
        self._changed.set()


class WatchHub:
    """Reads what is stored once, for however many watch."""

    def __init__(self, store: SightingStore, bell: StoredBell, meter: Meter, most_watchers: int) -> None:
        """The store is read when `bell` rings, while anybody watches."""
        self._store = store
        self._bell = bell
        self._meter = meter
        self._most_watchers = most_watchers
        self._queues: set[_Queue] = set()
        self._position = 0
        self._lock = threading.Lock()
        meter.set("watchers_count", 0)

    def run(self, stopping: threading.Event) -> None:
        """Hand what is stored to those who watch, until it is time to end: then their watches end too."""
        while not self._bell.wait(stopping):
            try:
                while self._queues and self._hand_out() == AT_ONCE and not stopping.wait(PAUSE_S):
                    pass
            except RoadsideError as error:
                _log.debug("waiting", extra=fields(loop="watch", reason=str(error)))
        self._bell.close()
        ended = UnavailableError("this server ends: watch again after the last sighting that came")
        with self._lock:
            for queue in self._queues:
                queue.offer((), ended)

    def watchers(self) -> int:
        """How many watch now."""
        return len(self._queues)

    async def watch(self, start: Callable[[], int]) -> AsyncIterator[Seen]:
        """Sightings stored after the sequence that `start`, called in a thread, gives; without end.

        Raises BusyError where too many watch, or where this one is read too slowly; UnavailableError at the end.
        """
        loop = asyncio.get_running_loop()
        queue = _Queue(loop)
        known = await loop.run_in_executor(None, self._enter, queue)
        try:
            after = await loop.run_in_executor(None, start)
            while after < known:
                found = await loop.run_in_executor(None, self._before, after, known)
                for seen in found:
                    yield seen
                after = found[-1].sighting.sequence if found else known
            async for seen in queue.items():
                if seen.sighting.sequence > after:
                    yield seen
        finally:
            self._leave(queue)

    def _before(self, after: int, known: int) -> Sequence[Seen]:
        """Those that a watch missed before its queue began."""
        return Seen.of(s for s in self._store.after(after, AT_ONCE) if s.sequence <= known)

    def _hand_out(self) -> int:
        with self._lock:
            position = self._position
        found = Seen.of(self._store.after(position, AT_ONCE))
        if found:
            with self._lock:
                self._position = found[-1].sighting.sequence
                for queue in self._queues:
                    queue.offer(found)
        return len(found)

    def _enter(self, queue: _Queue) -> int:
        """Add a watch; the sequence up to which it must read by itself."""
        newest = self._store.newest_sequence()
        with self._lock:
            if len(self._queues) >= self._most_watchers:
                raise BusyError(f"{self._most_watchers} watches are open already")
            if not self._queues:
                self._position = newest
            self._queues.add(queue)
            self._meter.set("watchers_count", len(self._queues))
            return self._position

    def _leave(self, queue: _Queue) -> None:
        with self._lock:
            self._queues.discard(queue)
            self._meter.set("watchers_count", len(self._queues))
