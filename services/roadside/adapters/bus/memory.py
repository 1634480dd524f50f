"""The bus of one process: what Redis Streams does for a cluster, in plain dictionaries. Events travel as they are."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from roadside.core.frames import END_OF_TIME_NS
from roadside.ports.bus import (
    FRAMES,
    MEMORY_S,
    NO_BOUNDS,
    STREAMS,
    UPSTREAM,
    Backlog,
    CameraState,
    DeadLetter,
    Delivery,
    Leadership,
    Receipt,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from roadside.core.events import Event, FrameEvent
    from roadside.core.frames import CameraId
    from roadside.ports.bus import EventT, Output, Room, Stream
    from roadside.ports.system import Clock


@dataclass(slots=True)
class _Entry:
    """An event that is not done, and in whose hands it is."""

    event: Event
    holder: MemoryBus | None = None
    handed_at_ns: int = 0
    deliveries: int = 0


@dataclass(slots=True)
class _Leader:
    bus: MemoryBus
    until_ns: int


@dataclass(slots=True)
class MemoryBroker:
    """What the consumers of one process share."""

    clock: Clock
    idle_s: float = 30.0
    """After which a message in the hands of one consumer is handed to another."""
    leadership_s: float = 5.0
    """For which a leader leads after its last call."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    entries: dict[Stream[Any], dict[int, _Entry]] = field(default_factory=lambda: {s: {} for s in STREAMS})
    cameras: dict[CameraId, CameraState] = field(default_factory=dict)
    memories: dict[CameraId, tuple[bytes, int]] = field(default_factory=dict)
    """What `remember` was given, and when."""
    letters: dict[int, tuple[DeadLetter, Event]] = field(default_factory=dict)
    leaders: dict[Stream[Any], _Leader] = field(default_factory=dict)
    count: int = 0

    def next_id(self) -> int:
        """A number greater than all before."""
        self.count += 1
        return self.count


class MemoryBus:
    """One consumer's connection to a broker; meets `roadside.ports.bus.Bus`.

    A consumer that reconnects under its name takes back what it held.
    """

    def __init__(self, broker: MemoryBroker, consumer: str = "embedded") -> None:
        self._broker = broker
        self._consumer = consumer

    def publish(self, stream: Stream[EventT], event: EventT, *, room: Room = NO_BOUNDS) -> bool:
        """See `Bus.publish`; bounded by their number alone, for bytes are not known here."""
        with self._broker.changed:
            if stream == FRAMES and room.count and self._waiting(event.camera_id) >= room.count:
                return False
            self._append(stream, event)
            return True

    def receive(self, stream: Stream[EventT], *, max_messages: int, block_s: float) -> Sequence[Delivery[EventT]]:
        """See `Bus.receive`."""
        with self._broker.changed:
            taken = self._take(stream, max_messages)
            if not taken and block_s > 0:
                self._broker.changed.wait_for(lambda: next(self._ready(stream), None) is not None, block_s)
                taken = self._take(stream, max_messages)
            return taken

    def commit(self, done: Sequence[Receipt], outputs: Sequence[Output[Any]] = ()) -> bool:
        """See `Bus.commit`."""
        with self._broker.changed:
            held = [receipt for receipt in done if self._is_held(receipt) and not self._led_by_another(receipt.stream)]
            if done and not held:
                return False
            for receipt in held:
                del self._broker.entries[receipt.stream][int(receipt.entry_id)]
            for output in outputs:
                self._append(output.stream, output.event)
            return True

    def release(self, receipts: Sequence[Receipt]) -> None:
        """See `Bus.release`."""
        with self._broker.changed:
            for receipt in receipts:
                if self._is_held(receipt):
                    self._broker.entries[receipt.stream][int(receipt.entry_id)].holder = None
            self._broker.changed.notify_all()

    def reject(self, delivery: Delivery[EventT], reason: str) -> bool:
        """See `Bus.reject`."""
        receipt = delivery.receipt
        with self._broker.changed:
            if not self._is_held(receipt):
                return False
            entry = self._broker.entries[receipt.stream].pop(int(receipt.entry_id))
            number = self._broker.next_id()
            letter = DeadLetter(
                letter_id=str(number),
                stream=receipt.stream,
                camera_id=receipt.camera_id,
                identity=receipt.identity,
                reason=reason,
                died_at_ns=self._broker.clock.now_ns(),
                size_bytes=len(delivery.payload),
            )
            self._broker.letters[number] = (letter, entry.event)
            return True

    def horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See `Bus.horizon_ns`."""
        with self._broker.changed:
            state = self._broker.cameras.get(camera_id)
            if state is None:
                return 0
            newest = END_OF_TIME_NS if state.ended else state.last_captured_at_ns
            return min(newest, min(self._on_their_way(camera_id, held), default=newest))

    def is_waited_for(self, camera_id: CameraId, held: Collection[str]) -> bool:
        """See `Bus.is_waited_for`."""
        with self._broker.changed:
            return next(self._on_their_way(camera_id, held), None) is not None

    def sweep(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See `Bus.sweep`: what is on its way is told from the streams themselves, so nothing can be missing there."""
        del camera_id, held
        return 0

    def camera(self, camera_id: CameraId) -> CameraState | None:
        """See `Bus.camera`."""
        with self._broker.changed:
            return self._broker.cameras.get(camera_id)

    def done_frames(self, camera_id: CameraId) -> None:  # noqa: ARG002 - of the port
        """See Bus; nothing that was published is lost before its process is."""
        return

    def keep(self, frames: Sequence[FrameEvent]) -> None:
        """See Bus; nothing is lost here."""

    def set_camera(self, camera_id: CameraId, *, live: bool, ended: bool) -> None:
        """See `Bus.set_camera`."""
        with self._broker.changed:
            state = self._broker.cameras.get(camera_id, CameraState(-1, 0, live, ended))
            self._broker.cameras[camera_id] = replace(state, live=live, ended=ended)

    def remembered(self, camera_id: CameraId) -> bytes:
        """See `Bus.remembered`."""
        with self._broker.changed:
            memory, at_ns = self._broker.memories.get(camera_id, (b"", 0))
            return memory if self._broker.clock.now_ns() - at_ns <= MEMORY_S * 1e9 else b""

    def remember(self, camera_id: CameraId, memory: bytes) -> None:
        """See `Bus.remember`."""
        with self._broker.changed:
            self._broker.memories[camera_id] = memory, self._broker.clock.now_ns()

    def lead(self, stream: Stream[Any]) -> tuple[Leadership]:
        """See `Bus.lead`; there is one partition."""
        with self._broker.changed:
            if self._led_by_another(stream):
                return (Leadership.NOT,)
            now_ns = self._broker.clock.now_ns()
            leader = self._broker.leaders.get(stream)
            kept = leader is not None and leader.bus is self and leader.until_ns > now_ns
            if not kept:
                for entry in self._broker.entries[stream].values():
                    entry.holder = None  # the new leader receives everything that is not done
            until_ns = now_ns + round(self._broker.leadership_s * 1e9)
            self._broker.leaders[stream] = _Leader(self, until_ns)
            return (Leadership.KEPT if kept else Leadership.TAKEN,)

    def backlog(self, stream: Stream[Any]) -> Backlog:
        """See `Bus.backlog`."""
        with self._broker.changed:
            entries = self._broker.entries[stream].values()
            pending = sum(entry.holder is not None for entry in entries)
            return Backlog(waiting=len(entries) - pending, pending=pending)

    def dead_letters(self) -> Sequence[DeadLetter]:
        """See `Bus.dead_letters`."""
        with self._broker.changed:
            return [letter for letter, _ in self._broker.letters.values()]

    def count_dead_letters(self) -> int:
        """See `Bus.count_dead_letters`."""
        with self._broker.changed:
            return len(self._broker.letters)

    def purge_dead_letters(self, before_ns: int) -> int:
        """See `Bus.purge_dead_letters`."""
        old = [letter.letter_id for letter in self.dead_letters() if letter.died_at_ns < before_ns]
        return sum(map(self.drop, old))

    def forget_dead_letters(self, mentions: Callable[[Event | bytes], bool]) -> int:
        """See `Bus.forget_dead_letters`."""
        with self._broker.changed:
            found = [letter.letter_id for letter, event in self._broker.letters.values() if mentions(event)]
        return sum(map(self.drop, found))

    def replay(self, letter_id: str) -> bool:
        """See `Bus.replay`."""
        with self._broker.changed:
            found = self._broker.letters.pop(_number(letter_id), None)
            if found is None:
                return False
            letter, event = found
            self._append(letter.stream, event)
            return True

    def drop(self, letter_id: str) -> bool:
        """See `Bus.drop`."""
        with self._broker.changed:
            return self._broker.letters.pop(_number(letter_id), None) is not None

    def _waiting(self, camera_id: CameraId) -> int:
        return sum(entry.event.camera_id == camera_id for entry in self._broker.entries[FRAMES].values())

    def _on_their_way(self, camera_id: CameraId, held: Collection[str]) -> Iterator[int]:
        """Capture times of a camera's events that are on their way, save what is held."""
        return (
            entry.event.captured_at_ns
            for stream in UPSTREAM
            for entry in self._broker.entries[stream].values()
            if entry.event.camera_id == camera_id and entry.event.identity not in held
        )

    def _append(self, stream: Stream[Any], event: Event) -> None:
        self._broker.entries[stream][self._broker.next_id()] = _Entry(event)
        if stream == FRAMES:
            state = self._broker.cameras.get(event.camera_id, CameraState(-1, 0, live=True, ended=False))
            newer = int(event.identity) > state.last_sequence
            self._broker.cameras[event.camera_id] = replace(
                state,
                last_sequence=max(state.last_sequence, int(event.identity)),
                last_captured_at_ns=event.captured_at_ns if newer else state.last_captured_at_ns,
            )
        self._broker.changed.notify_all()

    def _ready(self, stream: Stream[Any]) -> Iterator[tuple[int, _Entry]]:
        """Entries that this consumer may be handed: its own of an earlier life, abandoned ones, new ones."""
        entries = list(self._broker.entries[stream].items())
        idle_before_ns = self._broker.clock.now_ns() - round(self._broker.idle_s * 1e9)
        yield from (e for e in entries if self._is_former_self(e[1].holder))
        yield from (e for e in entries if self._is_idle(e[1], idle_before_ns))
        yield from (e for e in entries if e[1].holder is None)

    def _is_former_self(self, holder: MemoryBus | None) -> bool:
        return holder is not None and holder is not self and holder._consumer == self._consumer  # noqa: SLF001

    def _is_idle(self, entry: _Entry, idle_before_ns: int) -> bool:
        another = entry.holder is not None and entry.holder is not self and not self._is_former_self(entry.holder)
        return another and entry.handed_at_ns <= idle_before_ns

    def _take(self, stream: Stream[EventT], max_messages: int) -> list[Delivery[EventT]]:
        taken: list[Delivery[EventT]] = []
        for number, entry in self._ready(stream):
            if len(taken) >= max_messages:
                break
            entry.holder = self
            entry.handed_at_ns = self._broker.clock.now_ns()
            entry.deliveries += 1
            taken.append(_delivery(stream, number, entry))
        return taken

    def _is_held(self, receipt: Receipt) -> bool:
        """Whether the event is in anybody's hands."""
        entry = self._broker.entries[receipt.stream].get(int(receipt.entry_id))
        return entry is not None and entry.holder is not None

    def _led_by_another(self, stream: Stream[Any]) -> bool:
        leader = self._broker.leaders.get(stream)
        return leader is not None and leader.bus is not self and leader.until_ns > self._broker.clock.now_ns()


def _delivery(stream: Stream[EventT], number: int, entry: _Entry) -> Delivery[EventT]:
    event: Any = entry.event
    receipt = Receipt(stream, str(number), event.camera_id, event.captured_at_ns, event.identity, entry.deliveries)
    return Delivery(receipt, lambda: event)


def _number(letter_id: str) -> int:
    return int(letter_id) if letter_id.isdecimal() else -1
