"""The reader's step: a crop in, what stands on it out."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.core.events import ReadEvent
from roadside.ocr.orientation import Lie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.events import CropEvent
    from roadside.core.frames import Crop
    from roadside.core.reads import Read
    from roadside.ocr.orientation import LieWatch
    from roadside.ports.system import Meter
    from roadside.ports.vision import Reader

CONFIDENT = "confident"


class ReadStage:
    """Reads plates; a read without a text, or below `least_confidence` (0 to 1), says nothing and ends here.

    So does a read of a camera whose pictures are found to be mirrored or upside down: it is of nobody's plate.
    """

    def __init__(
        self, reader: Reader, least_confidence: float, meter: Meter, *, model: str = "", watch: LieWatch | None = None
    ) -> None:
        """`model` names the net in the evidence, by the SHA-256 of its file."""
        self._reader = reader
        self._least_confidence = least_confidence
        self._meter = meter
        self._model = model
        self._watch = watch

    def handle(self, event: CropEvent) -> Sequence[ReadEvent]:
        """See `Stage.handle`."""
        started_s = time.perf_counter()
        read = self._reader.read(event.crop)
        self._meter.observe("reading_seconds", time.perf_counter() - started_s)
        outcome = self._outcome(event.crop, read)
        self._meter.count("reads_total", camera=event.camera_id, outcome=outcome)
        self._meter.observe("confidence_ratio", read.confidence)
        confident = outcome == CONFIDENT
        return [ReadEvent(event.crop, event.frame, replace(read, model=self._model))] if confident else []

    def _outcome(self, crop: Crop, read: Read) -> str:
        if self._watch is not None and self._watch.note(crop, read) is not Lie.UPRIGHT:
            return "turned"
        return CONFIDENT if read.text and read.confidence >= self._least_confidence else "unsure"
