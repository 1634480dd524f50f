"""A capture and the Redis of frames that end together lose no frame of a recording."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.capture.worker import CameraWorker, CaptureOptions
from roadside.errors import BusUnavailableError
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.publisher import BoundedPublisher
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts
from roadside.ports.bus import FRAMES, Room
from roadside.wire.codec import ProtobufCodec
from tests.servers import RedisServer, redis_binary
from tests.unit.test_capture_times import GATE, SECOND_NS, Given, of
from tests.unit.test_gather import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from roadside.core.frames import Frame

FIRST_NS = 1_800_000_000 * SECOND_NS
CLIP = [of(FIRST_NS + number * SECOND_NS, number) for number in range(5)]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[RedisServer, RedisServer]]:
    both = tuple(RedisServer(redis_binary(), tmp_path / name) for name in ("ledger", "frames"))
    for server in both:
        server.start()
    yield both[0], both[1]
    for server in both:
        server.stop()


def connect(servers: tuple[RedisServer, RedisServer], consumer: str) -> RedisStreams:
    ledger, frames = servers
    options = RedisOptions(ledger.url, consumer, frames_url=frames.url, claim_after_s=0)
    return RedisStreams(options, ProtobufCodec(), SystemClock())


def played(bus: RedisStreams, frames: Sequence[Frame], *, loops: int, fps: float = 0.0) -> None:
    """What a capture that is started does to the end of the recording."""
    stopping, health, meter = threading.Event(), Health(("bus",), time.monotonic), Counts()
    retry = RetryPolicy(
        "gate", meter=meter, health=health, backoff=Backoff(random.Random(1)), stopping=stopping, drain_s=1
    )
    parts = LoopParts(bus, meter, SystemClock(), health, retry, stopping)
    publisher = BoundedPublisher(FRAMES, parts, Room(100), "gate")
    options = CaptureOptions(loops=loops, pace=False, publish_fps=fps, room=100)
    CameraWorker(GATE, lambda _: Given(frames, live=False), publisher, options, None, parts).run()


def taken(bus: RedisStreams, count: int = 100) -> dict[int, int]:
    """Frames that a detector takes and is done with: their times by their numbers."""
    found: dict[int, int] = {}
    while len(found) < count and (deliveries := bus.receive(FRAMES, max_messages=1, block_s=0)):
        event = deliveries[0].load()
        found[event.sequence] = event.captured_at_ns
        assert bus.commit([deliveries[0].receipt])
    return found


@pytest.mark.parametrize("fps", [0.0, 0.5])
def test_frames_that_were_lost_while_no_capture_was_there_are_sent_again(
    servers: tuple[RedisServer, RedisServer], fps: float
) -> None:
    detector = connect(servers, "detector")
    first = connect(servers, "capture")
    played(first, CLIP, loops=2, fps=fps)
    before = taken(detector, 2)
    waiting = [event.load() for event in detector.receive(FRAMES, max_messages=100, block_s=0)]
    first.close()
    servers[1].kill()
    servers[1].start()
    with pytest.raises(BusUnavailableError):
        taken(detector)  # its group is gone; it is made anew

    second = connect(servers, "capture")
    played(second, CLIP, loops=3, fps=fps)
    second.send_again()
    after = taken(detector)
    assert {event.sequence for event in waiting} <= set(after), "none is lost"
    assert not set(before) & set(after), "none that was done comes again"
    assert {event.sequence: event.captured_at_ns for event in waiting}.items() <= after.items(), "the times of before"
    assert max(after) >= 2 * len(CLIP), "and the third loop is played"


def test_frames_that_still_wait_are_not_sent_again(servers: tuple[RedisServer, RedisServer]) -> None:
    detector = connect(servers, "detector")
    first = connect(servers, "capture")
    played(first, CLIP, loops=1)
    first.close()
    second = connect(servers, "capture")
    played(second, [replace(frame) for frame in CLIP], loops=2)
    second.send_again()
    assert sorted(taken(detector)) == list(range(10))
    assert not taken(detector)
