"""Whatever somebody writes under the project's names in Redis stops nothing: a real Redis, every key, every kind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import redis

from roadside.adapters.bus.redis_aside import ASIDE, kind_of
from roadside.adapters.bus.redis_keys import Keys
from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.errors import BusUnavailableError
from roadside.ports.bus import CROPS, FRAMES, READS, SIGHTINGS, Output
from tests.notes import GATE, Note, NoteCodec
from tests.servers import RedisServer, redis_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = Keys("{roadside}")
NAMES = (
    *(KEYS.stream(stream) for stream in (FRAMES, CROPS, READS, SIGHTINGS)),
    *KEYS.dead,
    *(name(GATE) for name in (KEYS.flight, KEYS.sizes, KEYS.since, KEYS.camera, KEYS.memory)),
    KEYS.leader(READS),
)
MOST_CALLS = 8
"""Until all is well: each fault that is told may be of another key."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary(), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def bus(server: RedisServer, client: redis.Redis) -> Iterator[RedisStreams]:
    assert not client.keys(), "an empty Redis"
    bus = RedisStreams(RedisOptions(server.url, "a", claim_every_s=0, lead_every_s=0), NoteCodec(), SystemClock())
    yield bus
    bus.close()


def write(client: redis.Redis, key: str, kind: str) -> None:
    match kind:
        case "string":
            client.set(key, "somebody's")
        case "hash":
            client.hset(key, "a", "b")
        case "zset":
            client.zadd(key, {"a": 1.0})
        case "list":
            client.rpush(key, "a")
        case "stream":
            client.xadd(key, {"a": "b"})


def everything(bus: RedisStreams, number: int) -> None:
    """All that services ask of a bus, with a frame that becomes a dead letter and one that becomes a crop."""
    for sequence in (2 * number, 2 * number + 1):
        assert bus.publish(FRAMES, Note(time.time_ns(), str(sequence), b"frame"))
    first, second, *_ = bus.receive(FRAMES, max_messages=8, block_s=1)
    assert bus.reject(first, "a test")
    assert bus.commit([second.receipt], [Output(CROPS, Note(second.receipt.captured_at_ns, "crop", b"crop"))])
    for stream in (CROPS, READS, SIGHTINGS):
        bus.receive(stream, max_messages=8, block_s=0)
        bus.backlog(stream)
    bus.lead(READS)
    bus.set_camera(GATE, live=True, ended=False)
    assert bus.camera(GATE) is not None
    bus.horizon_ns(GATE, ())
    bus.is_waited_for(GATE, ())
    bus.sweep(GATE, ())
    bus.remembered(GATE)
    bus.remember(GATE, b"known")
    assert bus.remembered(GATE) == b"known"
    assert bus.count_dead_letters()
    assert list(bus.dead_letters())
    bus.purge_dead_letters(0)
    bus.report()


def until_it_works(bus: RedisStreams) -> list[str]:
    """What was told before everything worked."""
    told = []
    for number in range(MOST_CALLS):
        try:
            everything(bus, number)
        except BusUnavailableError as error:
            told.append(str(error))
        else:
            return told
    raise AssertionError(f"it never works: {told}")


@pytest.mark.parametrize("key", NAMES)
def test_a_key_of_another_kind_is_put_aside_and_said(client: redis.Redis, bus: RedisStreams, key: str) -> None:
    name = key.removeprefix(f"{KEYS.tag}:")
    for kind in ("string", "hash", "zset", "list", "stream"):
        client.flushall()
        if kind == kind_of(name):
            continue
        write(client, key, kind)
        told = until_it_works(bus)
        assert any(name in line and "put aside" in line for line in told), (kind, told)
        (aside,) = client.keys(f"{KEYS.tag}:{ASIDE}:*:{name}".replace("{", "[{]").replace("}", "[}]"))
        assert client.type(aside) == kind.encode(), "it can be looked at"


def test_numbers_that_are_none_stop_nothing(client: redis.Redis, bus: RedisStreams) -> None:
    client.hset(KEYS.camera(GATE), mapping={"sequence": "many", "at": "noon", "live": "\xff", "ended": "perhaps"})
    client.set(KEYS.dead[2], "a lot")
    client.zadd(KEYS.flight(GATE), {b"\xff\xfe": float("inf")})
    client.xadd(KEYS.dead[0], {"of": "somebody else"})
    client.xadd(KEYS.dead[0], {"s": "no-stream", "c": "gate", "i": "1", "r": "?", "d": "never", "n": "1", "k": "x"})
    assert until_it_works(bus) == []
    assert {letter.reason for letter in bus.dead_letters()} == {"a test"}, "what is no letter goes"


def test_a_user_without_the_right_to_rename_is_told_which_one(client: redis.Redis, server: RedisServer) -> None:
    client.acl_setuser("old", enabled=True, nopass=True, keys=["*"], categories=["+@all"], commands=["-renamenx"])
    write(client, KEYS.stream(FRAMES), "string")
    url = server.url.replace("redis://", "redis://old:any@")
    bus = RedisStreams(RedisOptions(url, "a"), NoteCodec(), SystemClock())
    with pytest.raises(BusUnavailableError, match=r"\+type and \+renamenx"):
        bus.receive(FRAMES, max_messages=1, block_s=0)
    bus.close()


def test_a_camera_of_any_name_keeps_its_kind() -> None:
    for name in ("gate", "a:b", "dead", "frames", "aside:1:x"):
        assert kind_of(f"camera:{CameraId(name)}") == "hash"
        assert kind_of(f"flight:{CameraId(name)}") == "zset"
    assert kind_of(f"{ASIDE}:1:camera:gate") is None
    assert kind_of("somebody-else") is None
