"""`roadside streams` on a real Redis: what it shows, and what it mends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import redis

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.cli import main
from roadside.ports.bus import FRAMES, READS
from tests.notes import GATE, Note, NoteCodec
from tests.servers import RedisServer, redis_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary(), tmp_path / "data", ("--maxmemory", "64mb", "--maxmemory-policy", "noeviction"))
    server.start()
    yield server
    server.stop()


def test_what_is_gone_is_shown_and_mended(server: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
    bus = RedisStreams(RedisOptions(server.url, "registry-0", lead_s=600), NoteCodec(), SystemClock())
    bus.set_camera(GATE, live=True, ended=False)
    for sequence in range(3):
        bus.publish(FRAMES, Note(1_000_000 * (1 + sequence), str(sequence), b"frame"))
    bus.publish(READS, Note(500_000, "0:1,2,3,4", b"read"))
    assert any(bus.lead(READS))
    assert bus.receive(READS, max_messages=1, block_s=0)
    with redis.Redis(port=server.port) as raw:
        raw.xtrim("{roadside}:frames", maxlen=1, approximate=False)
    arguments = ("--redis-url", server.url)

    assert main(["streams", "inspect", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "frames     1 waiting, 0 in hand" in shown
    assert "reads      0 waiting, 1 in hand" in shown
    assert "led by registry-0" in shown
    assert "held by registry-0 (1)" in shown
    assert "camera gate  live, last frame 2 of 1970-01-01T00:00:00+00:00  4 on their way" in shown
    assert "of 64 (" in shown
    assert bus.is_waited_for(GATE, {"2"}), "to look changes nothing"
    assert main(["streams", "inspect", "--json", *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["memory"]["limit_bytes"] == 64 * 2**20
    reads = next(stream for stream in told["streams"] if stream["stream"] == "reads")
    assert (reads["waiting"], reads["in_hand"], reads["leader"]) == (0, 1, "registry-0")
    assert reads["holders"] == {"registry-0": 1}
    (camera,) = told["cameras"]
    assert (camera["camera"], camera["live"], camera["last_sequence"], camera["on_their_way"]) == ("gate", True, 2, 4)

    assert main(["streams", "repair", "--json", *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == {"camera": "gate", "repaired": 2}
    assert not bus.is_waited_for(GATE, {"2", "0:1,2,3,4"})
    assert main(["streams", "repair", *arguments]) == 0
    assert "nothing to repair" in capsys.readouterr().out


def test_an_empty_redis_is_shown_as_it_is(server: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["streams", "inspect", "--redis-url", server.url]) == 0
    shown = capsys.readouterr().out
    assert "sightings  0 waiting, 0 in hand\n0 dead letters" in shown


def test_a_redis_that_is_away_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["streams", "repair", "--redis-url", "redis://127.0.0.1:1/0"]) == 3
    told = capsys.readouterr().err
    assert told.startswith("roadside: Redis does not answer")
    assert told.count("\n") == 1
