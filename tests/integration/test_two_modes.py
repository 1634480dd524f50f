"""One process and a cluster make the same sightings of the same frames: same stages, and the codec loses nothing."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.embedded import EmbeddedPipeline, Parts
from roadside.assembly.models import open_models
from roadside.assembly.records import open_records
from roadside.assembly.settings import load_settings
from roadside.core.detect import Search
from roadside.core.events import FrameEvent, encode_raw
from roadside.core.frames import END_OF_TIME_NS, CameraId
from roadside.detector.stage import DetectStage
from roadside.kit.timing import Stopwatch, TimingMeter
from roadside.ocr.stage import ReadStage
from roadside.ports.bus import CROPS, FRAMES, READS, SIGHTINGS
from roadside.registry.passages import PassageBuilder
from roadside.registry.stage import GatherStage
from roadside.wire.codec import ProtobufCodec
from roadside.wire.pictures import TravellingPicture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from roadside.assembly.records import Records
    from roadside.core.events import SightingEvent
    from roadside.core.frames import Frame
    from roadside.ports.bus import Stream
    from roadside.ports.vision import Detector, Reader

GATE = CameraId("gate")
CODEC = ProtobufCodec()


def travelled(stream: Stream[Any], event: Any) -> Any:  # noqa: ANN401 - whatever the stream carries
    return CODEC.decode(stream, CODEC.encode(stream, event))


def in_one_process(
    frames: Sequence[Frame], detector: Detector, reader: Reader, records: Records
) -> list[SightingEvent]:
    parts = Parts(detector, reader, records.judge, records.store, Stopwatch(), least_confidence=0.2)
    pipeline = EmbeddedPipeline(GATE, parts, live=False)
    concluded = [c for frame in frames for c in pipeline.take(frame).conclusions]
    return [event for conclusion in (*concluded, *pipeline.end()) for event in conclusion.outputs]


def over_the_network(
    frames: Sequence[Frame], detector: Detector, reader: Reader, records: Records
) -> list[SightingEvent]:
    meter = TimingMeter(Stopwatch(), {})
    detect, read = DetectStage(detector, 5.0, SystemClock(), meter), ReadStage(reader, 0.2, meter)
    gather = GatherStage(PassageBuilder(records.judge), meter)
    for frame in frames:
        picture = TravellingPicture(encode_raw(frame.image))
        event = FrameEvent(GATE, frame.captured_at_ns, frame.sequence, picture, stamp=frame.stamp)
        for crop in detect.handle(travelled(FRAMES, event)):
            for placed in read.handle(travelled(CROPS, crop)):
                gather.take(travelled(READS, placed))
    concluded = gather.advance(GATE, END_OF_TIME_NS)
    return [travelled(SIGHTINGS, event) for conclusion in concluded for event in conclusion.outputs]


def test_both_modes_see_the_same(photographs: Path, tmp_path: Path) -> None:
    source = open_source(str(photographs / "clips/uk_ls15ebc.mp4"), GATE, SystemClock())
    frames = list(itertools.islice(source.frames(), 20, 60))
    settings = load_settings({"db": tmp_path / "r.db", "search": "fast"})
    detector, reader = open_models(settings, search=Search.FAST)
    records = open_records(settings)
    one, other = (way(frames, detector, reader, records) for way in (in_one_process, over_the_network))
    assert [event.sighting.plate.text for event in one if event.sighting.plate is not None] == ["LS15EBC"]
    for mine, theirs in zip(one, other, strict=True):
        assert mine.identity == theirs.identity
        a, b = mine.sighting, theirs.sighting
        assert (a.first_seen_ns, a.last_seen_ns, a.verdict.kind, a.verdict.rule) == (
            *(b.first_seen_ns, b.last_seen_ns),
            *(b.verdict.kind, b.verdict.rule),
        )
        assert a.plate is not None
        assert b.plate is not None
        assert (a.plate.text, a.plate.country, a.plate.looks) == (b.plate.text, b.plate.country, b.plate.looks)
        np.testing.assert_allclose(a.plate.posterior, b.plate.posterior, atol=1e-6)
        assert [(p.kind, p.box, p.data) for p in mine.pictures] == [(p.kind, p.box, p.data) for p in theirs.pictures]
        stored = records.store.get(mine.identity)
        assert stored.verdict.kind is a.verdict.kind
    records.close()
