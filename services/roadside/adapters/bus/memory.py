"""The bus of one process: what Redis Streams does for a cluster, in plain dictionaries."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic

from roadside.ports.bus import Backlog, CameraState, DeadLetter, Delivery, Leadership, Message, PayloadT, Stream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from roadside.core.frames import CameraId
    from roadside.ports.system import Clock

END_OF_TIME_NS = 2**63 - 1
UPSTREAM = (Stream.FRAMES, Stream.CROPS, Stream.READS)


@dataclass(slots=True)
class _Entry(Generic[PayloadT]):
    """A message that is not done, and in whose hands it is."""

    message: Message[PayloadT]
    holder: MemoryBus[PayloadT] | None = None
    handed_at_ns: int = 0
    deliveries: int = 0


@dataclass(slots=True)
class _Leader(Generic[PayloadT]):
    bus: MemoryBus[PayloadT]
    until_ns: int


@dataclass(slots=True)
class MemoryBroker(Generic[PayloadT]):
    """What the consumers of one process share."""

    clock: Clock
    idle_s: float = 30.0
    """After which a message in the hands of one consumer is handed to another."""
    leadership_s: float = 5.0
    """For which a leader leads after its last call."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    entries: dict[Stream, dict[int, _Entry[PayloadT]]] = field(default_factory=lambda: {s: {} for s in Stream})
    cameras: dict[CameraId, CameraState] = field(default_factory=dict)
    letters: dict[int, tuple[DeadLetter, Message[PayloadT]]] = field(default_factory=dict)
    leaders: dict[Stream, _Leader[PayloadT]] = field(default_factory=dict)
    count: int = 0

    def next_id(self) -> int:
        """A number greater than all before."""
        self.count += 1
        return self.count


class MemoryBus(Generic[PayloadT]):
    """One consumer's connection to a broker; meets `roadside.ports.Bus`.

    A consumer that reconnects under its name takes back what it held.
    """

    def __init__(self, broker: MemoryBroker[PayloadT], consumer: str = "embedded") -> None:
        self._broker = broker
        self._consumer = consumer

    def publish(self, stream: Stream, message: Message[PayloadT], *, limit: int = 0) -> bool:
        """See `Bus.publish`."""
        with self._broker.changed:
            if limit and len(self._broker.entries[stream]) >= limit:
                return False
            self._append(stream, message)
            return True

    def receive(self, stream: Stream, *, max_messages: int, block_s: float) -> Sequence[Delivery[PayloadT]]:
        """See `Bus.receive`."""
        with self._broker.changed:
            taken = self._take(stream, max_messages)
            if not taken and block_s > 0:
                self._broker.changed.wait_for(lambda: next(self._ready(stream), None) is not None, block_s)
                taken = self._take(stream, max_messages)
            return taken

    def commit(
        self,
        done: Sequence[Delivery[PayloadT]],
        outputs: Sequence[tuple[Stream, Message[PayloadT]]] = (),
    ) -> bool:
        """See `Bus.commit`."""
        with self._broker.changed:
            held = [d for d in done if self._entry(d) is not None and not self._led_by_another(d.stream)]
            if done and not held:
                return False
            for delivery in held:
                del self._broker.entries[delivery.stream][int(delivery.entry_id)]
            for stream, message in outputs:
                self._append(stream, message)
            return True

    def release(self, deliveries: Sequence[Delivery[PayloadT]]) -> None:
        """See `Bus.release`."""
        with self._broker.changed:
            for delivery in deliveries:
                entry = self._entry(delivery)
                if entry is not None:
                    entry.holder = None
            self._broker.changed.notify_all()

    def reject(self, delivery: Delivery[PayloadT], reason: str) -> bool:
        """See `Bus.reject`."""
        with self._broker.changed:
            if self._entry(delivery) is None:
                return False
            del self._broker.entries[delivery.stream][int(delivery.entry_id)]
            message = delivery.message
            size = len(message.payload) if isinstance(message.payload, bytes) else 0
            number = self._broker.next_id()
            letter = DeadLetter(
                letter_id=str(number),
                stream=delivery.stream,
                camera_id=message.camera_id,
                identity=message.identity,
                reason=reason,
                died_at_ns=self._broker.clock.now_ns(),
                size_bytes=size,
            )
            self._broker.letters[number] = (letter, message)
            return True

    def horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See `Bus.horizon_ns`."""
        with self._broker.changed:
            state = self._broker.cameras.get(camera_id)
            if state is None:
                return 0
            newest = END_OF_TIME_NS if state.ended else state.last_captured_at_ns
            on_their_way = (
                entry.message.captured_at_ns
                for stream in UPSTREAM
                for entry in self._broker.entries[stream].values()
                if entry.message.camera_id == camera_id and entry.message.identity not in held
            )
            return min(newest, min(on_their_way, default=newest))

    def camera(self, camera_id: CameraId) -> CameraState | None:
        """See `Bus.camera`."""
        with self._broker.changed:
            return self._broker.cameras.get(camera_id)

    def set_camera(self, camera_id: CameraId, *, live: bool, ended: bool) -> None:
        """See `Bus.set_camera`."""
        with self._broker.changed:
            state = self._broker.cameras.get(camera_id, CameraState(-1, 0, live, ended))
            self._broker.cameras[camera_id] = replace(state, live=live, ended=ended)

    def lead(self, stream: Stream) -> Leadership:
        """See `Bus.lead`."""
        with self._broker.changed:
            if self._led_by_another(stream):
                return Leadership.NOT
            now_ns = self._broker.clock.now_ns()
            leader = self._broker.leaders.get(stream)
            kept = leader is not None and leader.bus is self and leader.until_ns > now_ns
            if not kept:
                for entry in self._broker.entries[stream].values():
                    entry.holder = None  # the new leader receives everything that is not done
            until_ns = now_ns + round(self._broker.leadership_s * 1e9)
            self._broker.leaders[stream] = _Leader(self, until_ns)
            return Leadership.KEPT if kept else Leadership.TAKEN

    def backlog(self, stream: Stream) -> Backlog:
        """See `Bus.backlog`."""
        with self._broker.changed:
            entries = self._broker.entries[stream].values()
            pending = sum(entry.holder is not None for entry in entries)
            return Backlog(waiting=len(entries) - pending, pending=pending)

    def dead_letters(self) -> Sequence[DeadLetter]:
        """See `Bus.dead_letters`."""
        with self._broker.changed:
            return [letter for letter, _ in self._broker.letters.values()]

    def replay(self, letter_id: str) -> bool:
        """See `Bus.replay`."""
        with self._broker.changed:
            found = self._broker.letters.pop(_number(letter_id), None)
            if found is None:
                return False
            letter, message = found
            self._append(letter.stream, message)
            return True

    def drop(self, letter_id: str) -> bool:
        """See `Bus.drop`."""
        with self._broker.changed:
            return self._broker.letters.pop(_number(letter_id), None) is not None

    def _append(self, stream: Stream, message: Message[PayloadT]) -> None:
        self._broker.entries[stream][self._broker.next_id()] = _Entry(message)
        if stream is Stream.FRAMES:
            state = self._broker.cameras.get(message.camera_id, CameraState(-1, 0, live=True, ended=False))
            self._broker.cameras[message.camera_id] = replace(
                state,
                last_sequence=max(state.last_sequence, int(message.identity)),
                last_captured_at_ns=max(state.last_captured_at_ns, message.captured_at_ns),
            )
        self._broker.changed.notify_all()

    def _ready(self, stream: Stream) -> Iterator[tuple[int, _Entry[PayloadT]]]:
        """Entries that this consumer may be handed: its own of an earlier life, abandoned ones, new ones."""
        entries = list(self._broker.entries[stream].items())
        idle_before_ns = self._broker.clock.now_ns() - round(self._broker.idle_s * 1e9)
        yield from (e for e in entries if self._is_former_self(e[1].holder))
        yield from (e for e in entries if self._is_idle(e[1], idle_before_ns))
        yield from (e for e in entries if e[1].holder is None)

    def _is_former_self(self, holder: MemoryBus[PayloadT] | None) -> bool:
        return holder is not None and holder is not self and holder._consumer == self._consumer  # noqa: SLF001

    def _is_idle(self, entry: _Entry[PayloadT], idle_before_ns: int) -> bool:
        another = entry.holder is not None and entry.holder is not self and not self._is_former_self(entry.holder)
        return another and entry.handed_at_ns <= idle_before_ns

    def _take(self, stream: Stream, max_messages: int) -> list[Delivery[PayloadT]]:
        taken: list[Delivery[PayloadT]] = []
        for number, entry in self._ready(stream):
            if len(taken) >= max_messages:
                break
            entry.holder = self
            entry.handed_at_ns = self._broker.clock.now_ns()
            entry.deliveries += 1
            taken.append(Delivery(stream, str(number), entry.message, entry.deliveries))
        return taken

    def _entry(self, delivery: Delivery[PayloadT]) -> _Entry[PayloadT] | None:
        """The delivery's entry while it is in anybody's hands."""
        entry = self._broker.entries[delivery.stream].get(int(delivery.entry_id))
        return entry if entry is not None and entry.holder is not None else None

    def _led_by_another(self, stream: Stream) -> bool:
        leader = self._broker.leaders.get(stream)
        return leader is not None and leader.bus is not self and leader.until_ns > self._broker.clock.now_ns()


def _number(letter_id: str) -> int:
    return int(letter_id) if letter_id.isdecimal() else -1
