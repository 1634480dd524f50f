"""The registry's step: reads are gathered into tracks, a track that has ended is fused and judged: a sighting.

A read is let go only with its track. So whoever takes over after a crash is handed every read of the tracks that
were open, builds the same tracks of them, and gives the same sightings.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

from roadside.core.continuing import TrackPolicy
from roadside.core.events import SightingEvent
from roadside.core.frames import END_OF_TIME_NS
from roadside.core.moments import Stamp
from roadside.core.passed import PassedVehicles
from roadside.core.reads import PlacedRead
from roadside.core.sightings import VerdictKind
from roadside.core.standing import StandingTexts
from roadside.core.steady import SteadyTime
from roadside.core.track import TrackBuilder, capture_order
from roadside.kit.logs import fields
from roadside.ports.bus import Conclusion
from roadside.registry import memory
from roadside.registry.evidence import EvidenceFrames

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from roadside.core.events import ReadEvent
    from roadside.core.frames import CameraId, Crop
    from roadside.core.reads import Track
    from roadside.ports.system import Meter
    from roadside.registry.passages import Passage, PassageBuilder

_log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What a track that has ended came to."""

    SIGHTING = "sighting"
    TOO_LITTLE = "too little"
    SAME_VEHICLE = "same vehicle"
    """It was told of already, and has not left."""
    FIXTURE = "fixture"
    """It never moved: a sign, an advert, a camera's text, a parked car, or a part of one of them."""


@dataclass(slots=True)
class _Camera:
    """What is known of the vehicles before one camera."""

    builder: TrackBuilder
    steady: SteadyTime = field(default_factory=SteadyTime)
    evidence: EvidenceFrames = field(default_factory=EvidenceFrames)
    passed: PassedVehicles = field(default_factory=PassedVehicles)
    standing: StandingTexts = field(default_factory=StandingTexts)
    held: set[str] = field(default_factory=set)
    """Identities of every read that is not let go."""
    waiting: list[PlacedRead] = field(default_factory=list)
    """Those that an older one may still overtake."""
    passed_ns: int = 0
    """What is older than this is late."""


class GatherStage:
    """Meets `HoldingStage`: takes reads, gives sightings. Not safe to share between threads."""

    def __init__(
        self, passages: PassageBuilder, meter: Meter, policy: TrackPolicy | None = None, *, joins: bool = True
    ) -> None:
        """Without `joins`, as for single pictures, a vehicle that is seen again is told of again."""
        self._passages = passages
        self._joins = joins
        self._meter = meter
        self._policy = policy or TrackPolicy()
        self._cameras: dict[CameraId, _Camera] = {}

    def take(self, event: ReadEvent) -> bool:
        """See `HoldingStage.take`."""
        camera = self._camera(event.camera_id)
        if event.identity in camera.held:
            return False
        crop = _in_order(event.crop, camera.steady)
        camera.builder.taken(crop.captured_at_ns, crop.sequence)
        placed = PlacedRead(crop, event.read)
        camera.held.add(event.identity)
        camera.waiting.append(placed)
        if event.frame is not None:
            camera.evidence.offer(placed, event.frame)
        return True

    def looked_at(self, camera_id: CameraId, captured_at_ns: int) -> None:
        """The next frame that is looked at, of those that there are to look at, was taken then."""
        self._camera(camera_id).builder.looked_at(captured_at_ns)

    def growing(self, camera_id: CameraId) -> Sequence[Track]:
        """The vehicles before a camera as they are known now, for whoever must not wait until they have passed."""
        camera = self._cameras.get(camera_id)
        return () if camera is None else camera.builder.growing()

    def cameras(self) -> Collection[CameraId]:
        """See `HoldingStage.cameras`."""
        return tuple(camera_id for camera_id, camera in self._cameras.items() if camera.held)

    def held(self, camera_id: CameraId) -> Collection[str]:
        """See `HoldingStage.held`."""
        return self._cameras[camera_id].held

    def forget(self, camera_id: CameraId) -> None:
        """See `HoldingStage.forget`."""
        if self._cameras.pop(camera_id, None) is not None:
            self._meter.set("open_tracks_count", 0, camera=camera_id)

    def memory(self, camera_id: CameraId) -> bytes:
        """See `HoldingStage.memory`: the vehicles that were told of and may be seen again."""
        return memory.encode(self._camera(camera_id).passed.known)

    def recall(self, camera_id: CameraId, remembered: bytes) -> None:
        """See `HoldingStage.recall`."""
        self._camera(camera_id).passed = PassedVehicles(memory.decode(remembered))

    def advance(self, camera_id: CameraId, horizon_ns: int) -> Sequence[Conclusion[SightingEvent]]:
        """See `HoldingStage.advance`: the tracks that have ended."""
        camera = self._cameras.get(camera_id)
        if camera is None:
            return ()
        if horizon_ns != END_OF_TIME_NS:
            horizon_ns = max(camera.passed_ns, camera.steady.at(horizon_ns))
        concluded = [self._conclude(camera, track) for track in self._ended(camera_id, camera, horizon_ns)]
        if horizon_ns != END_OF_TIME_NS:
            camera.evidence.forget_before(horizon_ns)
            camera.passed.forget_before(horizon_ns)
        self._meter.set("open_tracks_count", camera.builder.open_tracks, camera=camera_id)
        return concluded

    def _camera(self, camera_id: CameraId) -> _Camera:
        camera = self._cameras.get(camera_id)
        if camera is None:
            camera = _Camera(TrackBuilder(camera_id, self._policy))
            self._cameras[camera_id] = camera
        return camera

    def _ended(self, camera_id: CameraId, camera: _Camera, horizon_ns: int) -> list[Track]:
        ready = sorted((r for r in camera.waiting if r.crop.captured_at_ns < horizon_ns), key=capture_order)
        camera.waiting = [r for r in camera.waiting if r.crop.captured_at_ns >= horizon_ns]
        late = [r for r in ready if r.crop.captured_at_ns < camera.passed_ns]
        ended = self._late(camera_id, late)
        for captured_at_ns, reads in groupby(ready[len(late) :], key=lambda r: r.crop.captured_at_ns):
            ended += camera.builder.update(captured_at_ns, tuple(reads))
        if horizon_ns == END_OF_TIME_NS:
            return [*ended, *camera.builder.flush()]
        camera.passed_ns = horizon_ns
        return [*ended, *camera.builder.update(horizon_ns, ())]

    def _late(self, camera_id: CameraId, reads: Sequence[PlacedRead]) -> list[Track]:
        """Replayed dead letters: what they were part of is closed, so they are tracks of their own."""
        builder = TrackBuilder(camera_id, self._policy)
        ended: list[Track] = []
        for captured_at_ns, together in groupby(reads, key=lambda r: r.crop.captured_at_ns):
            ended += builder.update(captured_at_ns, tuple(together))
        return [*ended, *builder.flush()]

    def _conclude(self, camera: _Camera, track: Track) -> Conclusion[SightingEvent]:
        camera.held.difference_update(track.identities)
        started_s = time.perf_counter()
        outcome, passage = self._passage(camera, track)
        self._meter.observe("judging_seconds", time.perf_counter() - started_s)
        self._meter.observe("track_reads_count", len(track.identities))
        for kind in VerdictKind:
            self._meter.count("verdicts_total", 0, camera=track.camera_id, verdict=kind.value)
        self._meter.count("tracks_total", camera=track.camera_id, outcome=outcome.value)
        if passage is None:
            return Conclusion(track.identities, ())
        sighting = passage.sighting
        self._meter.count("verdicts_total", camera=track.camera_id, verdict=sighting.verdict.kind.value)
        where = fields(camera=track.camera_id, sighting=sighting.sighting_id, verdict=sighting.verdict.kind.value)
        _log.info("passage", extra=where)
        return Conclusion(track.identities, (SightingEvent(sighting, passage.pictures),))

    def _passage(self, camera: _Camera, track: Track) -> tuple[Outcome, Passage | None]:
        """What `track` comes to; a vehicle that was told of and is still there is not told of again."""
        if self._joins and camera.passed.is_told(track):
            return Outcome.SAME_VEHICLE, None
        fusion = self._passages.fusion(track)
        if fusion is None:
            return Outcome.TOO_LITTLE, None
        if self._joins and camera.passed.continues(track, fusion.plate):
            return Outcome.SAME_VEHICLE, None
        if self._joins and camera.standing.hold(track, fusion.plate.text, camera.builder.standing()):
            return Outcome.FIXTURE, None
        camera.standing.remember(track, fusion.plate.text)
        passage = self._passages.passage(track, fusion, camera.evidence.take)
        if passage is None:
            return Outcome.FIXTURE, None
        camera.passed.remember(track, fusion.plate)
        return Outcome.SIGHTING, passage


def _in_order(crop: Crop, steady: SteadyTime) -> Crop:
    """`crop` at a time that puts it in order; what the clock said stays in its stamp.

    Those of an older capture service have none: their times are a clock's that may be set.
    """
    at_ns = steady.of(crop.captured_at_ns, crop.sequence, leaps=crop.stamp is None)
    if at_ns == crop.captured_at_ns:
        return crop
    return replace(crop, captured_at_ns=at_ns, stamp=crop.stamp or Stamp(crop.captured_at_ns))
