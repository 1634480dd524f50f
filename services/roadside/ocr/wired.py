"""The reader's step over a network: crops as bytes in, reads as bytes out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from roadside.core.events import ReadEvent
from roadside.ports.bus import Message
from roadside.wire.codec import decode_crop, encode_read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.ports.bus import Stage, Stream
    from roadside.ports.system import Meter


class WiredReadStage:
    """Decodes a crop and has `stage` read it."""

    def __init__(self, stage: Stage[object], least_confidence: float, meter: Meter) -> None:
        self._stage = stage
        self._least_confidence = least_confidence
        self._meter = meter

    def handle(self, message: Message[bytes]) -> Sequence[tuple[Stream, Message[bytes]]]:
        """See `Stage.handle`; a read below the least confidence says nothing and ends here."""
        crop: object = decode_crop(message.payload)
        started_s = time.perf_counter()
        found = self._stage.handle(Message(message.camera_id, message.captured_at_ns, message.identity, crop))
        self._meter.observe("reading_seconds", time.perf_counter() - started_s)
        outputs: list[tuple[Stream, Message[bytes]]] = []
        for stream, output in found:
            event = output.payload
            if not isinstance(event, ReadEvent):
                continue
            confident = bool(event.read.text) and event.read.confidence >= self._least_confidence
            outcome = "confident" if confident else "unsure"
            self._meter.count("reads_total", camera=output.camera_id, outcome=outcome)
            self._meter.observe("confidence_ratio", event.read.confidence)
            if not confident:
                continue
            payload = encode_read(event)
            outputs.append((stream, Message(output.camera_id, output.captured_at_ns, output.identity, payload)))
        return outputs
