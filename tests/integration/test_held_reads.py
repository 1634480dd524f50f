"""Reads that are held because of a frame that somebody trimmed: the vehicle is told of after `camera_silence_s`."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

import pytest
import redis

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.holding_runner import HoldingRunner
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts
from roadside.ports.bus import FRAMES, READS, SIGHTINGS
from roadside.wire.codec import ProtobufCodec
from tests.servers import RedisServer, redis_binary
from tests.unit.test_gather import GATE, Counts, gathering
from tests.unit.test_steady import HandSeconds, frame_of, street
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SILENCE_S = 10.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary(), tmp_path / "data")
    server.start()
    yield server
    server.stop()


def connect(server: RedisServer, consumer: str) -> RedisStreams:
    return RedisStreams(RedisOptions(server.url, consumer), ProtobufCodec(), SystemClock())


def test_a_trimmed_frame_silences_no_camera(server: RedisServer) -> None:
    bus, meter, seconds, stopping = connect(server, "test"), Counts(), HandSeconds(), threading.Event()
    bus.set_camera(GATE, live=True, ended=False)
    events = street(0, 0.0, stamped=True)[:20]
    bus.publish(FRAMES, frame_of(1, events[0].captured_at_ns - 1_000_000))
    for event in events:
        bus.publish(READS, event)
    with redis.Redis(port=server.port) as raw:
        raw.xtrim("{roadside}:frames", maxlen=0, approximate=False)
    health = Health(("bus",), time.monotonic)
    retry = RetryPolicy(
        "reads", meter=meter, health=health, backoff=Backoff(random.Random(1)), stopping=stopping, drain_s=1
    )
    parts = LoopParts(connect(server, "registry"), meter, SystemClock(), health, retry, stopping)
    runner = HoldingRunner(READS, SIGHTINGS, gathering(meter), parts, silence_s=SILENCE_S, steady_s=seconds)
    thread = threading.Thread(target=runner.run)
    begun_s = seconds.s
    thread.start()

    def is_told() -> bool:
        seconds.s += 0.5
        return bus.backlog(SIGHTINGS).waiting == 1

    try:
        wait_for(is_told, "the vehicle", every_s=0.1)
    finally:
        stopping.set()
        thread.join(PLENTY_S)
    assert seconds.s - begun_s >= SILENCE_S
    assert meter.values["vanished_events_total[('camera', 'gate')]"] == 1
    assert not health.missing()
