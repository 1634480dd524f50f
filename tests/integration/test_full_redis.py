"""A Redis that is full to the last byte: whoever takes from it can start, and empties it by himself. Both makes."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest
import redis

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.errors import BusFullError
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.holding_runner import HoldingRunner
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts, RunnerLimits, StageRunner
from roadside.ports.bus import CROPS, FRAMES, NO_BOUNDS, READS, SIGHTINGS, STREAMS, Backlog, Conclusion, Output, Room
from tests.notes import GATE, Note, NoteCodec
from tests.servers import RedisServer, redis_binary, valkey_binary
from tests.unit.test_gather import Counts
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from roadside.core.frames import CameraId
    from roadside.ports.bus import Stream

LIMIT_BYTES = 32 * 2**20
BODY = bytes(100_000)


@pytest.fixture(params=[redis_binary, valkey_binary], ids=["redis", "valkey"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    options = ("--maxmemory", str(LIMIT_BYTES), "--maxmemory-policy", "noeviction", "--appendonly", "yes")
    server = RedisServer(str(request.param()), tmp_path / "data", options)
    server.start()
    yield server
    server.stop()


def connect(server: RedisServer, consumer: str) -> RedisStreams:
    options = RedisOptions(server.url, consumer, timeout_s=30, claim_after_s=0.5, claim_every_s=0, lead_s=1)
    return RedisStreams(options, NoteCodec(), SystemClock())


class Onward:
    """A stage that hands on what it is given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def handle(self, event: Note) -> Sequence[Note]:
        self.seen.append(event.identity)
        return [event]


@dataclass
class Holding:
    """A holding stage that lets go of each event once the horizon has passed it, and of its memory never."""

    waiting: dict[str, Note] = field(default_factory=dict)

    def take(self, event: Note) -> bool:
        new = event.identity not in self.waiting
        self.waiting[event.identity] = event
        return new

    def cameras(self) -> Collection[CameraId]:
        return (GATE,) if self.waiting else ()

    def held(self, camera_id: CameraId) -> Collection[str]:
        return self.waiting if camera_id == GATE else ()

    def advance(self, camera_id: CameraId, horizon_ns: int) -> Sequence[Conclusion[Note]]:
        ended = [note for note in self.waiting.values() if note.captured_at_ns < horizon_ns]
        for note in ended:
            del self.waiting[note.identity]
        return [Conclusion((note.identity,), (note,)) for note in ended if note.camera_id == camera_id]

    def memory(self, camera_id: CameraId) -> bytes:
        return f"{camera_id} {len(self.waiting)}".encode()

    def recall(self, camera_id: CameraId, remembered: bytes) -> None:
        del camera_id, remembered

    def forget(self, camera_id: CameraId) -> None:
        assert camera_id == GATE
        self.waiting.clear()


class Consumers:
    """One of each service that takes from Redis, as threads."""

    def __init__(self, server: RedisServer) -> None:
        self.stopping = threading.Event()
        self.meter = Counts()
        self.stored = Onward()
        runners: list[Callable[[], None]] = []
        for name, source, target, stage in (
            ("detector", FRAMES, CROPS, Onward()),
            ("ocr", CROPS, READS, Onward()),
            ("plates", SIGHTINGS, None, self.stored),
        ):
            parts = self._parts(server, name)
            runner = StageRunner[Any, Any](source, target, stage, parts, RunnerLimits(block_s=0.05))
            runners.append(runner.run)
        parts = self._parts(server, "registry")
        runners.append(HoldingRunner[Any, Any](READS, SIGHTINGS, Holding(), parts, silence_s=10).run)
        self.threads = [threading.Thread(target=run) for run in runners]

    def _parts(self, server: RedisServer, name: str) -> LoopParts:
        health = Health(("bus",), time.monotonic)
        backoff = Backoff(random.Random(1), first_s=0.05, longest_s=0.1)
        retry = RetryPolicy(name, meter=self.meter, health=health, backoff=backoff, stopping=self.stopping, drain_s=1)
        return LoopParts(connect(server, name), self.meter, SystemClock(), health, retry, self.stopping)

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(PLENTY_S)
            assert not thread.is_alive()


def test_a_full_redis_is_known_as_one(server: RedisServer) -> None:
    empty = connect(server, "registry")
    assert not empty.is_nearly_full()
    fill(empty, CROPS, 0)
    assert connect(server, "registry").is_nearly_full()


def fill(bus: RedisStreams, stream: Stream[Any], first: int) -> int:
    """Publish until Redis refuses; the number after the last that it took."""
    number = first
    try:
        while True:
            bus.publish(stream, Note(1_000_000 + number * 1000, f"{number}:1,2,3,4", BODY))
            number += 1
    except BusFullError:
        return number


def refuse_all(server: RedisServer) -> None:
    """Fill what closed connections gave back, until nothing is taken any more."""
    with redis.Redis(port=server.port) as client:
        while True:
            try:
                client.rpush("{roadside}:filler", bytes(200_000))
            except redis.exceptions.OutOfMemoryError:
                return


def test_it_empties_itself_once_consumers_start(server: RedisServer) -> None:
    before = connect(server, "before")
    before.set_camera(GATE, live=False, ended=False)
    for number in range(5):
        assert before.publish(FRAMES, Note(1_000_000 + number * 1000, str(number), BODY))
    # A registry led and held, an ocr held; both are killed, and what they held is theirs for ever.
    assert any(before.lead(READS))
    before.publish(READS, Note(1_005_000, "5:1,2,3,4", BODY))
    assert before.receive(READS, max_messages=1, block_s=0)
    before.publish(CROPS, Note(1_006_000, "6:1,2,3,4", BODY))
    assert before.receive(CROPS, max_messages=1, block_s=0)
    before.close()
    count = fill(connect(server, "detector that was killed"), CROPS, 7)
    refuse_all(server)
    connect(server, "capture").set_camera(GATE, live=False, ended=True)  # the recording ends meanwhile
    looking = connect(server, "looking")
    with Consumers(server) as consumers:
        wait_for(lambda: len(set(consumers.stored.seen)) == count, "everything to be stored")
        wait_for(lambda: all(looking.backlog(s) == Backlog(0, 0) for s in STREAMS), "empty streams")
    assert sorted(consumers.stored.seen) == sorted(set(consumers.stored.seen)), "nothing twice"
    assert looking.memory().share < 0.8, "the filler is still there"


def test_nobody_who_looks_writes(server: RedisServer) -> None:
    fill(connect(server, "a"), CROPS, 0)
    refuse_all(server)
    fresh = connect(server, "b")
    assert fresh.backlog(CROPS).waiting > 0
    assert fresh.horizon_ns(GATE, ()) == 1_000_000
    assert fresh.camera(GATE) is None
    assert fresh.remembered(GATE) == b""
    assert any(fresh.lead(READS))
    assert any(fresh.lead(READS))
    fresh.remember(GATE, b"what was told")
    assert fresh.remembered(GATE) == b"what was told"
    assert not fresh.receive(READS, max_messages=1, block_s=0), "a stream that was never there is made"
    (crop,) = fresh.receive(CROPS, max_messages=1, block_s=0)
    assert fresh.commit([crop.receipt], [Output(READS, Note(1, "0:1,2,3,4", BODY))]), "what is taken may go on"


def test_frames_are_shed_before_anything_else(server: RedisServer) -> None:
    bus = connect(server, "capture")
    sequence = 0
    while bus.publish(FRAMES, Note(sequence, str(sequence), BODY), room=Room(100_000)):
        sequence += 1
        assert sequence < 2 * LIMIT_BYTES / len(BODY)
    shed_at = bus.memory()
    assert 0.7 < shed_at.share < 0.95
    assert shed_at.limit_bytes == LIMIT_BYTES
    assert not bus.publish(FRAMES, Note(sequence, str(sequence), BODY), room=Room(100_000))
    assert bus.publish(CROPS, Note(1, "0:1,2,3,4", BODY), room=NO_BOUNDS), "there is room for what was seen already"
    taken = bus.receive(FRAMES, max_messages=sequence, block_s=0)
    assert bus.commit([delivery.receipt for delivery in taken])
    wait_for(
        lambda: bus.publish(FRAMES, Note(sequence, str(sequence), BODY), room=Room(100_000)), "room for frames again"
    )
