"""The detector's step over a network: frames as bytes in, crops as bytes out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from roadside.core.events import CropEvent, PictureEncoding
from roadside.core.frames import Frame
from roadside.ports.bus import Message, Stream
from roadside.wire.codec import decode_frame, encode_crop
from roadside.wire.pictures import decode_picture, encode_jpeg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.ports.bus import Stage
    from roadside.ports.system import Clock, Meter

LEAST_SIDE_PX = 16
"""A plate that can be read is wider than that."""
EVIDENCE_QUALITY = 90


class WiredDetectStage:
    """Decodes a frame, has `stage` find its plates, and sends each with the frame for the evidence.

    A live camera's frame that is older than `max_age_s` is dropped and counted: the present matters more.
    """

    def __init__(self, stage: Stage[object], max_age_s: float, clock: Clock, meter: Meter) -> None:
        self._stage = stage
        self._max_age_ns = round(max_age_s * 1e9)
        self._clock = clock
        self._meter = meter

    def handle(self, message: Message[bytes]) -> Sequence[tuple[Stream, Message[bytes]]]:
        """See `Stage.handle`."""
        event = decode_frame(message.payload)
        self._meter.count("frames_dropped_total", 0, camera=event.camera_id, reason="late")
        if event.live and self._clock.now_ns() - event.captured_at_ns > self._max_age_ns:
            self._meter.count("frames_dropped_total", camera=event.camera_id, reason="late")
            return ()
        started_s = time.perf_counter()
        image = decode_picture(event.picture, min_side_px=LEAST_SIDE_PX)
        decoded_s = time.perf_counter()
        frame: object = Frame(event.camera_id, event.captured_at_ns, event.sequence, image)
        found = self._stage.handle(Message(event.camera_id, event.captured_at_ns, message.identity, frame))
        self._meter.observe("decoding_seconds", decoded_s - started_s)
        self._meter.observe("inference_seconds", time.perf_counter() - decoded_s)
        self._meter.count("frames_total", camera=event.camera_id)
        self._meter.count("plates_total", len(found), camera=event.camera_id)
        if not found:
            return ()
        frame_picture = event.picture
        if frame_picture.encoding is PictureEncoding.BGR:
            frame_picture = encode_jpeg(image, EVIDENCE_QUALITY)
        return [
            (
                stream,
                Message(
                    output.camera_id,
                    output.captured_at_ns,
                    output.identity,
                    encode_crop(CropEvent(output.payload.crop, frame_picture)),
                ),
            )
            for stream, output in found
            if isinstance(output.payload, CropEvent)
        ]
