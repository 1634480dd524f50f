"""A plate is forgotten by whichever door is asked: no file of the data folder has it afterwards, no dead letter."""

from __future__ import annotations

import re
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import numpy as np
import psycopg
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.sql import open_database
from roadside.adapters.sql.ledger import SqlLedger
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.letters import forget_letters
from roadside.cli import main
from roadside.console.app import make_app
from roadside.console.ports import Role
from roadside.core.events import FrameEvent, SightingEvent, encode_raw
from roadside.core.frames import CameraId
from roadside.core.reviews import ReviewAction
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.errors import BusUnavailableError
from roadside.kit.grpc_server import GrpcServer, ServerOptions
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.plates.metrics import SPECS
from roadside.plates.records_servicer import RecordsServicer
from roadside.ports.bus import FRAMES, SIGHTINGS
from roadside.v1 import records_pb2, records_pb2_grpc
from roadside.wire.codec import ProtobufCodec
from roadside.wire.decoding import decode
from roadside.wire.pictures import TravellingPicture
from tests.consoles import PASSWORD, Console, console, seen_sighting
from tests.databases import fresh_postgres, postgres
from tests.servers import RedisServer, redis_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roadside.core.events import Event
    from roadside.ports.bus import Stream

MINE, OTHER = "AB12CDE", "XY34FGH"
MINUTE_NS = 60 * 10**9


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Console]:
    with console(tmp_path / "data") as there:
        there.account("admin", Role.ADMIN)
        for number, (plate, minutes) in enumerate(((MINE, 0), (OTHER, 60))):
            at_ns = time.time_ns() - minutes * MINUTE_NS
            there.records.store.save(*seen_sighting(plate, VerdictKind.UNPAID, at_ns=at_ns, name=f"seen{number}"))
        yield there


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary(), tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bus(server: RedisServer) -> Iterator[RedisStreams]:
    """With four dead letters: of each plate its sighting, and a frame that nobody has read of its time."""
    bus = RedisStreams(RedisOptions(server.url, "test"), ProtobufCodec(decode), SystemClock())
    now_ns = time.time_ns()
    black = TravellingPicture(encode_raw(np.zeros((8, 8, 3), np.uint8)))
    for number, (plate, at_ns) in enumerate(((MINE, now_ns), (OTHER, now_ns - 60 * MINUTE_NS))):
        sighting, _ = seen_sighting(plate, VerdictKind.UNPAID, at_ns=at_ns, name=f"letter{number}")
        die(bus, SIGHTINGS, SightingEvent(sighting, ()))
        die(bus, FRAMES, FrameEvent(CameraId("gate"), at_ns, number, black, live=True))
    assert bus.count_dead_letters() == 4
    yield bus
    bus.close()


def die(bus: RedisStreams, stream: Stream[Event], event: Event) -> None:
    bus.publish(stream, event)
    (delivery,) = bus.receive(stream, max_messages=1, block_s=1)
    assert bus.reject(delivery, "a test")


def holders(folder: Path, plate: str) -> list[str]:
    """Files that hold the plate, in capitals, small letters or UTF-16."""
    forms = (plate.encode(), plate.lower().encode(), plate.encode("utf-16-le"))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    return [path.name for path in files if any(form in path.read_bytes() for form in forms)]


def by_grpc(made: Console, bus: RedisStreams) -> None:
    ledger = SqlLedger(made.records.database, made.records.retention, made.records.vault)
    servicer = RecordsServicer(ledger, lambda plate: forget_letters(bus, made.records.retention, plate))

    def register(server: grpc.aio.Server) -> tuple[str]:
        records_pb2_grpc.add_RecordsServicer_to_server(servicer, server)
        return ("roadside.v1.Records",)

    meter = PrometheusMeter("plates", SPECS, CollectorRegistry())
    server = GrpcServer(ServerOptions(host="127.0.0.1", port=0), register, Health((), time.monotonic), meter)
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            request = records_pb2.ForgetPlateRequest(plate=MINE, actor="jana")
            answer = records_pb2_grpc.RecordsStub(channel).ForgetPlate(request, timeout=60)
    finally:
        server.stop(1.0)
    assert answer.sighting_count == 1


def by_console(made: Console, bus: RedisStreams) -> None:
    del bus  # there is none beside the console of one machine
    client = TestClient(make_app(made.desk), follow_redirects=False, headers={"accept-language": "en"})
    client.post("/sign-in", data={"name": "admin", "password": PASSWORD})
    token = re.search(r'X-CSRF-Token": "([0-9a-f]+)"', client.get("/tokens").text)
    assert token is not None
    (seen,) = [
        s for s in made.desk.sightings.find(SightingQuery(limit=100)).sightings if s.plate and s.plate.text == MINE
    ]
    assert client.post(f"/sightings/{seen.sighting_id}/forget", data={"csrf": token[1]}).status_code == 200


def by_command(made: Console, bus: RedisStreams) -> None:
    del bus
    where = made.desk.settings.db
    assert main(["forget", MINE, "--db", str(where)]) == 0


@pytest.mark.parametrize("forget", [by_grpc, by_console, by_command])
def test_no_file_has_the_plate_by_whichever_door(
    made: Console, bus: RedisStreams, tmp_path: Path, forget: Callable[[Console, RedisStreams], None]
) -> None:
    data = tmp_path / "data"
    assert holders(data, MINE)
    forget(made, bus)
    assert holders(data, MINE) == []
    assert holders(data, OTHER), "what was not asked for stays"


def test_dead_letters_are_forgotten_with_the_plate_that_a_service_is_asked_to_forget(
    made: Console, bus: RedisStreams
) -> None:
    by_grpc(made, bus)
    left = list(bus.dead_letters())
    assert [(letter.stream, letter.identity) for letter in left] == [(SIGHTINGS, "letter1"), (FRAMES, "1")]


def test_nothing_is_forgotten_where_the_dead_letters_cannot_be(
    made: Console, bus: RedisStreams, server: RedisServer, tmp_path: Path
) -> None:
    server.stop()
    with pytest.raises((grpc.RpcError, BusUnavailableError)) as caught:
        by_grpc(made, bus)
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert holders(tmp_path / "data", MINE), "else nobody could tell any more which frames were the vehicle's"


def test_postgresql_keeps_no_example_of_the_plate_and_nothing_after_what_the_page_says(tmp_path: Path) -> None:
    with postgres() as server:
        url = fresh_postgres(server)
        with closing(open_database(url)) as database:
            database.migrate()
        address = url.replace("+psycopg", "")
        with (
            console(tmp_path, database_url=url) as there,
            psycopg.connect(address, autocommit=True) as asking,
        ):
            for plate in (MINE, OTHER, "GH56IJK"):
                seen = there.see(plate, VerdictKind.UNPAID)
                there.desk.reviews.answer(seen, ReviewAction.CONFIRM, "eva")
            asking.execute("ANALYZE")
            examples = "SELECT count(*) FROM pg_stats s WHERE s::text LIKE %s"
            assert asking.execute(examples, [f"%{MINE}%"]).fetchone() != (0,), "what this test is about"
            assert there.desk.ledger.forget(MINE, "me")[0] == 1
            assert asking.execute(examples, [f"%{MINE}%"]).fetchone() == (0,)
            said = re.search(r"`(VACUUM FULL [^`]*)`", Path("docs/data-protection.md").read_text(encoding="utf-8"))
            assert said is not None
            asking.execute(said[1].encode())
            asking.execute("CHECKPOINT")
            tables = [path for path in (server.folder / "data" / "base").rglob("*") if path.is_file()]
            assert tables
            assert [path for path in tables if MINE.encode() in path.read_bytes()] == []
