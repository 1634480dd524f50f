"""One partition of the bus: streams, flight, cameras and dead letters under one hash tag, each hand-over one script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis

from roadside.adapters.bus import redis_scripts as scripts
from roadside.adapters.bus.redis_cameras import Cameras
from roadside.adapters.bus.redis_frames import KeptFrames, Known
from roadside.adapters.bus.redis_letters import Letters
from roadside.adapters.bus.redis_options import GROUP, HANDED_KEPT
from roadside.adapters.bus.redis_reader import Reader, held_for_s
from roadside.adapters.bus.redis_slot import has_forgotten
from roadside.ports.bus import FRAMES, NO_BOUNDS, UPSTREAM, Backlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.bus.redis_options import RedisOptions
    from roadside.adapters.bus.redis_slot import Slot
    from roadside.core.events import Event
    from roadside.core.frames import CameraId
    from roadside.ports.bus import Codec, Delivery, EventT, Output, Receipt, Room, Stream
    from roadside.ports.system import Clock

HANDED_KEPT_S = 120.0
"""For which a frame of another Redis is known to have been handed over, at the least, as are the last HANDED_KEPT."""
_RELEASED = "released"
"""The consumer in whose name released entries wait to be claimed."""
_RELEASED_IDLE_MS = 24 * 3600 * 1000


class Partition:
    """Part of the bus; as safe for threads as the whole is."""

    def __init__(  # noqa: PLR0913, PLR0917 - two places and what every bus is given
        self, number: int, ledger: Slot, frames: Slot, options: RedisOptions, codec: Codec, clock: Clock
    ) -> None:
        """`frames` is `ledger` where frames lie there, too."""
        self.number = number
        self.ledger = ledger
        self.frames = frames
        self.cameras = Cameras(ledger, frames)
        self.letters = Letters(ledger, frames, options, codec, clock)
        self.reader = Reader(number, self.slot, options, codec, self.reject)
        self._options = options
        self._codec = codec
        self._clock = clock
        self._kept = KeptFrames()
        self._handed_ms = round(1000 * max(HANDED_KEPT_S, 4 * options.claim_after_s))
        self._half_done: set[str] = set()
        """Frames whose outputs were handed over, and which are not acknowledged yet."""

    def slot(self, stream: Stream[Any]) -> Slot:
        """Where a stream lies."""
        return self.frames if stream == FRAMES else self.ledger

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Where its streams lie."""
        return (self.ledger, self.frames) if self.cameras.apart else (self.ledger,)

    def publish(self, stream: Stream[EventT], event: EventT, payload: bytes) -> bool:
        """Append what is no frame."""
        keys = [self.ledger.keys.stream(stream), self.ledger.keys.flight(event.camera_id)]
        at_us = event.captured_at_ns // 1000 if stream in UPSTREAM else ""
        args = [event.camera_id, event.captured_at_ns, at_us, event.identity, payload]
        with self.ledger.translated():
            return bool(self.ledger.run(scripts.PUBLISH, keys, args, confirmed=True))

    def publish_frame(self, event: Event, payload: bytes, room: Room) -> bool:
        """Append a frame; in a Redis of their own also those that it forgot and that are not done."""
        apart = self.cameras.apart
        known, oldest = self._offer(event, payload, room, must_be_known=apart and self._kept.any_of(event.camera_id))
        if known is Known.NOT:
            for earlier, earlier_payload in self._kept.of(event.camera_id):
                self._offer(earlier, earlier_payload, NO_BOUNDS, newest=False)
            known, oldest = self._offer(event, payload, NO_BOUNDS)
        if known is Known.NO_ROOM:
            return False
        if apart:
            self._kept.keep(event, payload, oldest)
            self.cameras.note(event.camera_id, event.captured_at_ns, event.identity)
        return True

    def keep(self, camera_id: CameraId, frames: Sequence[tuple[Event, bytes]]) -> None:
        """Have these to send again, as if published here; nothing where frames have no Redis of their own."""
        if self.cameras.apart:
            self._kept.take_up(camera_id, frames)

    def send_again(self) -> None:
        """The same where no frame comes that would tell that they were forgotten."""
        for camera_id, at_ns, sequence in self._kept.newest():
            with self.frames.translated(), self.frames.client.pipeline(transaction=False) as pipeline:
                pipeline.hget(self.frames.keys.camera(camera_id), "sequence")
                pipeline.zrange(self.frames.keys.flight(camera_id), 0, 0)
                known, oldest = pipeline.execute()
            if known is not None:
                self._kept.done(camera_id, int(oldest[0]) if oldest else None, int(known))
                continue
            for event, payload in self._kept.of(camera_id):
                self._offer(event, payload, NO_BOUNDS, newest=False)
            with self.frames.translated():
                self.frames.run(scripts.NOTE_FRAME, [self.frames.keys.camera(camera_id)], [at_ns, sequence])

    def _offer(
        self, event: Event, payload: bytes, room: Room, *, must_be_known: bool = False, newest: bool = True
    ) -> tuple[Known, str]:
        camera_id, keys = event.camera_id, self.frames.keys
        own = [keys.flight(camera_id), keys.camera(camera_id), keys.sizes(camera_id), keys.since(camera_id)]
        args = [camera_id, event.captured_at_ns, event.captured_at_ns // 1000, event.identity, payload]
        bounds = [room.count, room.size_bytes, round(room.age_s * 1000), self._clock.now_ns() // 10**6]
        flags = [int(must_be_known), int(newest)]
        with self.frames.translated():
            code, oldest = self.frames.run(scripts.PUBLISH_FRAME, [keys.stream(FRAMES), *own], [*args, *bounds, *flags])
        return Known(code), (oldest or b"").decode()

    def commit(self, done: Sequence[Receipt], outputs: Sequence[Output[Any]]) -> bool:
        """See Bus; `done` and `outputs` are of this partition."""
        if done and done[0].stream == FRAMES and self.cameras.apart:
            return self._hand_over(done, outputs)
        stream = done[0].stream if done else outputs[0].stream
        committed = self._acknowledge(stream, done, outputs)
        self.reader.put_down(done)
        return committed

    def _acknowledge(
        self, stream: Stream[Any], done: Sequence[Receipt], outputs: Sequence[Output[Any]], *, confirmed: bool = True
    ) -> bool:
        slot = self.slot(stream)
        places = _Places([slot.keys.stream(stream), slot.keys.leader(stream)])
        guarded = self.reader.readings[stream].guarded and done
        args: list[str | int | bytes] = [
            GROUP,
            self._options.consumer if guarded else "",
            int(stream == FRAMES),
            len(done),
        ]
        for receipt in done:
            flight = places.of(slot.keys.flight(receipt.camera_id))
            if stream == FRAMES:
                places.of(slot.keys.sizes(receipt.camera_id))
                places.of(slot.keys.since(receipt.camera_id))
            args += [receipt.entry_id, flight, receipt.identity]
        args += self._given(outputs, places)
        with slot.translated():
            return bool(slot.run(scripts.COMMIT, places.keys, args, confirmed=confirmed))

    def _hand_over(self, done: Sequence[Receipt], outputs: Sequence[Output[Any]]) -> bool:
        """Frames lie in another Redis: first what they came to, and that they were handed over, then they are done.

        Where it ends in between they come again, and what they come to is not appended again.
        """
        camera_id = done[0].camera_id
        ours = [receipt for receipt in done if receipt.entry_id in self._half_done or self._is_ours(receipt)]
        if not ours:
            self.reader.put_down(done)
            return False
        handed = all(receipt.entry_id in self._half_done for receipt in ours)
        if not handed:
            places = _Places([self.ledger.keys.handed(camera_id)])
            identities = [receipt.identity for receipt in ours]
            args = [self._handed_ms, HANDED_KEPT, len(identities), *identities, *self._given(outputs, places)]
            with self.ledger.translated():
                handed = bool(self.ledger.run(scripts.HAND_OVER, places.keys, args, confirmed=True))
            if handed:
                self._half_done |= {receipt.entry_id for receipt in ours}
        self._acknowledge(FRAMES, ours, (), confirmed=False)
        self._half_done -= {receipt.entry_id for receipt in ours}
        self.reader.put_down(done)
        return handed

    def _is_ours(self, receipt: Receipt) -> bool:
        """Whether a frame is in anybody's hands; nobody takes from us what we took a moment ago."""
        if held_for_s(self.reader, receipt) < self._options.claim_after_s / 2:
            return True
        return self.reader.is_held(receipt)

    def _given(self, outputs: Sequence[Output[Any]], places: _Places) -> list[str | int | bytes]:
        args: list[str | int | bytes] = [len(outputs)]
        for output in outputs:
            event = output.event
            args += [
                places.of(self.ledger.keys.stream(output.stream)),
                places.of(self.ledger.keys.flight(event.camera_id)) if output.stream in UPSTREAM else 0,
                event.camera_id,
                event.captured_at_ns,
                event.captured_at_ns // 1000,
                event.identity,
                self._codec.encode(output.stream, event),
            ]
        return args

    def release(self, receipt: Receipt) -> None:
        """See Bus."""
        slot = self.slot(receipt.stream)
        with slot.translated():
            try:
                slot.client.xclaim(
                    slot.keys.stream(receipt.stream),
                    GROUP,
                    _RELEASED,
                    0,
                    [receipt.entry_id],
                    idle=_RELEASED_IDLE_MS,
                    retrycount=receipt.deliveries,
                    justid=True,
                )
            except redis.ResponseError as error:
                if not has_forgotten(error):
                    raise
        self.reader.put_down([receipt])

    def reject(self, delivery: Delivery[EventT], reason: str) -> bool:
        """See Bus; a payload over DEAD_LETTER_BYTES is not kept, and its letter cannot be replayed."""
        receipt = delivery.receipt
        apart = receipt.stream == FRAMES and self.cameras.apart
        rejected = (not apart or self._is_ours(receipt)) and self.letters.reject(
            delivery, reason, self._handed_ms, HANDED_KEPT
        )
        if apart:
            self._acknowledge(FRAMES, [receipt], (), confirmed=False)
        self.reader.put_down([receipt])
        return rejected

    def backlog(self, stream: Stream[Any]) -> Backlog:
        """See Bus."""
        slot = self.slot(stream)
        with slot.translated():
            length = int(slot.client.xlen(slot.keys.stream(stream)))
            try:
                pending = int(slot.client.xpending(slot.keys.stream(stream), GROUP)["pending"])
            except redis.ResponseError as error:  # nobody was handed anything
                if not has_forgotten(error):
                    raise
                pending = 0
        return Backlog(waiting=max(0, length - pending), pending=pending)


class _Places:
    """Keys of a script, which its arguments name by their places."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys

    def of(self, key: str) -> int:
        """From 1 on."""
        if key not in self.keys:
            self.keys.append(key)
        return self.keys.index(key) + 1
