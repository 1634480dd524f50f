"""Redis goes and comes back, asks for a user and speaks TLS: real servers, both makes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.errors import BusUnavailableError, InputError, SettingsError
from roadside.ports.bus import CROPS, FRAMES, READS, Output, Room
from tests.certificates import Authority
from tests.notes import GATE, Note, NoteCodec
from tests.ports import reserved_port
from tests.servers import RedisServer, redis_binary, valkey_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "only-for-this-test"  # noqa: S105 - a test's
COMMANDS = (
    "+ping +hello +auth +client|setname +xadd +xack +xdel +xlen +xrange +xpending +xclaim "
    "+xautoclaim +xreadgroup +xgroup|create +xinfo +eval +evalsha +script|load +get +set +pexpire +hget +hgetall "
    "+hset +zadd +zrem +zrange +zcard +multi +exec +time +info +scan +type +renamenx +wait +command +cluster|slots"
)
"""Everything that the bus needs: docs/operations.md names the same list."""


@pytest.fixture(params=[redis_binary, valkey_binary], ids=["redis", "valkey"])
def binary(request: pytest.FixtureRequest) -> str:
    return str(request.param())


def connect(url: str, consumer: str = "a", **options: str) -> RedisStreams:
    return RedisStreams(
        RedisOptions(url, consumer, timeout_s=10, claim_every_s=0, **options), NoteCodec(), SystemClock()
    )  # type: ignore[arg-type]


def frame(sequence: int) -> Note:
    return Note(time.time_ns(), str(sequence), b"frame")


@pytest.fixture
def server(tmp_path: Path, binary: str) -> Iterator[RedisServer]:
    server = RedisServer(binary, tmp_path / "data", ("--appendonly", "yes", "--appendfsync", "always"))
    server.start()
    yield server
    server.stop()


def test_nothing_is_lost_when_redis_is_killed(server: RedisServer) -> None:
    bus = connect(server.url)
    for i in range(3):
        bus.publish(FRAMES, frame(i))
    (in_hand,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    server.kill()
    with pytest.raises(BusUnavailableError):
        bus.commit([in_hand.receipt])
    with pytest.raises(BusUnavailableError):
        bus.receive(FRAMES, max_messages=1, block_s=0)
    server.start()
    crop = Note(in_hand.receipt.captured_at_ns, "0:1,2,3,4", b"crop")
    assert bus.commit([in_hand.receipt], [Output(CROPS, crop)])
    assert not bus.commit([in_hand.receipt], [Output(CROPS, crop)])
    rest = bus.receive(FRAMES, max_messages=10, block_s=0)
    assert [d.receipt.identity for d in rest] == ["1", "2"]
    assert bus.backlog(CROPS).waiting == 1


def test_a_frame_is_published_once_even_when_the_answer_was_lost(server: RedisServer) -> None:
    bus = connect(server.url)
    assert bus.publish(FRAMES, frame(7))
    assert bus.publish(FRAMES, frame(7))
    assert bus.backlog(FRAMES).waiting == 1


def test_an_entry_that_is_no_message_is_a_dead_letter(server: RedisServer) -> None:
    import redis  # noqa: PLC0415 - to write what the bus never would

    bus = connect(server.url)
    assert not bus.receive(READS, max_messages=1, block_s=0)
    redis.Redis(port=server.port).xadd("{roadside}:reads", {"nonsense": "x" * 100})
    assert not bus.receive(READS, max_messages=1, block_s=0)
    (letter,) = bus.dead_letters()
    assert (letter.stream, letter.reason) == (READS, "not a message")
    assert bus.backlog(READS).pending == 0


def test_a_giant_is_a_dead_letter_that_cannot_be_replayed(server: RedisServer) -> None:
    bus = connect(server.url)
    giant = Note(1, "0", bytes(50_000_000))
    bus.publish(FRAMES, giant)
    (delivery,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert bus.reject(delivery, "too large")
    (letter,) = bus.dead_letters()
    assert letter.size_bytes == len(NoteCodec().encode(FRAMES, giant))
    with pytest.raises(InputError, match="too large"):
        bus.replay(letter.letter_id)
    assert bus.drop(letter.letter_id)


def test_a_flushed_redis_is_started_anew(server: RedisServer) -> None:
    import redis  # noqa: PLC0415

    bus = connect(server.url)
    bus.publish(FRAMES, frame(0))
    bus.receive(FRAMES, max_messages=1, block_s=0)
    redis.Redis(port=server.port).flushall()
    with pytest.raises(BusUnavailableError):
        bus.receive(FRAMES, max_messages=1, block_s=0)
    bus.publish(FRAMES, frame(1))
    assert [d.receipt.identity for d in bus.receive(FRAMES, max_messages=1, block_s=0)] == ["1"]


def test_a_user_with_the_least_rights_suffices(tmp_path: Path, binary: str) -> None:
    acl = tmp_path / "users.acl"
    acl.write_text(f"user default off\nuser roadside on >{PASSWORD} resetchannels ~{{roadside}}:* {COMMANDS}\n")
    server = RedisServer(binary, tmp_path / "data", ("--aclfile", str(acl)))
    server.start()
    try:
        bus = connect(f"redis://roadside:{PASSWORD}@127.0.0.1:{server.port}/0")
        bus.ping()
        everything(bus)
        with pytest.raises(SettingsError, match="refuses"):
            connect(f"redis://roadside:wrong@127.0.0.1:{server.port}/0").ping()
        with pytest.raises(SettingsError, match="refuses"):
            connect(f"redis://roadside:{PASSWORD}@127.0.0.1:{server.port}/0", prefix="other").publish(FRAMES, frame(0))
    finally:
        server.stop()


def everything(bus: RedisStreams) -> None:
    """One of each thing that a bus does."""
    assert abs(bus.clock_ns() - time.time_ns()) < 60 * 10**9
    bus.set_camera(GATE, live=True, ended=False)
    bus.publish(FRAMES, frame(0), room=Room(5))
    held = bus.receive(FRAMES, max_messages=1, block_s=0)
    bus.release([delivery.receipt for delivery in held])
    held = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert bus.commit([delivery.receipt for delivery in held], [Output(READS, Note(5_000, "0:1,2,3,4", b"read"))])
    assert any(bus.lead(READS))
    assert bus.horizon_ns(GATE, ()) == 5_000
    (read,) = bus.receive(READS, max_messages=1, block_s=0)
    assert bus.reject(read, "a reason")
    (letter,) = bus.dead_letters()
    assert bus.replay(letter.letter_id)
    assert bus.backlog(READS).waiting == 1
    assert bus.camera(GATE) is not None
    assert bus.memory().used_bytes > 0
    assert bus.sweep(GATE, ()) == bus.repair(GATE) == 0
    assert [camera.camera_id for camera in bus.report().cameras] == [GATE]


def test_tls_with_certificates_on_both_sides(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority").create()
    served, client = authority.sign("redis"), authority.sign("client")
    port = reserved_port()
    options = (
        *("--tls-port", str(port), "--tls-cert-file", str(served.certificate), "--tls-key-file", str(served.key)),
        *("--tls-ca-cert-file", str(authority.certificate), "--tls-auth-clients", "yes"),
    )
    server = RedisServer(redis_binary(), tmp_path / "data", options)
    server.start()
    try:
        url = f"rediss://127.0.0.1:{port}/0"
        ca = str(authority.certificate)
        everything(connect(url, ca_file=ca, certificate_file=str(client.certificate), key_file=str(client.key)))
        with pytest.raises(BusUnavailableError):
            connect(url, ca_file=ca).ping()
        stranger = Authority(tmp_path, "stranger").create()
        with pytest.raises(BusUnavailableError):
            connect(
                url,
                ca_file=str(stranger.certificate),
                certificate_file=str(client.certificate),
                key_file=str(client.key),
            ).ping()
    finally:
        server.stop()


def test_an_address_that_is_none_is_said() -> None:
    with pytest.raises(SettingsError, match="cannot be used"):
        connect("http://example")


def test_dead_letters_have_so_many_bytes_and_are_listed_without_them(server: RedisServer) -> None:
    bus = RedisStreams(
        RedisOptions(server.url, "bounded", prefix="bounded", dead_letter_bytes=250_000), NoteCodec(), SystemClock()
    )
    for i in range(5):
        bus.publish(FRAMES, Note(i, str(i), bytes(100_000)))
        (delivery,) = bus.receive(FRAMES, max_messages=1, block_s=0)
        assert bus.reject(delivery, "no picture")
    letters = bus.dead_letters()
    assert [letter.identity for letter in letters] == ["3", "4"]
    import redis  # noqa: PLC0415 - to see what is kept

    raw = redis.Redis(port=server.port)
    kept = sum(int(letter.size_bytes) for letter in letters)
    assert int(raw.get("{bounded}:dead:bytes")) == kept < 250_000  # type: ignore[arg-type]
    assert raw.memory_usage("{bounded}:dead") < 10_000  # type: ignore[operator]
    assert bus.replay(letters[0].letter_id)
    (again,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert again.load() == Note(3, "3", bytes(100_000))
    assert bus.drop(letters[1].letter_id)
    assert int(raw.get("{bounded}:dead:bytes")) == 0  # type: ignore[arg-type]
    assert raw.xlen("{bounded}:dead:payloads") == 0


def test_dead_letters_of_the_version_before_are_replayed(server: RedisServer) -> None:
    import redis  # noqa: PLC0415 - to write what an older version wrote

    bus = RedisStreams(RedisOptions(server.url, "old", prefix="old"), NoteCodec(), SystemClock())
    note = frame(1)
    payload = NoteCodec().encode(FRAMES, note)
    old = {"c": "gate", "t": 1, "i": "1", "p": payload, "s": "frames", "r": "x", "d": 5, "n": len(payload)}
    redis.Redis(port=server.port).xadd("{old}:dead", old)  # type: ignore[arg-type]
    assert bus.forget_dead_letters(lambda event: event != note) == 0
    (letter,) = bus.dead_letters()
    assert bus.replay(letter.letter_id)
    (delivery,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    assert delivery.load() == note


def test_an_address_that_is_none_does_not_tell_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        RedisStreams(RedisOptions("redis://user:pa#ss/w@rd:x@host:pport/0", "a"), NoteCodec(), SystemClock())
    assert "ss/w" not in str(caught.value)
    assert "rd" not in str(caught.value).replace("password", "")


def test_frames_that_somebody_trimmed_are_waited_for_no_longer(server: RedisServer) -> None:
    import redis  # noqa: PLC0415 - to do what the bus never would

    bus = connect(server.url)
    bus.set_camera(GATE, live=True, ended=False)
    for sequence in range(5):
        bus.publish(FRAMES, Note((1 + sequence) * 1000, str(sequence), b"frame"))
    (oldest,) = bus.receive(FRAMES, max_messages=1, block_s=0)
    with redis.Redis(port=server.port) as raw:
        raw.xtrim("{roadside}:frames", maxlen=2, approximate=False)
    assert bus.horizon_ns(GATE, ()) == 1000, "it stands before what is not there any more"
    assert bus.is_waited_for(GATE, ())
    assert bus.sweep(GATE, ()) == 3
    assert bus.horizon_ns(GATE, ()) == 4000, "what is there is waited for"
    assert bus.sweep(GATE, ()) == 0
    assert bus.commit([oldest.receipt], [Output(CROPS, Note(1000, "0:1,2,3,4", b"crop"))])
    assert bus.is_waited_for(GATE, {"3", "4"}), "what came of it all the same is waited for like any other"


def test_a_sweep_finds_what_is_waited_for_behind_much_else(server: RedisServer) -> None:
    bus = connect(server.url)
    for number in range(100):
        bus.publish(CROPS, Note(1000 + number, f"{number}:1,2,3,4", b"crop", CameraId("another")))
    bus.publish(READS, Note(500, "0:1,2,3,4", b"read"))
    assert bus.sweep(GATE, ()) == bus.repair(GATE) == 0
    assert bus.sweep(CameraId("another"), {f"{number}:1,2,3,4" for number in range(60)}) == 0
    assert bus.horizon_ns(CameraId("another"), ()) == 1000


def test_a_user_of_the_version_before_may_do_all_but_look(tmp_path: Path, binary: str) -> None:
    older = COMMANDS.replace(" +zcard", "").replace(" +info +scan +type +renamenx +wait +command +cluster|slots", "")
    acl = tmp_path / "users.acl"
    acl.write_text(f"user default off\nuser roadside on >{PASSWORD} resetchannels ~{{roadside}}:* {older}\n")
    server = RedisServer(binary, tmp_path / "data", ("--aclfile", str(acl)))
    server.start()
    try:
        bus = connect(f"redis://roadside:{PASSWORD}@127.0.0.1:{server.port}/0")
        assert bus.publish(FRAMES, frame(0), room=Room(5))
        with pytest.raises(SettingsError, match="refuses"):
            bus.memory()
    finally:
        server.stop()
