"""The embedded mode: the stages of the services in one process over the memory bus, a frame at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.frame_clock import SteadyClock
from roadside.adapters.system_clock import SystemClock
from roadside.capture.background import BackgroundWatch
from roadside.core.continuing import TrackPolicy
from roadside.core.events import FrameEvent, PixelPicture
from roadside.core.frames import END_OF_TIME_NS
from roadside.core.moments import Stamp
from roadside.core.reads import PlacedRead
from roadside.core.showing import EvidenceRule
from roadside.core.steady import SteadyTime
from roadside.core.view import View
from roadside.detector.stage import DetectStage
from roadside.kit.timing import TimingMeter
from roadside.ocr.orientation import Lie, LieWatch
from roadside.ocr.stage import ReadStage
from roadside.plates.stage import StoreStage
from roadside.ports.bus import CROPS, FRAMES, READS, SIGHTINGS, Output
from roadside.registry.passages import PassageBuilder
from roadside.registry.stage import GatherStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.background import Background
    from roadside.core.events import SightingEvent
    from roadside.core.frames import Box, CameraId, Detection, Frame
    from roadside.core.reads import Track
    from roadside.kit.timing import Stopwatch
    from roadside.ports.bus import Conclusion, EventT, GivenT_co, Stage, Stream
    from roadside.ports.store import SightingKeeper
    from roadside.ports.vision import Detector, Reader
    from roadside.ports.witness import Witness
    from roadside.registry.judge import Judge
    from roadside.registry.passages import FindKnown

EVERYTHING = View()
MOST_AT_ONCE = 64
STILLS = EvidenceRule(lone_confidence=0.5, least_score=0.0, of_vehicles=False)
"""Of a plate in a single picture to be a sighting: there will be no second look, and nothing moves."""
TIMED = {"inference_seconds": "detect", "reading_seconds": "read", "storing_seconds": "store"}
"""Histograms of the stages, and their names in `roadside run --timings`."""


@dataclass(frozen=True, slots=True)
class FrameReport:
    """What one frame led to."""

    frame: Frame
    reads: tuple[PlacedRead, ...]
    conclusions: tuple[Conclusion[SightingEvent], ...]
    """Of the vehicles that had passed by then; those that were no evident plate are left out."""
    found: tuple[Box, ...] = ()
    """Every plate of the frame, those that are not to be read too."""


@dataclass(frozen=True, slots=True)
class Silence:
    """No frame came for a while."""

    conclusions: tuple[Conclusion[SightingEvent], ...]
    """As of a frame."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the embedded pipeline is made of."""

    detector: Detector
    reader: Reader
    judge: Judge
    store: SightingKeeper
    watch: Stopwatch
    least_confidence: float
    """Reads below it count as nothing read."""
    stills: bool = False
    """Of single pictures: what one of them shows is all that there will be."""
    witness: Witness | None = None
    """The second reader; without one a person confirms each UNPAID."""
    detector_model: str = ""
    reader_model: str = ""
    """The nets, as the evidence names them."""
    find_known: FindKnown = lambda *_: ()
    strips: bool = False
    """Whether the reads of a passage are kept as a film strip."""
    """Tells which known plates a plate may be at a time."""
    view: View = EVERYTHING
    """Which plates are to be read; the frames come turned and masked already."""


class _Noting:
    """A detector that remembers where it found plates last."""

    def __init__(self, inner: Detector) -> None:
        self._inner = inner
        self.boxes: tuple[Box, ...] = ()

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """See `Detector`."""
        found = self._inner.detect(image)
        self.boxes = tuple(each.box for each in found)
        return found


class EmbeddedPipeline:
    """Takes the frames of one camera; not safe to share between threads."""

    def __init__(self, camera_id: CameraId, parts: Parts, *, live: bool) -> None:
        self._camera_id = camera_id
        self._live = live
        self._watch = parts.watch
        clock, meter = SystemClock(), TimingMeter(parts.watch, TIMED)
        rule = STILLS if parts.stills else EvidenceRule()
        self._bus = MemoryBus(MemoryBroker(SteadyClock(clock)))
        self.view = parts.view
        """May be replaced between frames."""
        self._noting = _Noting(parts.detector)
        self._detect = DetectStage(
            self._noting, None, clock, meter, model=parts.detector_model, view_of=lambda _: self.view
        )
        self._lies = None if parts.stills else LieWatch(parts.reader)
        self._read = ReadStage(parts.reader, parts.least_confidence, meter, model=parts.reader_model, watch=self._lies)
        self._gather = GatherStage(
            PassageBuilder(
                parts.judge,
                rule,
                parts.witness,
                view_of=lambda _: self.view,
                find_known=parts.find_known,
                strips=parts.strips,
            ),
            meter,
            TrackPolicy(),
            joins=not parts.stills,
        )
        self._store = StoreStage(parts.store, clock, meter)
        self._steady = SteadyTime()
        self._background = None if parts.stills else BackgroundWatch()
        self._last_ns = 0
        self._bus.set_camera(camera_id, live=live, ended=False)

    @property
    def lie(self) -> Lie:
        """How the pictures lie, as far as is known."""
        return Lie.UPRIGHT if self._lies is None else self._lies.lie(self._camera_id)

    def take(self, frame: Frame) -> FrameReport:
        """Bring one frame through all stages.

        Raises StoreUnavailableError where a sighting cannot be kept, ValueError for a frame of another camera, whose
        vehicles would never be told.
        """
        if frame.camera_id != self._camera_id:
            raise ValueError(f"a frame of camera {frame.camera_id!r}, not of {self._camera_id!r}")
        at_ns, stamp = self._in_order(frame)
        background = self._background_of(frame, at_ns)
        picture = PixelPicture(frame.image)
        event = FrameEvent(frame.camera_id, at_ns, frame.sequence, picture, self._live, stamp, background)
        self._bus.publish(FRAMES, event)
        self._gather.looked_at(self._camera_id, at_ns)
        self._drain(FRAMES, self._detect, CROPS)
        self._drain(CROPS, self._read, READS)
        with self._watch.measure("track"):
            reads = self._collect()
            conclusions = self._gather.advance(self._camera_id, at_ns)
        return FrameReport(frame, reads, self._hand_on(conclusions), self._noting.boxes)

    def skip(self, frame: Frame) -> FrameReport:
        """Time passes, nothing is looked at: a frame in which nothing has moved."""
        with self._watch.measure("track"):
            at_ns, _ = self._in_order(frame)
            self._background_of(frame, at_ns)
            self._gather.looked_at(self._camera_id, at_ns)
            conclusions = self._gather.advance(self._camera_id, at_ns)
        return FrameReport(frame, (), self._hand_on(conclusions))

    def wait(self, silent_ns: int) -> Silence:
        """Time passes, `silent_ns` since the last frame, and none comes: the camera is slow, or gone."""
        conclusions = self._gather.advance(self._camera_id, self._last_ns + silent_ns)
        return Silence(self._hand_on(conclusions))

    def growing(self) -> Sequence[Track]:
        """The vehicles in view as they are known now."""
        return self._gather.growing(self._camera_id)

    def flush(self) -> tuple[Conclusion[SightingEvent], ...]:
        """End every track: the vehicles in view have passed."""
        return self._hand_on(self._gather.advance(self._camera_id, END_OF_TIME_NS))

    def end(self) -> tuple[Conclusion[SightingEvent], ...]:
        """The source is over."""
        self._bus.set_camera(self._camera_id, live=self._live, ended=True)
        return self.flush()

    def _background_of(self, frame: Frame, at_ns: int) -> Background | None:
        return None if self._background is None else self._background.note(frame.image, at_ns)

    def _in_order(self, frame: Frame) -> tuple[int, Stamp | None]:
        """The frame's time among the others, which rises, and its stamp."""
        self._last_ns = at_ns = self._steady.of(frame.captured_at_ns, frame.sequence)
        if at_ns == frame.captured_at_ns:
            return at_ns, frame.stamp
        return at_ns, frame.stamp or Stamp(frame.captured_at_ns)

    def _drain(self, source: Stream[EventT], stage: Stage[EventT, GivenT_co], target: Stream[GivenT_co] | None) -> None:
        """Handle all that waits on `source`; in one process a fault ends the run rather than a message."""
        while deliveries := self._bus.receive(source, max_messages=MOST_AT_ONCE, block_s=0):
            for delivery in deliveries:
                given = stage.handle(delivery.load())
                outputs = [] if target is None else [Output(target, event) for event in given]
                self._bus.commit([delivery.receipt], outputs)

    def _collect(self) -> tuple[PlacedRead, ...]:
        """Hand the reads to the gathering, which holds them; nobody else would take them up after a crash."""
        found: list[PlacedRead] = []
        while deliveries := self._bus.receive(READS, max_messages=MOST_AT_ONCE, block_s=0):
            for delivery in deliveries:
                event = delivery.load()
                self._gather.take(event)
                found.append(PlacedRead(event.crop, event.read))
            self._bus.commit([delivery.receipt for delivery in deliveries])
        return tuple(found)

    def _hand_on(self, conclusions: Sequence[Conclusion[SightingEvent]]) -> tuple[Conclusion[SightingEvent], ...]:
        """Store what was concluded."""
        seen = tuple(conclusion for conclusion in conclusions if conclusion.outputs)
        self._bus.commit([], [Output(SIGHTINGS, event) for conclusion in seen for event in conclusion.outputs])
        self._drain(SIGHTINGS, self._store, None)
        return seen
