"""Every loop of the services on a Redis cluster, in threads: nodes are killed, one for good, and nothing is torn."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.core.partitions import partition_of
from roadside.errors import BusUnavailableError
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.holding_runner import HoldingRunner
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts, RunnerLimits, StageRunner
from roadside.ports.bus import CROPS, FRAMES, READS, SIGHTINGS, STREAMS, Backlog, Conclusion, Room
from tests.notes import Note, NoteCodec
from tests.servers import RedisCluster, RedisServer, redis_binary
from tests.unit.test_gather import Counts
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from roadside.ports.bus import Stream

CAMERAS = tuple(CameraId(f"camera-{number}") for number in range(4))
PARTITIONS = 8
TRACK = 5
"""Frames of a vehicle, in a row."""
TRACKS = 6
"""Of each camera."""
STEP_NS = 1_000_000


class Onward:
    """A stage that hands on what it is given, and tells what that was."""

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen

    def handle(self, event: Note) -> Sequence[Note]:
        self._seen[event.identity] += 1
        return [event]


class CameraCodec(NoteCodec):
    """With the camera before the rest."""

    def encode(self, stream: Stream[Any], event: Note) -> bytes:
        return str(event.camera_id).encode() + b"/" + super().encode(stream, event)

    def decode(self, stream: Stream[Any], payload: bytes) -> Note:
        camera, _, rest = payload.partition(b"/")
        return replace(super().decode(stream, rest), camera_id=CameraId(camera.decode()))


@dataclass
class Tracks:
    """A holding stage that makes one event of the notes of a vehicle once the horizon has passed the last of them."""

    waiting: dict[CameraId, dict[str, Note]] = field(default_factory=dict)

    def take(self, event: Note) -> bool:
        notes = self.waiting.setdefault(event.camera_id, {})
        new = event.identity not in notes
        notes[event.identity] = event
        return new

    def cameras(self) -> Collection[CameraId]:
        return [camera_id for camera_id, notes in self.waiting.items() if notes]

    def held(self, camera_id: CameraId) -> Collection[str]:
        return self.waiting.get(camera_id, {})

    def advance(self, camera_id: CameraId, horizon_ns: int) -> Sequence[Conclusion[Note]]:
        together: dict[int, list[Note]] = {}
        for note in self.waiting.get(camera_id, {}).values():
            together.setdefault(int(note.identity) // TRACK, []).append(note)
        ended = [(track, notes) for track, notes in together.items() if (track + 1) * TRACK * STEP_NS < horizon_ns]
        return [self._concluded(camera_id, track, notes) for track, notes in ended]

    def _concluded(self, camera_id: CameraId, track: int, notes: list[Note]) -> Conclusion[Note]:
        for note in notes:
            del self.waiting[camera_id][note.identity]
        told = Note(notes[0].captured_at_ns, f"{camera_id} {track} of {len(notes)}", b"sighting", camera_id)
        return Conclusion(tuple(note.identity for note in notes), (told,))

    def memory(self, camera_id: CameraId) -> bytes:
        return str(camera_id).encode()

    def recall(self, camera_id: CameraId, remembered: bytes) -> None:
        assert remembered in {b"", str(camera_id).encode()}

    def forget(self, camera_id: CameraId) -> None:
        self.waiting.pop(camera_id, None)


@dataclass
class Services:
    """Two of each service that takes messages, and a capture."""

    url: str
    frames_url: str
    stopping: threading.Event = field(default_factory=threading.Event)
    stored: Counter[str] = field(default_factory=Counter)
    threads: list[threading.Thread] = field(default_factory=list)

    def connect(self, consumer: str) -> RedisStreams:
        options = RedisOptions(
            self.url,
            consumer,
            timeout_s=2,
            claim_after_s=2,
            claim_every_s=0.5,
            lead_s=6,
            frames_url=self.frames_url,
            partitions=PARTITIONS,
            replicas=1,
        )
        return RedisStreams(options, CameraCodec(), SystemClock())

    def start(self) -> None:
        limits = RunnerLimits(max_messages=4, block_s=0.1)
        for number in range(2):
            for name, source, target in (("detector", FRAMES, CROPS), ("ocr", CROPS, READS)):
                stage: Any = Onward(Counter())
                parts = self.parts(f"{name}-{number}")
                self._run(StageRunner[Any, Any](source, target, stage, parts, limits).run)
            keeping: Any = Onward(self.stored)
            self._run(StageRunner[Any, Any](SIGHTINGS, None, keeping, self.parts(f"plates-{number}"), limits).run)
            holding: Any = Tracks()
            parts = self.parts(f"registry-{number}")
            self._run(HoldingRunner[Any, Any](READS, SIGHTINGS, holding, parts, silence_s=PLENTY_S).run)
        for camera_id in CAMERAS:
            self._run(lambda camera_id=camera_id: self.play(camera_id))

    def parts(self, name: str) -> LoopParts:
        health = Health(("bus",), time.monotonic)
        backoff = Backoff(random.Random(1), first_s=0.05, longest_s=0.2)
        retry = RetryPolicy(name, meter=Counts(), health=health, backoff=backoff, stopping=self.stopping, drain_s=1)
        return LoopParts(self.connect(name), Counts(), SystemClock(), health, retry, self.stopping)

    def play(self, camera_id: CameraId) -> None:
        """A recording: each frame waits for room and for the bus."""
        bus = self.connect("capture")
        patiently(lambda: bus.set_camera(camera_id, live=False, ended=False))
        for sequence in range(TRACKS * TRACK):
            note = Note((1 + sequence) * STEP_NS, str(sequence), b"frame", camera_id)
            while not patiently(lambda note=note: bus.publish(FRAMES, note, room=Room(count=4))):
                if self.stopping.wait(0.02):  # as capture does
                    return
        patiently(lambda: bus.set_camera(camera_id, live=False, ended=True))
        while not self.stopping.wait(0.2):  # as capture does every second
            with suppress(BusUnavailableError):
                bus.send_again()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(PLENTY_S)
            assert not thread.is_alive()

    def _run(self, target: Callable[[], None]) -> None:
        self.threads.append(threading.Thread(target=target, daemon=True))
        self.threads[-1].start()


def patiently(action: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the action gives
    """What it gives, once the bus answers."""
    given: list[Any] = []

    def does() -> bool:
        try:
            given.append(action())
        except BusUnavailableError:
            return False
        return True

    wait_for(does, "an answer of the bus", every_s=0.1)
    return given[0]


def test_no_track_is_lost_torn_or_told_twice(tmp_path: Path) -> None:
    files = ("--appendonly", "yes")
    cluster = RedisCluster(tmp_path / "cluster", masters=3, replicas=1, options=files, node_timeout_s=1.0)
    frames = RedisServer(redis_binary(), tmp_path / "frames")
    cluster.start()
    frames.start()
    services = Services(cluster.url, frames.url)
    try:
        services.start()
        wait_for(lambda: len(services.stored) > 1, "the first tracks")
        frames.kill()
        frames.start()
        wait_for(lambda: len(services.stored) > 5, "more after the frames were forgotten")
        cluster.master_of(f"{{roadside:{partition_of(CAMERAS[0], PARTITIONS)}}}").kill()  # for good
        wait_for(lambda: len(services.stored) > 12, "more after a node was lost")
        again = cluster.master_of(f"{{roadside:{partition_of(CAMERAS[1], PARTITIONS)}}}")
        again.kill()
        again.start()
        wait_for(lambda: len(services.stored) >= TRACKS * len(CAMERAS), "all tracks")
        looking = services.connect("looking")
        wait_for(lambda: all(patiently(lambda s=s: looking.backlog(s)) == Backlog(0, 0) for s in STREAMS), "an end")
        assert patiently(looking.count_dead_letters) == 0
    finally:
        try:
            services.stop()
        finally:
            cluster.stop()
            frames.stop()
    assert set(services.stored) == {f"{c} {track} of {TRACK}" for c in CAMERAS for track in range(TRACKS)}
