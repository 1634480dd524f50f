"""The clips: one car that must be seen once, and a road on which no plate can be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.evaluate.report import Section, Table, milliseconds
from roadside.adapters.corner_finder import PlateFinder
from roadside.adapters.tflite import TfliteReader
from roadside.core.detect import crop_plate
from roadside.core.track import EvidenceRule, TrackBuilder, TrackPolicy, fuse_track
from roadside.core.types import CameraId, Frame, PlacedRead
from roadside.errors import ModelError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from models.evaluate.settings import Sources
    from roadside.core.types import FusedPlate, Track
    from roadside.ports import Detector, Reader

CLIPS = {"uk_ls15ebc.mp4": "LS15EBC, once", "us_highway_no_plates.mp4": "none"}
LEAST_CONFIDENCE = 0.05


def evaluate(sources: Sources) -> Section:
    """The sightings of each clip, with the tracks and the evidence rule of the pipeline."""
    if not sources.detectors or not sources.readers:
        raise ModelError("no detector or no reader to evaluate")
    detector, reader = PlateFinder(sources.detectors[0], 1), TfliteReader(sources.readers[0], 1)
    rows = []
    for name, wanted in CLIPS.items():
        elapsed_ms: list[float] = []
        plates = _sightings(sources.data / "clips" / name, detector, reader, elapsed_ms)
        said = ", ".join(f"{p.text} ({p.confidence:.2f}, {p.looks} frames)" for p in plates) or "none"
        rows.append((name, wanted, said, str(len(elapsed_ms)), milliseconds(float(np.median(elapsed_ms)))))
    columns = ("clip", "wanted", "sightings", "frames", "ms a frame")
    note = "Detection, reading and tracking of every frame in 1 thread; decoding not counted."
    return Section("clips", "Clips", (Table("Sightings", columns, tuple(rows), note),))


def _sightings(path: Path, detector: Detector, reader: Reader, elapsed_ms: list[float]) -> list[FusedPlate]:
    builder, rule = TrackBuilder(CameraId("clip"), TrackPolicy()), EvidenceRule()
    tracks: list[Track] = []
    for frame in _frames(path):
        started = time.perf_counter()
        crops = [crop_plate(frame, d) for d in detector.detect(frame.image)]
        reads = [PlacedRead(c, reader.read(c)) for c in crops]
        sure = [p for p in reads if p.read.text and p.read.confidence >= LEAST_CONFIDENCE]
        tracks += builder.update(frame.captured_at_ns, sure)
        elapsed_ms.append(1e3 * (time.perf_counter() - started))
    tracks += builder.flush()
    fusions = [fuse_track(track, rule) for track in tracks]
    return [fusion.plate for fusion in fusions if fusion is not None]


def _frames(path: Path) -> Iterator[Frame]:
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise SourceError(f"{path} cannot be opened")
    pace = capture.get(cv2.CAP_PROP_FPS) or 25.0
    sequence = 0
    while True:
        read, image = capture.read()
        if not read:
            break
        yield Frame(CameraId("clip"), round(sequence / pace * 1e9), sequence, np.asarray(image, np.uint8))
        sequence += 1
    capture.release()
