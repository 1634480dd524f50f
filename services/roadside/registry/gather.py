"""Gathers reads into tracks, and remembers which reads a track is made of until it is closed.

A read is let go only with its track. So whoever takes over after a crash is handed every read of the tracks that
were open, builds the same tracks of them, and gives the same sightings.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from roadside.core.events import crop_identity
from roadside.core.fusion import quality
from roadside.core.reads import PlacedRead, Track
from roadside.core.track import TrackBuilder, TrackPolicy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from roadside.core.events import EncodedPicture, ReadEvent
    from roadside.core.frames import CameraId

END_OF_TIME_NS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ClosedTrack:
    """A track that has ended."""

    track: Track
    """With its best reads only."""
    identities: tuple[str, ...]
    """Of every read that it is made of."""
    first_seen_ns: int
    last_seen_ns: int
    frames: dict[str, EncodedPicture | None]
    """The frames of `track`'s reads, by identity."""


@dataclass(slots=True)
class _Camera:
    builder: TrackBuilder
    held: dict[str, ReadEvent] = field(default_factory=dict)
    """Every read that is not let go, by identity."""
    waiting: list[PlacedRead] = field(default_factory=list)
    """Those that an older one may still overtake."""
    passed_ns: int = 0
    """What is older than this is late."""


class Gathering:
    """The open tracks of all cameras. Not safe to share between threads."""

    def __init__(self, policy: TrackPolicy | None = None) -> None:
        policy = policy or TrackPolicy()
        self._most_reads = policy.most_reads
        # The builder must forget none: each is acknowledged with its track.
        self._policy = replace(policy, most_reads=2**31)
        self._cameras: dict[CameraId, _Camera] = {}

    def add(self, event: ReadEvent) -> bool:
        """Take a read; False for one that is held already."""
        crop = event.crop
        camera = self._cameras.get(crop.camera_id)
        if camera is None:
            camera = _Camera(TrackBuilder(crop.camera_id, self._policy))
            self._cameras[crop.camera_id] = camera
        identity = crop_identity(crop)
        if identity in camera.held:
            return False
        camera.held[identity] = event
        camera.waiting.append(PlacedRead(crop, event.read))
        return True

    def cameras(self) -> tuple[CameraId, ...]:
        """Those with a read that is not let go."""
        return tuple(camera_id for camera_id, camera in self._cameras.items() if camera.held)

    def held(self, camera_id: CameraId) -> Collection[str]:
        """The identities of a camera's reads that are not let go."""
        return self._cameras[camera_id].held.keys()

    def open_tracks(self, camera_id: CameraId) -> int:
        """How many vehicles are passing a camera."""
        return self._cameras[camera_id].builder.open_tracks

    def advance(self, camera_id: CameraId, horizon_ns: int) -> list[ClosedTrack]:
        """The tracks that have ended, given that every read from before `horizon_ns` has been added."""
        camera = self._cameras[camera_id]
        ready = sorted((r for r in camera.waiting if r.crop.captured_at_ns < horizon_ns), key=_order)
        camera.waiting = [r for r in camera.waiting if r.crop.captured_at_ns >= horizon_ns]
        late = [r for r in ready if r.crop.captured_at_ns < camera.passed_ns]
        closed = list(self._late(camera_id, late))
        for captured_at_ns, reads in groupby(ready[len(late) :], key=lambda r: r.crop.captured_at_ns):
            closed += camera.builder.update(captured_at_ns, tuple(reads))
        closed += camera.builder.flush() if horizon_ns == END_OF_TIME_NS else camera.builder.update(horizon_ns, ())
        if horizon_ns != END_OF_TIME_NS:
            camera.passed_ns = max(camera.passed_ns, horizon_ns)
        return [self._close(camera, track) for track in closed]

    def _late(self, camera_id: CameraId, reads: Sequence[PlacedRead]) -> Iterator[Track]:
        """Replayed dead letters: what they were part of is closed, so they are tracks of their own."""
        builder = TrackBuilder(camera_id, self._policy)
        for captured_at_ns, together in groupby(reads, key=lambda r: r.crop.captured_at_ns):
            yield from builder.update(captured_at_ns, tuple(together))
        yield from builder.flush()

    def _close(self, camera: _Camera, track: Track) -> ClosedTrack:
        events = {crop_identity(placed.crop): placed for placed in track.reads}
        frames = {identity: camera.held.pop(identity).frame for identity in events}
        best = sorted(track.reads, key=_worth, reverse=True)[: self._most_reads]
        times = [placed.crop.captured_at_ns for placed in track.reads]
        return ClosedTrack(
            track=replace(track, reads=tuple(sorted(best, key=_order))),
            identities=tuple(events),
            first_seen_ns=min(times),
            last_seen_ns=max(times),
            frames=frames,
        )


def _order(placed: PlacedRead) -> tuple[int, int, float, float]:
    box = placed.crop.detection.box
    return placed.crop.captured_at_ns, placed.crop.sequence, box.x1, box.y1


def _worth(placed: PlacedRead) -> float:
    """As TrackBuilder weighs which reads to keep."""
    return quality(placed) * (0.05 + placed.read.confidence)
