"""The embedded mode: every stage in one process over the memory bus, a frame at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from roadside.core.track import EvidenceRule, TrackBuilder, TrackPolicy, fuse_track
from roadside.core.types import PlacedRead, Sighting
from roadside.detector.stage import DetectStage
from roadside.ocr.stage import ReadStage
from roadside.ports import Message, Stream
from roadside.runtime.evidence import EvidenceKeeper
from roadside.wire.events import ReadEvent, frame_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.types import CameraId, Frame, FusedPlate, Picture, Track, Verdict
    from roadside.ports import Bus, Detector, Reader, SightingStore, Stage
    from roadside.runtime.timing import Stopwatch

MOST_AT_ONCE = 64


class Judge(Protocol):
    """Gives verdicts."""

    def judge(self, plate: FusedPlate, passed_at_ns: int) -> Verdict:
        """The verdict on a vehicle that passed at `passed_at_ns`."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A sighting with the track behind it and what was stored of it."""

    sighting: Sighting
    """As seen: with its plate even where only a hash is stored."""
    track: Track
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class FrameReport:
    """What one frame led to."""

    frame: Frame
    reads: tuple[PlacedRead, ...]
    passages: tuple[Passage, ...]
    """Vehicles that had passed by then."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the embedded pipeline is made of."""

    bus: Bus[object]
    detector: Detector
    reader: Reader
    judge: Judge
    store: SightingStore
    watch: Stopwatch
    least_confidence: float
    """Reads below it count as nothing read."""
    track: TrackPolicy
    evidence: EvidenceRule


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
            passages = self._finish(self._tracks.update(frame.captured_at_ns, reads))
        self._evidence.forget_before(frame.captured_at_ns)
        return FrameReport(frame, reads, passages)

    def skip(self, frame: Frame) -> FrameReport:
        """Time passes, nothing is looked at: a frame in which nothing has moved."""
        with self._parts.watch.measure("track"):
            return FrameReport(frame, (), self._finish(self._tracks.update(frame.captured_at_ns, ())))

    def flush(self) -> tuple[Passage, ...]:
        """End every track: the vehicles in view have passed."""
        return self._finish(self._tracks.flush())

    def end(self) -> tuple[Passage, ...]:
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

    def _finish(self, tracks: Sequence[Track]) -> tuple[Passage, ...]:
        found = (self._conclude(track) for track in tracks)
        return tuple(passage for passage in found if passage is not None)

    def _conclude(self, track: Track) -> Passage | None:
        """Fuse, judge and store one track; None where it is no evident plate."""
        fusion = fuse_track(track, self._parts.evidence)
        if fusion is None:
            return None
        last_seen_ns = max(placed.crop.captured_at_ns for placed in track.reads)
        sighting = Sighting(
            sighting_id=sighting_id(track),
            camera_id=track.camera_id,
            track_id=track.track_id,
            first_seen_ns=min(placed.crop.captured_at_ns for placed in track.reads),
            last_seen_ns=last_seen_ns,
            plate=fusion.plate,
            verdict=self._parts.judge.judge(fusion.plate, last_seen_ns),
        )
        keepsake = self._evidence.best(track.reads[fusion.best_index].read.text)
        pictures = keepsake.pictures() if keepsake is not None else ()
        with self._parts.watch.measure("store"):
            self._parts.store.save(sighting, pictures)
        return Passage(sighting, track, pictures)


def sighting_id(track: Track) -> str:
    """The same for the same passage, however often it is handled: 128 bits of a SHA-256, hexadecimal."""
    return hashlib.sha256(f"{track.camera_id}\n{track.track_id}".encode()).hexdigest()[:32]


def _says_something(event: ReadEvent, least_confidence: float) -> bool:
    return bool(event.read.text) and event.read.confidence >= least_confidence
