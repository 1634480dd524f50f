"""What every bus promises: memory, redis-server, Valkey and a Redis cluster, all but the first as real processes."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pytest
import redis

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.bus.redis_keys import Keys
from roadside.adapters.bus.redis_streams import GROUP, RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import END_OF_TIME_NS, CameraId
from roadside.core.partitions import partition_of
from roadside.errors import PoisonError
from roadside.ports.bus import CROPS, FRAMES, READS, Leadership, Output, Room
from tests.clocks import HandClock
from tests.notes import GATE, Note, NoteCodec
from tests.servers import RedisCluster, RedisServer, redis_binary, valkey_binary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from roadside.ports.bus import Bus, Delivery, Receipt, Stream

PARTITIONS = 5
IDLE_S = 60.0
LEADERSHIP_S = 60.0
"""Both longer than any test takes: only `let_pass` ends them."""


class Buses(Protocol):
    """Connections of any number of consumers to one bus."""

    over_a_network: bool
    """Whether events travel as bytes."""

    def connect(self, consumer: str) -> Bus: ...

    def let_pass(self, stream: Stream[Any]) -> None:
        """More than IDLE_S and LEADERSHIP_S pass, in which no consumer of the stream moves."""


@dataclass
class MemoryBuses:
    clock: HandClock
    broker: MemoryBroker
    over_a_network: bool = False

    def connect(self, consumer: str) -> Bus:
        return MemoryBus(self.broker, consumer)

    def let_pass(self, stream: Stream[Any]) -> None:
        del stream
        self.clock.advance(2 * max(IDLE_S, LEADERSHIP_S))


@dataclass
class RedisBuses:
    url: str
    prefix: str
    connected: list[RedisStreams]
    partitions: int = 1
    frames_url: str = ""
    over_a_network: bool = True
    codec: NoteCodec = field(default_factory=NoteCodec)

    def connect(self, consumer: str) -> Bus:
        options = RedisOptions(
            self.url,
            consumer,
            self.prefix,
            claim_after_s=IDLE_S,
            claim_every_s=0,
            lead_s=LEADERSHIP_S,
            lead_every_s=0,
            partitions=self.partitions,
            frames_url=self.frames_url,
        )
        bus = RedisStreams(options, self.codec, SystemClock())
        self.connected.append(bus)
        return bus

    def let_pass(self, stream: Stream[Any]) -> None:
        """Nobody can move the clock of a Redis: what it remembers is made older instead."""
        home = Keys.of_partition(self.prefix, partition_of(GATE, self.partitions), self.partitions)
        common = Keys.of_partition(self.prefix, 0, 1)
        with self.client(stream) as client:
            for keys in (home, common):
                client.delete(keys.leader(stream))
                client.delete(keys.members(stream))
            key = home.stream(stream)
            held = client.xpending_range(key, GROUP, "-", "+", 100) if client.exists(key) else []
            for entry in held:
                ids = [entry["message_id"]]
                client.xclaim(key, GROUP, entry["consumer"], 0, ids, idle=round(2000 * IDLE_S), justid=True)

    def client(self, stream: Stream[Any]) -> Any:  # noqa: ANN401 - a union, of which redis-py tells nothing
        """Of redis-py, for whatever holds a stream."""
        url = self.frames_url if self.frames_url and stream == FRAMES else self.url
        if "," not in url:
            return redis.Redis.from_url(url)
        return redis.RedisCluster.from_url(f"redis://{url.rpartition(',')[2]}")


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary(), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(valkey_binary(), tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    cluster = RedisCluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(params=["memory", "redis", "valkey", "partitions", "cluster", "cluster and a Redis of frames"])
def buses(request: pytest.FixtureRequest) -> Iterator[Buses]:
    if request.param == "memory":
        clock = HandClock()
        yield MemoryBuses(clock, MemoryBroker(clock, idle_s=IDLE_S, leadership_s=LEADERSHIP_S))
        return
    prefix = f"test-{uuid.uuid4().hex}"
    frames_url = request.getfixturevalue("redis_server").url if request.param.endswith("frames") else ""
    if request.param.startswith("cluster"):
        cluster: RedisCluster = request.getfixturevalue("redis_cluster")
        redis_buses = RedisBuses(cluster.url, prefix, [], PARTITIONS, frames_url)
    else:
        fixture = "valkey_server" if request.param == "valkey" else "redis_server"
        server: RedisServer = request.getfixturevalue(fixture)
        redis_buses = RedisBuses(server.url, prefix, [], PARTITIONS if request.param == "partitions" else 1)
    yield redis_buses
    for bus in redis_buses.connected:
        bus.close()


def frame(sequence: int, at_ns: int | None = None) -> Note:
    return Note(sequence * 100 if at_ns is None else at_ns, str(sequence), b"frame %d" % sequence)


def receipts(deliveries: Sequence[Delivery[Any]]) -> list[Receipt]:
    return [delivery.receipt for delivery in deliveries]


def take(bus: Bus, stream: Stream[Any] = FRAMES, count: int = 10) -> list[str]:
    return [d.receipt.identity for d in bus.receive(stream, max_messages=count, block_s=0)]


def led(bus: Bus) -> Leadership:
    """Of the partition in which the gate is."""
    answers = bus.lead(READS)
    return answers[partition_of(GATE, len(answers))]


def test_messages_come_in_order_whole_and_once(buses: Buses) -> None:
    bus = buses.connect("a")
    for i in range(5):
        assert bus.publish(FRAMES, frame(i))
    first = bus.receive(FRAMES, max_messages=3, block_s=0)
    assert [d.load() for d in first] == [frame(0), frame(1), frame(2)]
    assert [d.receipt.deliveries for d in first] == [1, 1, 1]
    assert take(bus) == ["3", "4"]
    assert take(bus) == []


def test_consumers_share_the_work(buses: Buses) -> None:
    a, b = buses.connect("a"), buses.connect("b")
    for i in range(4):
        a.publish(FRAMES, frame(i))
    assert take(a, count=2) + take(b, count=2) == ["0", "1", "2", "3"]


def test_a_limit_refuses_what_would_pile_up(buses: Buses) -> None:
    bus = buses.connect("a")
    assert bus.publish(FRAMES, frame(0), room=Room(2))
    assert bus.publish(FRAMES, frame(1), room=Room(2))
    assert not bus.publish(FRAMES, frame(2), room=Room(2))
    (one,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert not bus.publish(FRAMES, frame(2), room=Room(2)), "what is in somebody's hands is not done"
    bus.commit([one.receipt])
    assert bus.publish(FRAMES, frame(2), room=Room(2))


def test_commit_hands_on_outputs_once(buses: Buses) -> None:
    bus = buses.connect("a")
    bus.publish(FRAMES, frame(0))
    done = bus.receive(FRAMES, max_messages=1, block_s=0)
    crop = Note(0, "0:1,2,3,4", b"crop")
    assert bus.commit(receipts(done), [Output(CROPS, crop)])
    assert not bus.commit(receipts(done), [Output(CROPS, crop)])
    assert take(bus, CROPS) == ["0:1,2,3,4"]
    assert bus.backlog(FRAMES).waiting == bus.backlog(FRAMES).pending == 0


def test_what_a_dead_consumer_held_goes_to_another(buses: Buses) -> None:
    dead, heir = buses.connect("dead"), buses.connect("heir")
    dead.publish(FRAMES, frame(0))
    lost = dead.receive(FRAMES, max_messages=1, block_s=0)
    assert take(heir) == []
    buses.let_pass(FRAMES)
    inherited = heir.receive(FRAMES, max_messages=1, block_s=0)
    assert [(d.receipt.identity, d.receipt.deliveries) for d in inherited] == [("0", 2)]
    assert heir.commit(receipts(inherited))
    assert not dead.commit(receipts(lost))


def test_a_consumer_that_comes_back_gets_its_own_first(buses: Buses) -> None:
    former = buses.connect("a")
    for i in range(2):
        former.publish(FRAMES, frame(i))
    former.receive(FRAMES, max_messages=1, block_s=0)
    assert take(buses.connect("a")) == ["0", "1"]


def test_released_messages_are_handed_out_again(buses: Buses) -> None:
    a, b = buses.connect("a"), buses.connect("b")
    a.publish(FRAMES, frame(0))
    held = a.receive(FRAMES, max_messages=1, block_s=0)
    a.release(receipts(held))
    (again,) = b.receive(FRAMES, max_messages=1, block_s=0)
    assert (again.receipt.identity, again.receipt.deliveries) == ("0", 2)


def test_receive_waits_for_a_message(buses: Buses) -> None:
    waiting, sending = buses.connect("a"), buses.connect("b")
    threading.Timer(0.1, lambda: sending.publish(FRAMES, frame(7))).start()
    received = waiting.receive(FRAMES, max_messages=1, block_s=60)
    assert [d.receipt.identity for d in received] == ["7"]
    started = time.monotonic()
    assert not waiting.receive(FRAMES, max_messages=1, block_s=0.2)
    assert time.monotonic() - started >= 0.15


def test_dead_letters_are_kept_replayed_and_dropped(buses: Buses) -> None:
    bus = buses.connect("a")
    for i in range(2):
        bus.publish(FRAMES, frame(i))
    first, second = bus.receive(FRAMES, max_messages=2, block_s=0)
    assert bus.reject(first, "no picture")
    assert not bus.reject(first, "again")
    assert bus.reject(second, "no picture either")
    letters = bus.dead_letters()
    assert [(x.stream, x.camera_id, x.identity, x.reason) for x in letters] == [
        (FRAMES, "gate", "0", "no picture"),
        (FRAMES, "gate", "1", "no picture either"),
    ]
    sizes = [len(NoteCodec().encode(FRAMES, frame(i))) for i in range(2)] if buses.over_a_network else [0, 0]
    assert [x.size_bytes for x in letters] == sizes
    assert bus.replay(letters[0].letter_id)
    assert not bus.replay(letters[0].letter_id)
    assert bus.drop(letters[1].letter_id)
    assert not bus.drop(letters[1].letter_id)
    assert not bus.drop("no such letter")
    assert take(bus) == ["0"]
    assert not bus.dead_letters()


class PoisonousCodec(NoteCodec):
    def decode(self, stream: Stream[Any], payload: bytes) -> Note:
        del stream, payload
        raise PoisonError("not a note")


def test_what_cannot_be_decoded_is_poison_when_it_is_loaded(buses: Buses) -> None:
    if not isinstance(buses, RedisBuses):
        return  # nothing is decoded within one process
    buses.codec = PoisonousCodec()
    bus = buses.connect("a")
    bus.publish(FRAMES, frame(0))
    (delivery,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert delivery.receipt.identity == "0"
    with pytest.raises(PoisonError, match="not a note"):
        delivery.load()
    assert bus.reject(delivery, "not a note")
    assert [letter.reason for letter in bus.dead_letters()] == ["not a note"]


def test_the_horizon_is_what_is_oldest_on_its_way(buses: Buses) -> None:
    bus = buses.connect("a")
    for i in range(3):
        bus.publish(FRAMES, frame(i, at_ns=(1000 + i) * 1000))
    assert bus.horizon_ns(GATE, ()) == 1_000_000
    done = bus.receive(FRAMES, max_messages=3, block_s=0)
    read = Note(1_000_000, "0:1,2,3,4", b"read")
    bus.commit(receipts(done), [Output(READS, read)])
    assert bus.horizon_ns(GATE, ()) == 1_000_000
    assert bus.horizon_ns(GATE, {read.identity}) == 1_002_000, "what is held does not hold up"
    bus.set_camera(GATE, live=False, ended=True)
    assert bus.horizon_ns(GATE, {read.identity}) == END_OF_TIME_NS
    assert bus.horizon_ns(GATE, ()) == 1_000_000


def test_a_camera_is_remembered(buses: Buses) -> None:
    bus = buses.connect("a")
    assert bus.camera(GATE) is None
    bus.set_camera(GATE, live=False, ended=False)
    bus.publish(FRAMES, frame(4, at_ns=44))
    state = buses.connect("b").camera(GATE)
    assert state is not None
    assert (state.last_sequence, state.last_captured_at_ns, state.live, state.ended) == (4, 44, False, False)


def test_a_memory_is_there_for_whoever_comes_next(buses: Buses) -> None:
    assert buses.connect("a").remembered(GATE) == b""
    buses.connect("a").remember(GATE, b"first")
    buses.connect("a").remember(GATE, b"what was seen")
    assert buses.connect("b").remembered(GATE) == b"what was seen"
    assert buses.connect("b").remembered(CameraId("another")) == b""


def test_one_leads_until_it_falls_silent(buses: Buses) -> None:
    a, b = buses.connect("a"), buses.connect("b")
    assert led(a)
    assert led(a)
    assert not led(b)
    a.publish(READS, Note(0, "0:1,2,3,4", b"read"))
    held = a.receive(READS, max_messages=1, block_s=0)
    buses.let_pass(READS)
    assert led(b)
    assert take(b, READS) == ["0:1,2,3,4"]
    assert not a.commit(receipts(held))


def test_a_leader_that_lapsed_is_handed_everything_anew(buses: Buses) -> None:
    bus = buses.connect("a")
    assert led(bus) is Leadership.TAKEN
    bus.publish(READS, Note(0, "0:1,2,3,4", b"read"))
    assert take(bus, READS) == ["0:1,2,3,4"]
    assert led(bus) is Leadership.KEPT
    assert take(bus, READS) == []
    buses.let_pass(READS)
    assert led(bus) is Leadership.TAKEN
    assert take(bus, READS) == ["0:1,2,3,4"]


def test_dead_letters_are_counted_purged_and_forgotten(buses: Buses) -> None:
    bus = buses.connect("a")
    for i in range(3):
        bus.publish(FRAMES, frame(i))
    for delivery in bus.receive(FRAMES, max_messages=3, block_s=0):
        assert bus.reject(delivery, "no picture")
    assert bus.count_dead_letters() == 3
    asked: list[object] = []

    def is_the_second(event: object) -> bool:
        asked.append(event)
        return isinstance(event, Note) and event.identity == "1"

    assert bus.forget_dead_letters(is_the_second) == 1
    assert asked == [frame(0), frame(1), frame(2)]
    assert [letter.identity for letter in bus.dead_letters()] == ["0", "2"]
    newest_ns = max(letter.died_at_ns for letter in bus.dead_letters())
    assert bus.purge_dead_letters(0) == 0
    assert bus.purge_dead_letters(newest_ns + 1) == 2
    assert bus.count_dead_letters() == 0
