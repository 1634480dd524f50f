"""The detector's step: a decoded frame in, the crops of its plates out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.detect import crop_plate
from roadside.core.events import CropEvent, crop_identity
from roadside.core.frames import Frame
from roadside.errors import PoisonError
from roadside.ports.bus import Message, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.ports.vision import Detector


class DetectStage:
    """Finds plates; a `Frame` becomes a `CropEvent` a plate, without the frame for evidence."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def handle(self, message: Message[object]) -> Sequence[tuple[Stream, Message[object]]]:
        """See `Stage.handle`."""
        frame = message.payload
        if not isinstance(frame, Frame):
            raise PoisonError(f"the detector takes frames, not {type(frame).__name__}")
        crops = [crop_plate(frame, detection) for detection in self._detector.detect(frame.image)]
        return [
            (
                Stream.CROPS,
                Message(crop.camera_id, crop.captured_at_ns, crop_identity(crop), CropEvent(crop, None)),
            )
            for crop in crops
        ]
