"""Partitions of the bus, on a Redis cluster of real nodes: shared, handed over, and not lost with a node."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import redis

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.core.partitions import caretaker, partition_of
from roadside.errors import BusUnavailableError, PoisonError, SettingsError
from roadside.ports.bus import CROPS, FRAMES, READS, SIGHTINGS, Backlog, Leadership, Output, Room
from tests.integration.test_redis import COMMANDS, everything
from tests.notes import GATE, Note, NoteCodec
from tests.servers import RedisCluster, RedisServer, redis_binary
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTITIONS = 8
CAMERAS = tuple(CameraId(f"camera-{number}") for number in range(24))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary(), tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def frames_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary(), tmp_path / "frames")
    server.start()
    yield server
    server.stop()


def connect(url: str, consumer: str = "a", **options: Any) -> RedisStreams:  # noqa: ANN401 - each has its type
    chosen = {"partitions": PARTITIONS, "claim_every_s": 0, "lead_every_s": 0, "timeout_s": 10} | options
    return RedisStreams(RedisOptions(url, consumer, **chosen), NoteCodec(), SystemClock())


def read_of(camera_id: CameraId, number: int = 0) -> Note:
    return Note(1000 + number * 1000, f"{number}:1,2,3,4", b"read", camera_id)


def frame(sequence: int, camera_id: CameraId = GATE, body: bytes = b"frame") -> Note:
    return Note((1 + sequence) * 1000, str(sequence), body, camera_id)


def test_every_camera_has_its_partition_whoever_asks() -> None:
    assert [partition_of(camera, 16) for camera in ("gate", "yard", "north", "south")] == [0, 8, 5, 7]
    shares = Counter(partition_of(f"camera-{number}", 16) for number in range(1600))
    assert min(shares.values()) > 60
    assert partition_of("gate", 1) == 0


def test_a_member_that_leaves_moves_only_what_it_cared_for() -> None:
    members = ["registry-0", "registry-1", "registry-2"]
    before = [caretaker(members, number) for number in range(300)]
    after = [caretaker(members[:2], number) for number in range(300)]
    assert min(Counter(before).values()) > 60
    assert all(was == now for was, now in zip(before, after, strict=True) if was != "registry-2")
    assert caretaker([], 3) is None


def test_all_is_taken_in_turn_and_nobody_takes_more_than_was_asked(server: RedisServer) -> None:
    bus = connect(server.url)
    for number in range(10):
        for camera in CAMERAS:
            bus.publish(CROPS, read_of(camera, number))
    first = bus.receive(CROPS, max_messages=PARTITIONS, block_s=0)
    assert len(first) == PARTITIONS
    assert len({delivery.receipt.partition for delivery in first}) == PARTITIONS, "one of each"
    assert len(bus.receive(CROPS, max_messages=3, block_s=0)) == 3
    rest: list[Any] = []
    while taken := bus.receive(CROPS, max_messages=50, block_s=0):
        assert len(taken) <= 50
        rest += taken
    assert len(rest) == 10 * len(CAMERAS) - PARTITIONS - 3


def lead(*buses: RedisStreams) -> list[tuple[Leadership, ...]]:
    """Who leads what, once nobody hands over any more."""
    answers = [bus.lead(READS) for bus in buses]
    while True:
        again = [bus.lead(READS) for bus in buses]
        if again == answers and not any(Leadership.TAKEN in answer for answer in again):
            return again
        answers = again


def test_replicas_share_partitions_and_hand_over_when_one_comes_or_goes(server: RedisServer) -> None:
    a, b, c = (connect(server.url, f"registry-{number}", partitions=16) for number in range(3))
    (alone,) = lead(a)
    assert all(alone)
    for camera in CAMERAS:
        a.publish(READS, read_of(camera))
    held = a.receive(READS, max_messages=100, block_s=0)
    assert len(held) == len(CAMERAS)
    shared = lead(a, b, c)
    assert [sum(map(bool, together)) for together in zip(*shared, strict=True)] == [1] * 16
    assert all(any(answer) for answer in shared)
    assert not any(b.commit([d.receipt]) for d in held if not shared[1][d.receipt.partition]), "not of another's"
    again = {bus: bus.receive(READS, max_messages=100, block_s=0) for bus in (b, c)}
    for bus, answer in zip((b, c), shared[1:], strict=True):
        assert {d.receipt.partition for d in again[bus]} <= {n for n, led in enumerate(answer) if led}
        assert all(bus.commit([d.receipt], [Output(SIGHTINGS, read_of(d.receipt.camera_id))]) for d in again[bus])
    kept = [d for d in held if shared[0][d.receipt.partition]]
    assert all(a.commit([d.receipt], [Output(SIGHTINGS, read_of(d.receipt.camera_id))]) for d in kept)
    told = connect(server.url, "plates", partitions=0).receive(SIGHTINGS, max_messages=100, block_s=0)
    assert Counter(d.receipt.camera_id for d in told) == dict.fromkeys(CAMERAS, 1), "none lost, none twice"
    b.close()
    c.close()
    (alone,) = lead(a)
    assert all(alone), "who closes lets others lead at once"


def test_whoever_works_goes_on_leading(server: RedisServer) -> None:
    a = connect(server.url, "registry-0", lead_s=60)
    lead(a)
    key = f"{{roadside:{partition_of(GATE, PARTITIONS)}}}:leader:reads"
    with redis.Redis(port=server.port) as raw:
        raw.pexpire(key, 10_000)
        a._leaders._renewed_s = float("-inf")  # type: ignore[union-attr] # noqa: SLF001 - it was long ago
        a.horizon_ns(GATE, ())
        assert raw.pttl(key) > 10_000
        raw.set(key, "registry-1")
        a._leaders._renewed_s = float("-inf")  # type: ignore[union-attr] # noqa: SLF001
        a.horizon_ns(GATE, ())
        assert raw.get(key) == b"registry-1"
    assert not a.lead(READS)[partition_of(GATE, PARTITIONS)]


def test_whoever_lost_a_partition_commits_nothing_of_it(server: RedisServer) -> None:
    a, b = connect(server.url, "registry-0"), connect(server.url, "registry-1")
    lead(a)
    for camera in CAMERAS:
        a.publish(READS, read_of(camera))
    held = a.receive(READS, max_messages=100, block_s=0)
    b.lead(READS)
    with redis.Redis(port=server.port) as raw:  # a is silent for longer than its leases last
        for number in range(PARTITIONS):
            raw.delete(f"{{roadside:{number}}}:leader:reads")
    led = b.lead(READS)
    assert any(led)
    assert not any(a.commit([d.receipt]) for d in held if led[d.receipt.partition])
    assert not [d for d in b.receive(READS, max_messages=100, block_s=0) if not led[d.receipt.partition]]


def test_the_number_is_changed_while_nothing_is_under_way(server: RedisServer) -> None:
    old = connect(server.url, partitions=0)
    assert len(old.lead(READS)) == 1
    old.publish(READS, read_of(GATE))
    with pytest.raises(SettingsError, match="begun with 1, and 1 messages lie in these"):
        connect(server.url).ping()
    (read,) = old.receive(READS, max_messages=1, block_s=0)
    assert old.commit([read.receipt])
    changed = connect(server.url)
    changed.ping()
    assert len(connect(server.url, partitions=0).lead(READS)) == PARTITIONS, "who wants none takes what there is"
    changed.publish(READS, read_of(GATE))
    with pytest.raises(SettingsError, match=f"begun with {PARTITIONS}, and 1 messages"):
        connect(server.url, partitions=3).ping()


def test_a_bus_of_the_version_before_is_gone_on_with(server: RedisServer) -> None:
    with redis.Redis(port=server.port) as raw:
        raw.xadd("{roadside}:reads", {"c": "gate", "t": 1000, "i": "0:1,2,3,4", "p": b"1000|0:1,2,3,4|read"})
        with pytest.raises(SettingsError, match="begun with 1"):
            connect(server.url).ping()
        (read,) = connect(server.url, partitions=0).receive(READS, max_messages=1, block_s=0)
        assert read.load().body == b"read"
        assert not raw.exists("{roadside}:partitions"), "who only looks changes nothing"


def test_what_leads_to_nothing_is_acknowledged_for_many_cameras_together(server: RedisServer) -> None:
    bus = connect(server.url)
    for camera in CAMERAS:
        bus.publish(SIGHTINGS, read_of(camera))
    taken = bus.receive(SIGHTINGS, max_messages=100, block_s=0)
    assert bus.commit([delivery.receipt for delivery in taken])
    assert not bus.commit([delivery.receipt for delivery in taken])
    assert bus.backlog(SIGHTINGS).waiting == bus.backlog(SIGHTINGS).pending == 0


def test_an_event_of_another_camera_than_its_entry_says_is_poison(server: RedisServer) -> None:
    bus = connect(server.url)
    bus.publish(READS, read_of(CameraId("yard")))  # the codec of these tests makes it one of the gate
    (read,) = bus.receive(READS, max_messages=1, block_s=0)
    with pytest.raises(PoisonError, match="another camera"):
        read.load()


def test_no_camera_takes_the_room_of_another(server: RedisServer) -> None:
    bus = connect(server.url, partitions=1)
    room = Room(count=10, size_bytes=250_000, age_s=3600)
    large = [bus.publish(FRAMES, frame(n, body=bytes(100_000)), room=room) for n in range(4)]
    assert large == [True, True, False, False]
    yard = CameraId("yard")
    assert [bus.publish(FRAMES, frame(n, yard), room=room) for n in range(12)] == [True] * 10 + [False] * 2
    assert bus.publish(FRAMES, frame(0, CameraId("north"), bytes(500_000)), room=room), "the only one may have any size"
    taken = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert bus.commit([taken[0].receipt])
    assert bus.publish(FRAMES, frame(2, body=bytes(100_000)), room=room)


def test_no_frame_waits_behind_one_that_has_waited_for_too_long(server: RedisServer) -> None:
    bus = connect(server.url, partitions=1)
    room = Room(age_s=30)
    assert bus.publish(FRAMES, frame(0), room=room)
    assert bus.publish(FRAMES, frame(1), room=room)
    with redis.Redis(port=server.port) as raw:
        raw.zincrby("{roadside}:since:gate", -31_000, "0")
    assert not bus.publish(FRAMES, frame(2), room=room)
    assert bus.publish(FRAMES, frame(2, CameraId("yard")), room=room)
    bus.commit([d.receipt for d in bus.receive(FRAMES, max_messages=1, block_s=0)])
    assert bus.publish(FRAMES, frame(2), room=room)


def test_frames_that_their_redis_forgot_are_sent_again(server: RedisServer, frames_server: RedisServer) -> None:
    capture, detector = (connect(server.url, name, frames_url=frames_server.url) for name in ("capture", "detector"))
    capture.set_camera(GATE, live=True, ended=False)
    for sequence in range(4):
        capture.publish(FRAMES, frame(sequence))
    (first,) = detector.receive(FRAMES, max_messages=1, block_s=0)
    assert detector.commit([first.receipt], [Output(CROPS, read_of(GATE))])
    (in_hand,) = detector.receive(FRAMES, max_messages=1, block_s=0)
    frames_server.kill()
    with pytest.raises(BusUnavailableError):
        capture.publish(FRAMES, frame(4))
    frames_server.start()
    assert detector.horizon_ns(GATE, {"0:1,2,3,4"}) == 0, "nobody knows what was on its way"
    assert detector.is_waited_for(GATE, {"0:1,2,3,4"})
    assert detector.commit([in_hand.receipt], [Output(CROPS, read_of(GATE, 1))])
    capture.publish(FRAMES, frame(4))
    assert detector.horizon_ns(GATE, {"0:1,2,3,4", "1:1,2,3,4"}) <= 3000
    seen = []
    with pytest.raises(BusUnavailableError):
        detector.receive(FRAMES, max_messages=10, block_s=0)  # its group is gone; it is made anew
    while frames := detector.receive(FRAMES, max_messages=10, block_s=0):
        for each in frames:
            seen.append(each.receipt.identity)
            detector.commit([each.receipt], [Output(CROPS, read_of(GATE, int(each.receipt.identity)))])
    assert {"2", "3", "4"} <= set(seen)
    crops = detector.receive(CROPS, max_messages=20, block_s=0)
    assert sorted(d.receipt.identity for d in crops) == [f"{n}:1,2,3,4" for n in range(5)], "none lost, none twice"
    assert detector.horizon_ns(GATE, {d.receipt.identity for d in crops}) == 5000


def test_whoever_held_forgotten_frames_for_long_is_not_kept_by_them(
    server: RedisServer, frames_server: RedisServer
) -> None:
    names = ("capture", "detector")
    capture, detector = (connect(server.url, name, frames_url=frames_server.url, claim_after_s=0) for name in names)
    for sequence in range(3):
        capture.publish(FRAMES, frame(sequence))
    handled, given_back, late = detector.receive(FRAMES, max_messages=3, block_s=0)
    frames_server.kill()
    frames_server.start()
    output = Output(CROPS, read_of(GATE))
    assert not detector.commit([handled.receipt], [output]), "it is in nobody's hands, and comes again"
    detector.release([given_back.receipt])
    assert not detector.reject(late, "no picture")
    assert detector.backlog(FRAMES) == Backlog(0, 0)
    capture.send_again()
    with pytest.raises(BusUnavailableError):
        detector.receive(FRAMES, max_messages=9, block_s=0)  # the groups are gone; they are made anew
    again = detector.receive(FRAMES, max_messages=9, block_s=0)
    assert [each.receipt.identity for each in again] == ["0", "1", "2"]
    assert [detector.commit([d.receipt], [output if d is again[0] else Output(CROPS, read_of(GATE, 1))]) for d in again]
    assert detector.backlog(FRAMES).waiting == detector.backlog(FRAMES).pending == 0
    assert detector.backlog(CROPS).waiting == len(again)


def test_the_last_frames_of_a_camera_are_sent_again_too(server: RedisServer, frames_server: RedisServer) -> None:
    bus = connect(server.url, frames_url=frames_server.url)
    for sequence in range(3):
        bus.publish(FRAMES, frame(sequence))
    (first,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert bus.commit([first.receipt])
    bus.set_camera(GATE, live=False, ended=True)
    frames_server.kill()
    frames_server.start()
    assert bus.horizon_ns(GATE, ()) == 0
    with pytest.raises(BusUnavailableError):
        bus.receive(FRAMES, max_messages=1, block_s=0)
    bus.send_again()
    bus.send_again()
    assert bus.horizon_ns(GATE, ()) == 1000, "of one that was done nobody knows"
    for each in bus.receive(FRAMES, max_messages=9, block_s=0):
        bus.commit([each.receipt], [Output(CROPS, read_of(GATE, int(each.receipt.identity)))])
    assert bus.backlog(CROPS).waiting == 2
    bus.send_again()
    frames_server.kill()
    frames_server.start()
    with pytest.raises(BusUnavailableError):
        bus.receive(FRAMES, max_messages=1, block_s=0)
    bus.send_again()
    assert not bus.receive(FRAMES, max_messages=9, block_s=0), "what is done is not kept"
    crops = bus.receive(CROPS, max_messages=9, block_s=0)
    assert bus.horizon_ns(GATE, {d.receipt.identity for d in crops}) > 3000, "and nothing is waited for"


def test_frames_that_nobody_sends_again_are_swept(server: RedisServer, frames_server: RedisServer) -> None:
    capture = connect(server.url, frames_url=frames_server.url)
    capture.publish(FRAMES, frame(0))
    capture.close()
    frames_server.kill()
    frames_server.start()
    registry = connect(server.url, frames_url=frames_server.url)
    assert registry.is_waited_for(GATE, ())
    assert registry.sweep(GATE, ()) == 1
    assert not registry.is_waited_for(GATE, ())
    assert registry.horizon_ns(GATE, ()) == 1000
    later = connect(server.url, "capture anew", frames_url=frames_server.url)
    state = later.camera(GATE)
    assert state is not None
    assert state.last_sequence == 0, "a camera counts on"


def test_what_a_frame_came_to_is_handed_over_once(server: RedisServer, frames_server: RedisServer) -> None:
    a, b = (connect(server.url, name, frames_url=frames_server.url, claim_after_s=0.0) for name in "ab")
    a.publish(FRAMES, frame(0))
    (first,) = a.receive(FRAMES, max_messages=1, block_s=0)
    frames_server.process.send_signal(19)  # type: ignore[union-attr] - it stands still, after the ledger was told
    impatient = connect(server.url, "a", frames_url=frames_server.url, timeout_s=0.2, claim_after_s=3600)
    impatient._partitions.of(GATE).reader.readings[FRAMES].in_hand[first.receipt.entry_id] = float("inf")  # noqa: SLF001
    with pytest.raises(BusUnavailableError):
        impatient.commit([first.receipt], [Output(CROPS, read_of(GATE))])
    frames_server.process.send_signal(18)  # type: ignore[union-attr]
    again: list[Any] = []
    wait_for(lambda: bool(again.extend(b.receive(FRAMES, max_messages=1, block_s=0)) or again), "the frame again")
    assert not b.commit([again[0].receipt], [Output(CROPS, read_of(GATE))])
    assert b.backlog(CROPS).waiting == 1
    assert b.backlog(FRAMES).waiting == b.backlog(FRAMES).pending == 0
    assert not a.commit([first.receipt], [Output(CROPS, read_of(GATE))]), "nor by whoever comes late"


def test_dead_frames_are_replayed_into_their_redis(server: RedisServer, frames_server: RedisServer) -> None:
    bus = connect(server.url, frames_url=frames_server.url)
    bus.publish(FRAMES, frame(0))
    (held,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert bus.reject(held, "no picture")
    assert not bus.reject(held, "no picture")
    (letter,) = bus.dead_letters()
    assert letter.letter_id.startswith(f"{partition_of(GATE, PARTITIONS)}:")
    assert bus.replay(letter.letter_id)
    assert not bus.dead_letters()
    (again,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert again.load() == frame(0)
    assert bus.commit([again.receipt], [Output(CROPS, read_of(GATE))])
    assert bus.backlog(CROPS).waiting == 1


def test_a_cluster_that_loses_a_node_for_good_loses_nothing(tmp_path: Path) -> None:
    cluster = RedisCluster(tmp_path / "cluster", masters=3, replicas=1, node_timeout_s=1.0)
    cluster.start()
    try:
        bus = connect(cluster.url, replicas=1, timeout_s=5)
        for number in range(3):
            for camera in CAMERAS:
                assert bus.publish(CROPS, read_of(camera, number))
        assert not bus.unconfirmed()
        half = bus.receive(CROPS, max_messages=36, block_s=0)
        assert all(bus.commit([d.receipt], [Output(READS, read_of(d.receipt.camera_id))]) for d in half[:20])
        lost = cluster.master_of(f"{{roadside:{half[0].receipt.partition}}}")
        lost.kill()

        def takes(camera: CameraId) -> bool:
            try:
                return bus.publish(SIGHTINGS, read_of(camera))
            except BusUnavailableError:
                return False

        for camera in CAMERAS:
            wait_for(lambda: takes(camera), f"a server for {camera}", every_s=0.1)  # noqa: B023 - called within
        assert all(bus.commit([d.receipt], [Output(READS, read_of(d.receipt.camera_id))]) for d in half[20:])
        rest: list[Any] = []
        while taken := bus.receive(CROPS, max_messages=100, block_s=1):
            rest += taken
        seen = Counter((d.receipt.camera_id, d.receipt.identity) for d in (*half, *rest))
        assert seen == {(camera, f"{number}:1,2,3,4"): 1 for camera in CAMERAS for number in range(3)}
        assert bus.backlog(READS).waiting == 36
    finally:
        cluster.stop()


def test_others_go_on_while_the_node_is_away_that_knows_how_many_partitions_there_are(tmp_path: Path) -> None:
    cluster = RedisCluster(tmp_path / "cluster", masters=3, node_timeout_s=60)
    cluster.start()
    try:
        bus = connect(cluster.url, timeout_s=2)
        bus.ping()
        homes = [cluster.master_of(f"{{roadside:{partition_of(camera, PARTITIONS)}}}") for camera in CAMERAS]
        away = cluster.master_of("{roadside}")
        away.kill()
        bus._partitions._asked_s = float("-inf")  # noqa: SLF001 - it was long ago
        bus._memory_looked_s = float("-inf")  # noqa: SLF001
        reachable = [camera for camera, home in zip(CAMERAS, homes, strict=True) if home is not away]
        assert 0 < len(reachable) < len(CAMERAS)
        for camera in reachable:
            assert bus.publish(FRAMES, frame(0, camera), room=Room(count=4))
        seen = {d.receipt.camera_id for d in bus.receive(FRAMES, max_messages=100, block_s=0)}
        assert seen == set(reachable)
    finally:
        cluster.stop()


def test_others_go_on_while_a_node_is_away(tmp_path: Path) -> None:
    cluster = RedisCluster(tmp_path / "cluster", masters=3, node_timeout_s=60, options=("--appendonly", "yes"))
    cluster.start()
    try:
        bus = connect(cluster.url, timeout_s=2)
        for camera in CAMERAS:
            bus.publish(CROPS, read_of(camera))
        away = cluster.master_of(f"{{roadside:{partition_of(CAMERAS[0], PARTITIONS)}}}")
        away.kill()
        stopping = threading.Event()
        seen: set[CameraId] = set()

        def take() -> bool:
            try:
                seen.update(d.receipt.camera_id for d in bus.receive(CROPS, max_messages=100, block_s=0.1))
            except BusUnavailableError:
                stopping.set()
            return len(seen) >= len(CAMERAS) // 3

        wait_for(take, "those of the other nodes")
        assert not stopping.is_set()
        assert CAMERAS[0] not in seen
        away.start()
        wait_for(lambda: take() and len(seen) == len(CAMERAS), "the rest")
    finally:
        cluster.stop()


def test_a_user_with_the_least_rights_suffices_on_a_cluster(tmp_path: Path) -> None:
    password = "only-for-this-test"  # noqa: S105 - a test's
    acl = tmp_path / "users.acl"
    acl.write_text(
        "user default on nopass ~* &* +@all\n"
        f"user roadside on >{password} resetchannels ~{{roadside}}:* ~{{roadside:* {COMMANDS}\n"
    )
    cluster = RedisCluster(tmp_path / "cluster", options=("--aclfile", str(acl)))
    cluster.start()
    try:
        url = cluster.url.replace("redis://", f"redis://roadside:{password}@")
        everything(connect(url))
        with pytest.raises(SettingsError, match="refuses"):
            connect(url.replace(password, "wrong")).ping()
    finally:
        cluster.stop()
