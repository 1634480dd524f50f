"""The reader's step: a crop in, what stands on it out."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.core.events import ReadEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.events import CropEvent
    from roadside.ports.system import Meter
    from roadside.ports.vision import Reader


class ReadStage:
    """Reads plates; a read without a text, or below `least_confidence` (0 to 1), says nothing and ends here."""

    def __init__(self, reader: Reader, least_confidence: float, meter: Meter, *, model: str = "") -> None:
        """`model` names the net in the evidence, by the SHA-256 of its file."""
        self._reader = reader
        self._least_confidence = least_confidence
        self._meter = meter
        self._model = model

    def handle(self, event: CropEvent) -> Sequence[ReadEvent]:
        """See `Stage.handle`."""
        started_s = time.perf_counter()
        read = self._reader.read(event.crop)
        self._meter.observe("reading_seconds", time.perf_counter() - started_s)
        confident = bool(read.text) and read.confidence >= self._least_confidence
        self._meter.count("reads_total", camera=event.camera_id, outcome="confident" if confident else "unsure")
        self._meter.observe("confidence_ratio", read.confidence)
        return [ReadEvent(event.crop, event.frame, replace(read, model=self._model))] if confident else []
