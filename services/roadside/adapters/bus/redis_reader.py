"""What one consumer takes off the streams of one partition, and has in hand."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import redis

from roadside.adapters.bus.redis_options import GROUP
from roadside.adapters.bus.redis_scripts import GROUP as MAKE_GROUP
from roadside.adapters.bus.redis_slot import has_forgotten
from roadside.core.frames import CameraId
from roadside.errors import PoisonError
from roadside.ports.bus import FRAMES, STREAMS, Delivery, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from roadside.adapters.bus.redis_options import RedisOptions
    from roadside.adapters.bus.redis_slot import Slot
    from roadside.ports.bus import Codec, EventT, Stream

PAGE = 100


@dataclass(slots=True)
class Reading:
    """Where this consumer stands on one stream."""

    in_hand: dict[str, float] = field(default_factory=dict)
    """Entries, and since when (of a clock that nobody sets)."""
    recover_from: str | None = "0"
    """Own entries after this one are still to be taken up again; None once all are."""
    take_all: bool = False
    """Leadership is fresh: everything pending is ours, whoever held it."""
    claimed_at_s: float = 0.0
    guarded: bool = False
    """Only who leads may acknowledge; true from the first call that would lead."""
    led: bool = False
    grouped_at: int = -1
    """Failures of the slot when the group was last known to be there."""
    failures: int = 0
    """Those of the slot, up to which this is known to hold."""


class Reader:
    """Meets what `Bus.receive` promises, for the streams of one partition."""

    def __init__(
        self,
        number: int,
        slots: Callable[[Stream[Any]], Slot],
        options: RedisOptions,
        codec: Codec,
        reject: Callable[[Delivery[Any], str], bool],
    ) -> None:
        """`reject` is told of entries that are no message."""
        self.number = number
        self._slots = slots
        self._options = options
        self._codec = codec
        self._reject = reject
        self.readings: dict[Stream[Any], Reading] = {stream: Reading() for stream in STREAMS}

    def key(self, stream: Stream[Any]) -> str:
        """Of the stream in Redis."""
        return self._slots(stream).keys.stream(stream)

    def old(self, stream: Stream[EventT], count: int) -> list[Delivery[EventT]]:
        """What this consumer held before, and what others have held for too long. Raises BusUnavailableError."""
        reading, slot = self.readings[stream], self._slots(stream)
        if reading.failures != slot.failures:
            # An answer may have been lost on its way, or another server answers: what it held is ours already.
            reading.failures, reading.recover_from = slot.failures, "0"
        with slot.translated():
            self.ensure_group(stream)
            taken = self._recovered(stream, reading, count)
            if len(taken) < count:
                taken += self._claimed(stream, reading, count - len(taken))
            return taken

    def fresh(self, stream: Stream[EventT], count: int, block_s: float) -> list[Delivery[EventT]]:
        """What nobody was handed yet; waits for it. Raises BusUnavailableError."""
        slot = self._slots(stream)
        with slot.translated():
            answer = slot.client.xreadgroup(
                GROUP,
                self._options.consumer,
                {self.key(stream): ">"},
                count=count,
                block=max(1, int(block_s * 1000)),
            )
            return self.taken(stream, answer)

    def taken(self, stream: Stream[EventT], answer: Any) -> list[Delivery[EventT]]:  # noqa: ANN401 - redis-py's is a union
        """Deliveries of an answer to XREADGROUP."""
        in_hand, now_s = self.readings[stream].in_hand, time.monotonic()
        deliveries: list[Delivery[EventT]] = []
        for entry_id, fields in answer[0][1] if answer else []:
            in_hand[entry_id.decode()] = now_s
            deliveries += self._delivery(stream, entry_id.decode(), fields, 1)
        return deliveries

    def put_down(self, receipts: Sequence[Receipt]) -> None:
        """These are not in hand any more."""
        for receipt in receipts:
            self.readings[receipt.stream].in_hand.pop(receipt.entry_id, None)

    def ensure_group(self, stream: Stream[Any]) -> None:
        """Make the stream and its group where there is none; within `Slot.translated`."""
        reading, slot = self.readings[stream], self._slots(stream)
        failures = slot.failures
        if reading.grouped_at != failures:
            slot.run(MAKE_GROUP, [self.key(stream)], [GROUP])
            reading.grouped_at = failures

    def is_held(self, receipt: Receipt) -> bool:
        """Whether an entry is in anybody's hands, as Redis says. Raises BusUnavailableError."""
        slot, entry_id = self._slots(receipt.stream), receipt.entry_id
        with slot.translated():
            try:
                key = self.key(receipt.stream)
                return bool(slot.client.xpending_range(key, GROUP, min=entry_id, max=entry_id, count=1))
            except redis.ResponseError as error:
                if has_forgotten(error):
                    return False
                raise

    def _recovered(self, stream: Stream[EventT], reading: Reading, count: int) -> list[Delivery[EventT]]:
        """What this consumer held before it died or lost an answer, without what it has in hand."""
        client = self._slots(stream).client
        while reading.recover_from is not None:
            start = {self.key(stream): reading.recover_from}
            answer = client.xreadgroup(GROUP, self._options.consumer, start, count=count)
            entries = answer[0][1] if answer else []
            if not entries:
                reading.recover_from = None
                break
            reading.recover_from = entries[-1][0].decode()
            if deliveries := self._taken_up(stream, reading, entries):
                return deliveries
        return []

    def _claimed(self, stream: Stream[EventT], reading: Reading, count: int) -> list[Delivery[EventT]]:
        """What others have held for too long; of a stream that we lead, everything that others held."""
        if reading.led and not reading.take_all:
            return []
        now_s = time.monotonic()
        if not reading.take_all and now_s - reading.claimed_at_s < self._options.claim_every_s:
            return []
        client = self._slots(stream).client
        idle_ms = 0 if reading.take_all else int(self._options.claim_after_s * 1000)
        cursor: str | bytes = "0-0"
        while True:
            answer = client.xautoclaim(
                self.key(stream), GROUP, self._options.consumer, idle_ms, cursor, count=max(count, 1)
            )
            cursor, entries = answer[0], answer[1]
            if deliveries := self._taken_up(stream, reading, entries):
                return deliveries
            if cursor in (b"0-0", "0-0"):
                reading.take_all = False
                reading.claimed_at_s = now_s
                return []

    def _taken_up(
        self, stream: Stream[EventT], reading: Reading, entries: Sequence[tuple[bytes, dict[bytes, bytes] | None]]
    ) -> list[Delivery[EventT]]:
        """Old entries as deliveries, with how often they were handed out; those in hand are left out."""
        wanted = [(entry_id.decode(), fields) for entry_id, fields in entries]
        wanted = [(entry_id, fields) for entry_id, fields in wanted if entry_id not in reading.in_hand]
        if not wanted:
            return []
        client = self._slots(stream).client
        pending = client.xpending_range(
            self.key(stream), GROUP, min=wanted[0][0], max=wanted[-1][0], count=max(PAGE, len(entries))
        )
        counts = {entry["message_id"].decode(): int(entry["times_delivered"]) for entry in pending}
        deliveries: list[Delivery[EventT]] = []
        for entry_id, fields in wanted:
            if not fields:  # deleted by hand while it was pending
                client.xack(self.key(stream), GROUP, entry_id)
                continue
            reading.in_hand[entry_id] = time.monotonic()
            deliveries += self._delivery(stream, entry_id, fields, counts.get(entry_id, 1))
        return deliveries

    def _delivery(
        self, stream: Stream[EventT], entry_id: str, fields: dict[bytes, bytes], count: int
    ) -> Iterator[Delivery[EventT]]:
        """The entry as a delivery; none, but a dead letter, where it is no message of ours."""
        try:
            camera_id, at_ns, identity = CameraId(fields[b"c"].decode()), int(fields[b"t"]), fields[b"i"].decode()
            payload = fields[b"p"]
        except (KeyError, ValueError):
            whole = b" ".join(key + b"=" + value for key, value in fields.items())
            broken = Receipt(stream, entry_id, CameraId("?"), 0, entry_id, count, self.number)
            self._reject(Delivery(broken, partial(self._codec.decode, stream, whole), whole), "not a message")
            return
        receipt = Receipt(stream, entry_id, camera_id, at_ns, identity, count, self.number)
        yield Delivery(receipt, partial(self._loaded, receipt, payload), payload)

    def _loaded(self, receipt: Receipt, payload: bytes) -> Any:  # noqa: ANN401 - an event of the receipt's stream
        """The event. Raises PoisonError for one of another camera than it came as: its partition is another."""
        event = self._codec.decode(receipt.stream, payload)
        if event.camera_id != receipt.camera_id:
            raise PoisonError("it is of another camera than its entry says")
        return event


def held_for_s(reader: Reader, receipt: Receipt) -> float:
    """For how long a frame has been in this consumer's hands; endless where it is not known to be."""
    since_s = reader.readings[FRAMES].in_hand.get(receipt.entry_id)
    return float("inf") if since_s is None else time.monotonic() - since_s
