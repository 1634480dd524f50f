"""Lists through the gRPC door: held to the same as those of the command, and plates in any spelling."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import CollectorRegistry

from roadside.adapters.sql import SqlRegistry, open_embedded
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.holdings import held_lists, take_in
from roadside.kit.grpc_server import GrpcServer, ServerOptions
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.registry.config import RegistrySection
from roadside.registry.metrics import SPECS
from roadside.registry.servicer import RegistryServicer
from roadside.v1 import registry_pb2, registry_pb2_grpc, types_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roadside.assembly.lists import Taken
    from roadside.registry.servicer import ListOrder

HEAD = "plate,country,valid_from,valid_to\n"
ROWS = [f"1AB{number},CZ,2020-01-01,9999-12-31\n" for number in range(2300, 2350)]


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[registry_pb2_grpc.RegistryStub]:
    database = open_embedded(tmp_path / "r.db")
    clock = SystemClock()
    settings = RegistrySection()

    def load(path: Path, order: ListOrder) -> Taken:
        return take_in(database, settings, path, order, clock.now_ns())

    def register(server: grpc.aio.Server) -> tuple[str]:
        held = SqlRegistry(database, grace_s=0.0, max_age_days=0.0)
        servicer = RegistryServicer(held, load, lambda: held_lists(database, 31.0), clock)
        registry_pb2_grpc.add_RegistryServicer_to_server(servicer, server)
        return ("roadside.v1.Registry",)

    meter = PrometheusMeter("registry", SPECS, CollectorRegistry())
    server = GrpcServer(ServerOptions(host="127.0.0.1", port=0), register, Health((), time.monotonic), meter)
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield registry_pb2_grpc.RegistryStub(channel)
    server.stop(1.0)
    database.close()


def load(
    stub: registry_pb2_grpc.RegistryStub, content: str, *, replace: bool = False, force: bool = False
) -> registry_pb2.ImportVignettesResponse:
    data = content.encode()
    chunks = (data[start : start + 700] for start in range(0, len(data), 700))
    requests = (
        registry_pb2.ImportVignettesRequest(csv_chunk=chunk, replace_all=replace, force=force) for chunk in chunks
    )
    answer: registry_pb2.ImportVignettesResponse = stub.ImportVignettes(requests, timeout=60)
    return answer


def kind(stub: registry_pb2_grpc.RegistryStub, plate: str, country: str = "") -> types_pb2.VerdictKind:
    answer: registry_pb2.CheckResponse = stub.Check(registry_pb2.CheckRequest(plate=plate, country=country), timeout=60)
    return answer.verdict


def test_a_list_that_would_forget_somebody_is_refused_unless_forced(stub: registry_pb2_grpc.RegistryStub) -> None:
    taken = load(stub, HEAD + "".join(ROWS))
    assert taken.imported_count == len(ROWS)
    assert "UTF-8, separator ','" in taken.read_as
    for content, says in (
        (HEAD, "no row"),
        (HEAD + "".join(ROWS).replace("1AB2307,CZ,2020", "1AB2307,CZ,soon"), "line 9: 'soon-01-01'"),
        (HEAD + "".join(ROWS)[:-12], "ends within a row"),
        (HEAD + "".join(ROWS[:39]), "11 of 50 entries would be lost"),
        (HEAD + "".join(ROWS).replace("2020-01-01", "12/31/2020"), "month first"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            load(stub, content, replace=True)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert says in caught.value.details()
        assert kind(stub, "1AB2307") == types_pb2.VERDICT_KIND_PAID
    forced = load(stub, HEAD + "".join(ROWS[:39]), replace=True, force=True)
    assert [reason for reason in forced.forced_reasons if "11 of 50" in reason]
    assert kind(stub, "1AB2349") == types_pb2.VERDICT_KIND_UNPAID


def test_a_list_can_be_looked_at_with_all_that_speaks_against_it(stub: registry_pb2_grpc.RegistryStub) -> None:
    load(stub, HEAD + "".join(ROWS))
    listed = HEAD.replace("plate", "Wagen") + ROWS[0] + "1AB2301,CZ,12/31/2020,\n!,CZ,2020-01-01,\n"

    def looked(**more: object) -> registry_pb2.ImportVignettesResponse:
        request = registry_pb2.ImportVignettesRequest(
            csv_chunk=listed.encode(),
            replace_all=True,
            look=True,
            **more,  # type: ignore[arg-type]
        )
        answer: registry_pb2.ImportVignettesResponse = stub.ImportVignettes(iter([request]), timeout=60)
        return answer

    unknown = looked()
    assert "must name the columns" in unknown.objections[0]
    assert list(unknown.column_names) == ["Wagen", "country", "valid_from", "valid_to"]
    seen = looked(columns=["plate=Wagen"])
    assert (seen.imported_count, seen.removed_count, seen.rejected_count) == (1, 49, 2)
    assert [row.line for row in seen.rejected_rows] == [3, 4]
    assert [said for said in seen.objections if "month first" in said]
    assert [said for said in seen.objections if "49 of 50 entries would be lost" in said]
    assert "plate=Wagen" in seen.column_meanings
    assert (seen.doubted_count, seen.unsure_count) == (1, 1)
    assert kind(stub, "1AB2349") == types_pb2.VERDICT_KIND_PAID
    with pytest.raises(grpc.RpcError, match="no such encoding"):
        looked(encoding="utf-nothing")


def test_errors_name_no_file_of_the_server(stub: registry_pb2_grpc.RegistryStub) -> None:
    for content in ("", "nonsense\n", HEAD + "1AB2301,CZ,12/31/2020,\n", "\x00\x01\x02"):
        with pytest.raises(grpc.RpcError) as caught:
            load(stub, content)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "/" not in caught.value.details().replace("12/31/2020", ""), caught.value.details()
        assert caught.value.details().startswith("gRPC: "), caught.value.details()


def test_many_plates_are_answered_in_their_order(stub: registry_pb2_grpc.RegistryStub) -> None:
    load(stub, HEAD + "".join(ROWS))
    asked = [registry_pb2.CheckRequest(plate=f"1AB{number:04d}") for number in range(2000, 3000)]
    answer = stub.BatchCheck(registry_pb2.BatchCheckRequest(requests=asked), timeout=60)
    assert [one.verdict for one in answer.responses] == [kind(stub, one.plate) for one in asked[:3]] + [
        types_pb2.VERDICT_KIND_PAID if f"1AB{number:04d}," in "".join(ROWS) else types_pb2.VERDICT_KIND_UNPAID
        for number in range(2003, 3000)
    ]
    assert not stub.BatchCheck(registry_pb2.BatchCheckRequest(), timeout=60).responses


def test_plates_and_countries_come_in_any_spelling(stub: registry_pb2_grpc.RegistryStub) -> None:
    load(stub, HEAD + "WÜ-AB 123,D,2020-01-01,\n")
    for country in ("", "D", "DE", "DEU", "Deutschland"):
        assert kind(stub, "wue ab 123", country) == types_pb2.VERDICT_KIND_PAID
    assert kind(stub, "WUAB123", "CZE") == types_pb2.VERDICT_KIND_UNPAID
    for plate, country in (("Я1", ""), ("1AB2345", "XQ"), ("-", "")):
        with pytest.raises(grpc.RpcError) as caught:
            kind(stub, plate, country)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_passage_is_paid_if_any_moment_of_it_is(stub: registry_pb2_grpc.RegistryStub) -> None:
    load(stub, "plate,country,valid_from,valid_to\n1AB2345,CZ,2026-05-01T10:00:00Z,2026-05-02T10:00:00Z\n")
    begins, minute = 1_777_629_600, 60

    def at(first_s: int, last_s: int | None = None) -> types_pb2.VerdictKind:
        request = registry_pb2.CheckRequest(plate="1AB2345", passage_time=Timestamp(seconds=first_s))
        if last_s is not None:
            request.passage_end_time.FromSeconds(last_s)
        answer: registry_pb2.CheckResponse = stub.Check(request, timeout=60)
        return answer.verdict

    paid, unpaid = types_pb2.VERDICT_KIND_PAID, types_pb2.VERDICT_KIND_UNPAID
    assert [at(begins), at(begins - 5 * minute), at(begins - 5 * minute - 1)] == [paid, paid, unpaid]
    assert [at(begins - 3600, begins - 5 * minute), at(begins - 3600, begins - 3000)] == [paid, unpaid]
    for first, last in ((begins, begins - 1), (None, begins)):
        request = registry_pb2.CheckRequest(plate="1AB2345", passage_end_time=Timestamp(seconds=last))
        if first is not None:
            request.passage_time.FromSeconds(first)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(request, timeout=60)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_what_has_no_end_is_told_as_a_time_that_exists(stub: registry_pb2_grpc.RegistryStub) -> None:
    load(stub, HEAD + ROWS[0])
    for seconds in (253_402_300_799, -62_135_596_800, 0):
        answer = stub.Check(
            registry_pb2.CheckRequest(plate="1AB2300", passage_time=Timestamp(seconds=seconds)), timeout=60
        )
        (held,) = (*answer.vignettes, *answer.lapsed_vignettes)
        assert held.valid_to_time.ToDatetime().year == 2116
        assert bool(answer.vignettes) is (seconds > 0)
