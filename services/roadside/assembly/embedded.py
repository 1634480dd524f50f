"""The embedded mode: every stage in one process over the memory bus, a frame at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.events import ReadEvent, frame_identity
from roadside.core.reads import PlacedRead
from roadside.core.track import TrackBuilder
from roadside.detector.stage import DetectStage
from roadside.ocr.stage import ReadStage
from roadside.ports.bus import Message, Stream
from roadside.registry.evidence import EvidenceKeeper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.frames import CameraId, Frame
    from roadside.core.reads import Track
    from roadside.core.sightings import Sighting
    from roadside.core.track import TrackPolicy
    from roadside.kit.timing import Stopwatch
    from roadside.ports.bus import Bus, Stage
    from roadside.ports.store import SightingStore
    from roadside.ports.vision import Detector, Reader
    from roadside.registry.passages import PassageBuilder

MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A vehicle that has passed, and the track behind it."""

    sighting: Sighting
    """As seen: with its plate even where only a hash is stored."""
    track: Track


@dataclass(frozen=True, slots=True)
class FrameReport:
    """What one frame led to."""

    frame: Frame
    reads: tuple[PlacedRead, ...]
    conclusions: tuple[Conclusion, ...]
    """Vehicles that had passed by then."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the embedded pipeline is made of."""

    bus: Bus[object]
    detector: Detector
    reader: Reader
    passages: PassageBuilder
    store: SightingStore
    watch: Stopwatch
    least_confidence: float
    """Reads below it count as nothing read."""
    track: TrackPolicy


class EmbeddedPipeline:
    """Takes the frames of one camera; not safe to share between threads."""

    def __init__(self, camera_id: CameraId, parts: Parts, *, live: bool) -> None:
        self._parts = parts
        self._camera_id = camera_id
        self._live = live
        self._tracks = TrackBuilder(camera_id, parts.track)
        self._evidence = EvidenceKeeper()
        parts.bus.set_camera(camera_id, live=live, ended=False)

    def take(self, frame: Frame) -> FrameReport:
        """Bring one frame through all stages. Raises StoreUnavailableError where a sighting cannot be kept."""
        parts = self._parts
        message: Message[object] = Message(frame.camera_id, frame.captured_at_ns, frame_identity(frame.sequence), frame)
        parts.bus.publish(Stream.FRAMES, message)
        self._drain(Stream.FRAMES, DetectStage(parts.detector), "detect")
        self._drain(Stream.CROPS, ReadStage(parts.reader), "read")
        reads = self._collect()
        for placed in reads:
            self._evidence.offer(frame, placed)
        with parts.watch.measure("track"):
            conclusions = self._finish(self._tracks.update(frame.captured_at_ns, reads))
        self._evidence.forget_before(frame.captured_at_ns)
        return FrameReport(frame, reads, conclusions)

    def skip(self, frame: Frame) -> FrameReport:
        """Time passes, nothing is looked at: a frame in which nothing has moved."""
        with self._parts.watch.measure("track"):
            return FrameReport(frame, (), self._finish(self._tracks.update(frame.captured_at_ns, ())))

    def flush(self) -> tuple[Conclusion, ...]:
        """End every track: the vehicles in view have passed."""
        return self._finish(self._tracks.flush())

    def end(self) -> tuple[Conclusion, ...]:
        """The source is over."""
        self._parts.bus.set_camera(self._camera_id, live=self._live, ended=True)
        return self.flush()

    def _drain(self, stream: Stream, stage: Stage[object], name: str) -> None:
        """Handle all that waits on `stream`; in one process a fault ends the run rather than a message."""
        bus = self._parts.bus
        while deliveries := bus.receive(stream, max_messages=MOST_AT_ONCE, block_s=0):
            for delivery in deliveries:
                with self._parts.watch.measure(name):
                    outputs = stage.handle(delivery.message)
                bus.commit([delivery], outputs)

    def _collect(self) -> tuple[PlacedRead, ...]:
        """The reads that say something."""
        bus = self._parts.bus
        found: list[PlacedRead] = []
        while deliveries := bus.receive(Stream.READS, max_messages=MOST_AT_ONCE, block_s=0):
            for delivery in deliveries:
                event = delivery.message.payload
                if isinstance(event, ReadEvent) and _says_something(event, self._parts.least_confidence):
                    found.append(PlacedRead(event.crop, event.read))
            bus.commit(deliveries)
        return tuple(found)

    def _finish(self, tracks: Sequence[Track]) -> tuple[Conclusion, ...]:
        found = (self._conclude(track) for track in tracks)
        return tuple(conclusion for conclusion in found if conclusion is not None)

    def _conclude(self, track: Track) -> Conclusion | None:
        """Fuse, judge and store one track; None where it is no evident plate."""
        passage = self._parts.passages.passage(track, self._evidence.frame_of)
        if passage is None:
            return None
        with self._parts.watch.measure("store"):
            self._parts.store.save(passage.sighting, passage.pictures)
        return Conclusion(passage.sighting, track)


def _says_something(event: ReadEvent, least_confidence: float) -> bool:
    return bool(event.read.text) and event.read.confidence >= least_confidence
