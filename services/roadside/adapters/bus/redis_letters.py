"""The dead letters of one partition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from roadside.adapters.bus import redis_scripts as scripts
from roadside.adapters.bus.redis_options import GROUP
from roadside.core.frames import CameraId
from roadside.errors import InputError, PoisonError
from roadside.ports.bus import FRAMES, UPSTREAM, DeadLetter, stream_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.adapters.bus.redis_options import RedisOptions
    from roadside.adapters.bus.redis_slot import Slot
    from roadside.core.events import Event
    from roadside.ports.bus import Codec, Delivery, EventT
    from roadside.ports.system import Clock

DEAD_LETTERS_KEPT = 10_000
DEAD_LETTER_BYTES = 24 * 1024 * 1024
"""A larger payload is not kept with its letter: no consumer would take it on replay."""
_PAGE = 100
_LETTER_ID = re.compile(r"\d{1,20}-\d{1,20}")


class Letters:
    """They lie with what is on its way to a sighting, those of frames, too."""

    def __init__(self, ledger: Slot, frames: Slot, options: RedisOptions, codec: Codec, clock: Clock) -> None:
        self._ledger = ledger
        self._frames = frames
        self._options = options
        self._codec = codec
        self._clock = clock

    def reject(self, delivery: Delivery[EventT], reason: str, keep_ms: int, keep: int) -> bool:
        """See `Bus.reject`. Frames of another Redis stay marked as handed over for so long, and at least so many."""
        receipt = delivery.receipt
        slot = self._frames if receipt.stream == FRAMES else self._ledger
        own = [slot.keys.flight(receipt.camera_id)]
        if receipt.stream == FRAMES:
            own += [slot.keys.sizes(receipt.camera_id), slot.keys.since(receipt.camera_id)]
        if slot is self._ledger:
            with slot.translated():
                keys = [*slot.keys.dead, slot.keys.stream(receipt.stream), *own]
                args = [GROUP, receipt.entry_id, receipt.identity, *self._letter(delivery, reason)]
                return bool(slot.run(scripts.REJECT, keys, args, confirmed=True))
        with self._ledger.translated():
            keys = [*self._ledger.keys.dead, self._ledger.keys.handed(receipt.camera_id)]
            args = [keep_ms, keep, receipt.identity, *self._letter(delivery, reason)]
            return bool(self._ledger.run(scripts.BURY, keys, args, confirmed=True))

    def _letter(self, delivery: Delivery[EventT], reason: str) -> list[str | int | bytes]:
        receipt, size = delivery.receipt, len(delivery.payload)
        return [
            receipt.camera_id,
            receipt.captured_at_ns,
            receipt.identity,
            delivery.payload if size <= DEAD_LETTER_BYTES else b"",
            receipt.stream.name,
            reason,
            self._clock.now_ns(),
            size,
            DEAD_LETTERS_KEPT,
            self._options.dead_letter_bytes,
        ]

    def count(self) -> int:
        """How many there are."""
        with self._ledger.translated():
            return int(self._ledger.client.xlen(self._ledger.keys.dead[0]))

    def replay(self, letter_id: str) -> bool:
        """See Bus. Raises InputError for a letter whose payload was too large to be kept."""
        if not _LETTER_ID.fullmatch(letter_id):
            return False
        with self._ledger.translated():
            found = self._ledger.client.xrange(self._ledger.keys.dead[0], letter_id, letter_id)
        if not found:
            return False
        fields = found[0][1]
        if _letter(letter_id, fields) is None:
            return False
        if int(fields[b"n"]) > DEAD_LETTER_BYTES:
            raise InputError(f"dead letter {letter_id} was too large to be kept: it can only be dropped")
        stream, camera_id = stream_named(fields[b"s"].decode()), CameraId(fields[b"c"].decode(errors="replace"))
        if stream == FRAMES and self._frames is not self._ledger:
            return self._replay_frame(letter_id, fields, camera_id)
        at_us = int(fields[b"t"]) // 1000 if stream in UPSTREAM else ""
        keys = [*self._ledger.keys.dead, self._ledger.keys.stream(stream), self._ledger.keys.flight(camera_id)]
        with self._ledger.translated():
            return bool(self._ledger.run(scripts.REPLAY, keys, [letter_id, at_us], confirmed=True))

    def _replay_frame(self, letter_id: str, fields: dict[bytes, bytes], camera_id: CameraId) -> bool:
        """It counts as handed over, and may be once more; the letter goes last, so that nothing is lost."""
        identity, at_ns = fields[b"i"], int(fields[b"t"])
        payload = self._payload(letter_id)
        with self._ledger.translated():
            self._ledger.client.zrem(self._ledger.keys.handed(camera_id), identity)
        keys = [self._frames.keys.stream(FRAMES), self._frames.keys.flight(camera_id)]
        with self._frames.translated():
            self._frames.run(scripts.PUBLISH, keys, [camera_id, at_ns, at_ns // 1000, identity, payload])
        return self.drop(letter_id)

    def drop(self, letter_id: str) -> bool:
        """See Bus."""
        if not _LETTER_ID.fullmatch(letter_id):
            return False
        with self._ledger.translated():
            return bool(self._ledger.run(scripts.DROP, self._ledger.keys.dead, [letter_id]))

    def every(self) -> Iterator[DeadLetter]:
        """All of them, oldest first, by their ids in this partition."""
        after = "-"
        while True:
            with self._ledger.translated():
                entries = self._ledger.client.xrange(self._ledger.keys.dead[0], min=after, count=_PAGE)
            for entry_id, fields in entries:
                if (letter := _letter(entry_id.decode(), fields)) is not None:
                    yield letter
                else:  # somebody else's: nobody could say what it holds, nor whom it tells of
                    self.drop(entry_id.decode())
            if len(entries) < _PAGE:
                return
            after = f"({entries[-1][0].decode()}"

    def content(self, letter: DeadLetter) -> Event | bytes:
        """What a letter holds, its bytes where that is no event."""
        payload = self._payload(letter.letter_id)
        try:
            event: Event = self._codec.decode(letter.stream, payload)
        except PoisonError:
            return payload
        return event

    def _payload(self, letter_id: str) -> bytes:
        with self._ledger.translated():
            for key in self._ledger.keys.dead[1::-1]:  # letters of older versions hold their payload themselves
                found = self._ledger.client.xrange(key, letter_id, letter_id)
                payload: bytes = found[0][1].get(b"p", b"") if found else b""
                if payload:
                    return payload
        return b""


def _letter(letter_id: str, fields: dict[bytes, bytes]) -> DeadLetter | None:
    """The letter of an entry; None where it is none."""
    try:
        return DeadLetter(
            letter_id=letter_id,
            stream=stream_named(fields[b"s"].decode()),
            camera_id=fields[b"c"].decode(errors="replace"),
            identity=fields[b"i"].decode(errors="replace"),
            reason=fields[b"r"].decode(errors="replace"),
            died_at_ns=int(fields[b"d"]),
            size_bytes=int(fields[b"n"]),
        )
    except (KeyError, ValueError):
        return None
