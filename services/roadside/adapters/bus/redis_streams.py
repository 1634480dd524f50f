"""The bus of a cluster: Redis (or Valkey) Streams with one consumer group each, in one partition or many.

A stream holds exactly what is not done: acknowledged entries are deleted, so its length is the backlog. What a camera
has on its way is kept in a sorted set beside the streams ("flight"), which tells the horizon exactly. All of a camera
lies in one partition, which one hash slot of a Redis cluster holds; so whatever is done to it is one step there, too.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from roadside.adapters.bus.redis_leaders import Leaders
from roadside.adapters.bus.redis_options import GROUP, RedisOptions
from roadside.adapters.bus.redis_partitions import Partitions
from roadside.adapters.bus.redis_report import report
from roadside.adapters.bus.redis_taking import Taking
from roadside.core.partitions import partition_of
from roadside.errors import BusUnavailableError, SettingsError
from roadside.ports.bus import FRAMES, NO_BOUNDS, Backlog, BusMemory, BusReport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from roadside.adapters.bus.redis_partition import Partition
    from roadside.adapters.bus.redis_servers import Servers
    from roadside.adapters.bus.redis_slot import Slot
    from roadside.core.events import Event, FrameEvent
    from roadside.core.frames import CameraId
    from roadside.ports.bus import (
        CameraState,
        Codec,
        DeadLetter,
        Delivery,
        DoneFrames,
        EventT,
        Leadership,
        Output,
        Receipt,
        Room,
        Stream,
    )
    from roadside.ports.system import Clock

__all__ = ["GROUP", "RedisOptions", "RedisStreams"]

_LOOK_AT_MEMORY_EVERY_S = 1.0


class RedisStreams:
    """A Bus over Redis Streams; safe for one consuming thread, and for any number that publish or look."""

    def __init__(self, options: RedisOptions, codec: Codec, clock: Clock) -> None:
        """Connects at the first use. Raises SettingsError for an address that is none."""
        self._options = options
        self._codec = codec
        self._partitions = Partitions(options, codec, clock)
        self._taking = Taking(options.consumer)
        self._leaders: Leaders | None = None
        self._led: set[Stream[Any]] = set()
        self._memory = BusMemory(0, 0)
        self._fullness, self._fullness_looked_s = 0.0, float("-inf")
        self._memory_looked_s = float("-inf")

    def close(self) -> None:
        """Let others lead, and close the connections."""
        if self._leaders is not None:
            self._leaders.leave()
        self._partitions.close()

    def ping(self) -> None:
        """Nothing where Redis answers. Raises BusUnavailableError; SettingsError where it refuses this user."""
        for slot, servers in self._places():
            with slot.translated():
                for client in servers.every():
                    client.ping()
        self._partitions.every()

    def clock_ns(self) -> int:
        """What the clock of Redis says: UTC, in nanoseconds since 1970. Raises as `ping` does."""
        with self._partitions.common.translated():
            seconds, micros = self._partitions.common.client.time()
        return int(seconds) * 10**9 + int(micros) * 1000

    def memory(self) -> BusMemory:
        """How full the fullest server is that holds anything but frames alone. Raises as `ping` does."""
        return self._fullest(self._partitions.common, self._partitions.ledger_servers)

    def frames_memory(self) -> BusMemory:
        """The same of the servers that hold frames. Raises as `ping` does."""
        return self._fullest(self._frames_slot(), self._partitions.frames_servers)

    def unconfirmed(self) -> int:
        """How often replicas did not confirm in time what was handed over."""
        return sum(partition.ledger.unconfirmed for partition in self._partitions.every())

    @property
    def holds_frames_apart(self) -> bool:
        """Whether frames lie in a Redis of their own."""
        return self._partitions.apart

    def publish(self, stream: Stream[EventT], event: EventT, *, room: Room = NO_BOUNDS) -> bool:
        """See Bus; a frame whose sequence number the camera has passed is taken as published already.

        Redis also takes no frame that may be refused once its memory is nearly full. Raises BusFullError where it is.
        """
        payload = self._codec.encode(stream, event)
        partition = self._partitions.of(event.camera_id)
        if stream != FRAMES:
            return partition.publish(stream, event, payload)
        if room != NO_BOUNDS and self._is_nearly_full(len(payload)):
            return False
        return partition.publish_frame(event, payload, room)

    def keep(self, frames: Sequence[FrameEvent]) -> None:
        """See Bus."""
        if frames:
            camera_id = frames[0].camera_id
            encoded = [(event, self._codec.encode(FRAMES, event)) for event in frames]
            self._partitions.of(camera_id).keep(camera_id, encoded)

    def send_again(self) -> None:
        """Frames that were published here, are not done, and are unknown to a Redis of frames that was started anew."""
        if self._partitions.apart:
            for partition in self._partitions.every():
                partition.send_again()

    def receive(self, stream: Stream[EventT], *, max_messages: int, block_s: float) -> Sequence[Delivery[EventT]]:
        """See Bus; of a stream that was ever led, from the partitions that are led."""
        self._go_on_leading()
        partitions = self._partitions.every()
        if stream in self._led and len(partitions) > 1:
            partitions = [each for each in partitions if each.reader.readings[stream].led]
        return self._taking.receive(partitions, stream, max_messages, block_s)

    def commit(self, done: Sequence[Receipt], outputs: Sequence[Output[Any]] = ()) -> bool:
        """See Bus."""
        if not done and not outputs:
            return True
        self._go_on_leading()
        every = self._partitions.every()
        numbers = {receipt.partition for receipt in done}
        numbers |= {partition_of(output.event.camera_id, len(every)) for output in outputs}
        if len(numbers) > 1 and not outputs:  # of several cameras: each partition is a step of its own
            parts = [[receipt for receipt in done if receipt.partition == number] for number in sorted(numbers)]
            committed = [every[part[0].partition].commit(part, ()) for part in parts]
            return any(committed)
        if len(numbers) > 1:
            raise ValueError("what is committed together is of one camera")
        return every[numbers.pop()].commit(done, outputs)

    def release(self, receipts: Sequence[Receipt]) -> None:
        """See Bus."""
        for receipt in receipts:
            self._partitions.every()[receipt.partition].release(receipt)

    def reject(self, delivery: Delivery[EventT], reason: str) -> bool:
        """See Bus; a payload over DEAD_LETTER_BYTES is not kept, and its letter cannot be replayed."""
        return self._partitions.every()[delivery.receipt.partition].reject(delivery, reason)

    def lead(self, stream: Stream[Any]) -> tuple[Leadership, ...]:
        """See Bus."""
        if self._leaders is None:
            self._leaders = Leaders(self._partitions.every(), self._partitions.common, self._options)
        self._partitions.every()
        self._led.add(stream)
        return self._leaders.lead(stream)

    def backlog(self, stream: Stream[Any]) -> Backlog:
        """See Bus."""
        each = [partition.backlog(stream) for partition in self._partitions.every()]
        return Backlog(sum(backlog.waiting for backlog in each), sum(backlog.pending for backlog in each))

    def horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See Bus; rounded down to a microsecond."""
        self._go_on_leading()
        return self._partitions.of(camera_id).cameras.horizon_ns(camera_id, held)

    def is_waited_for(self, camera_id: CameraId, held: Collection[str]) -> bool:
        """See Bus."""
        return self._partitions.of(camera_id).cameras.is_waited_for(camera_id, held)

    def sweep(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See Bus; looks through every stream on the way, so it is for a horizon that stands still."""
        return self._partitions.of(camera_id).cameras.sweep(camera_id, held)

    def repair(self, camera_id: CameraId) -> int:
        """The same of all that is on its way, whatever is waited for; how many were forgotten."""
        return self._partitions.of(camera_id).cameras.repair(camera_id)

    def camera(self, camera_id: CameraId) -> CameraState | None:
        """See Bus."""
        return self._partitions.of(camera_id).cameras.camera(camera_id)

    def done_frames(self, camera_id: CameraId) -> DoneFrames | None:
        """See Bus."""
        return self._partitions.of(camera_id).cameras.done_frames(camera_id)

    def set_camera(self, camera_id: CameraId, *, live: bool, ended: bool) -> None:
        """See Bus."""
        self._partitions.of(camera_id).cameras.set_camera(camera_id, live=live, ended=ended)

    def remembered(self, camera_id: CameraId) -> bytes:
        """See Bus."""
        return self._partitions.of(camera_id).cameras.remembered(camera_id)

    def remember(self, camera_id: CameraId, memory: bytes) -> None:
        """See Bus."""
        self._partitions.of(camera_id).cameras.remember(camera_id, memory)

    def report(self) -> BusReport:
        """What there is of streams and cameras, for a person. Raises as `ping` does."""
        frames = self.frames_memory() if self.holds_frames_apart else None
        return report(self._partitions.every(), self.memory(), frames)

    def dead_letters(self) -> Sequence[DeadLetter]:
        """See Bus."""
        return [letter for _, letter in self._letters()]

    def count_dead_letters(self) -> int:
        """See Bus."""
        return sum(partition.letters.count() for partition in self._partitions.every())

    def replay(self, letter_id: str) -> bool:
        """See Bus. Raises InputError for a letter whose payload was too large to be kept."""
        found = self._letter(letter_id)
        return found is not None and found[0].letters.replay(found[1])

    def drop(self, letter_id: str) -> bool:
        """See Bus."""
        found = self._letter(letter_id)
        return found is not None and found[0].letters.drop(found[1])

    def purge_dead_letters(self, before_ns: int) -> int:
        """See Bus."""
        old = [letter.letter_id for letter in self.dead_letters() if letter.died_at_ns < before_ns]
        return sum(map(self.drop, old))

    def forget_dead_letters(self, mentions: Callable[[Event | bytes], bool]) -> int:
        """See Bus; one payload at a time is in memory."""
        return sum(self.drop(letter.letter_id) for content, letter in self._contents() if mentions(content))

    def _go_on_leading(self) -> None:
        if self._leaders is not None:
            self._leaders.renew()

    def _letters(self) -> list[tuple[Partition, DeadLetter]]:
        """All of them, oldest first; ids bear the partition where there are several."""
        every = self._partitions.every()
        found = [
            (each, replace(letter, letter_id=f"{each.number}:{letter.letter_id}") if len(every) > 1 else letter)
            for each in every
            for letter in each.letters.every()
        ]
        return sorted(found, key=lambda pair: pair[1].died_at_ns) if len(every) > 1 else found

    def _contents(self) -> Iterator[tuple[Event | bytes, DeadLetter]]:
        for partition, letter in self._letters():
            own = replace(letter, letter_id=letter.letter_id.rpartition(":")[2])
            yield partition.letters.content(own), letter

    def _letter(self, letter_id: str) -> tuple[Partition, str] | None:
        """Where a letter of that id would lie, and its id there."""
        every = self._partitions.every()
        number, colon, own = letter_id.rpartition(":")
        if len(every) == 1:
            return None if colon else (every[0], own)
        return (every[int(number)], own) if number.isdecimal() and int(number) < len(every) else None

    def _places(self) -> Iterator[tuple[Slot, Servers]]:
        yield self._partitions.common, self._partitions.ledger_servers
        if self._partitions.apart:
            yield self._frames_slot(), self._partitions.frames_servers

    def _frames_slot(self) -> Slot:
        return self._partitions.every()[0].frames

    def _fullest(self, slot: Slot, servers: Servers) -> BusMemory:
        """Of those that answer. Raises BusUnavailableError where none does."""
        with slot.translated():
            clients = servers.every()
        found: list[dict[str, Any]] = []
        fault: BusUnavailableError | None = None
        for client in clients:
            try:
                with slot.translated():
                    found.append(client.info("memory"))
            except BusUnavailableError as error:
                fault = error
        if fault is not None and not found:
            raise fault
        each = [BusMemory(int(one["used_memory"]), int(one.get("maxmemory", 0))) for one in found]
        return max(each, key=lambda memory: (memory.share, memory.used_bytes))

    def is_nearly_full(self) -> bool:
        """Whether a recording waits for room, as of the last second: a Redis is as full as frames are shed from on.

        Raises BusUnavailableError.
        """
        now_s = time.monotonic()
        if now_s - self._fullness_looked_s > _LOOK_AT_MEMORY_EVERY_S:
            self._fullness = self._greatest_share()
            self._fullness_looked_s = now_s
        return self._fullness >= self._options.shed_frames_at

    def _greatest_share(self) -> float:
        try:
            used = [self.memory(), *([self.frames_memory()] if self.holds_frames_apart else [])]
        except SettingsError:  # a user of an older version, without the right to ask
            return 0.0
        return max(memory.share for memory in used)

    def _is_nearly_full(self, payload_bytes: int) -> bool:
        """Whether a frame is to be shed, as of the last second and with what was published since."""
        now_s, known = time.monotonic(), self._memory
        if now_s - self._memory_looked_s > _LOOK_AT_MEMORY_EVERY_S:
            self._memory_looked_s = now_s
            try:
                known = self.frames_memory()
            except SettingsError:  # a user of an older version, without the right to ask
                known = BusMemory(0, 0)
        self._memory = BusMemory(known.used_bytes + payload_bytes, known.limit_bytes)
        return self._memory.share >= self._options.shed_frames_at
