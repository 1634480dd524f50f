"""Reviews over gRPC: the next sighting, an answer, and what is refused."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import SqlRegistry, SqlSightingStore, Vault, import_vignettes, open_embedded
from roadside.adapters.sql.reviews import Reviews
from roadside.adapters.system_clock import SystemClock
from roadside.core.confusions import typical
from roadside.core.frames import CameraId
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Sighting, Verdict, VerdictKind
from roadside.core.verdict import Policy
from roadside.core.vignettes import Vignette
from roadside.kit.grpc_server import GrpcServer, ServerOptions
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.plates.metrics import SPECS
from roadside.plates.review import Reviewing
from roadside.plates.review_servicer import ReviewServicer
from roadside.registry.judge import Judge
from roadside.v1 import review_pb2, review_pb2_grpc, types_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def reviewing(tmp_path: Path) -> Iterator[Reviewing]:
    clock = SystemClock()
    database = open_embedded(tmp_path / "r.db")
    vault = Vault(tmp_path / "e", new_keyring("k"))
    store = SqlSightingStore(database, vault, clock)
    import_vignettes(database, [Vignette("1A82345", "CZ", "", 0, 2**62)], "f", 1)
    rows = np.full((7, 36), 1 / 36, np.float32)
    for name, text in (("a", "1AB2345"), ("b", "5CD6789")):
        plate = FusedPlate(text, text, "CZ", 0.9, rows, (), (), 2)
        verdict = Verdict(VerdictKind.REVIEW, "one-look", 0.0, 0.0)
        store.save(Sighting(name, CameraId("gate"), name, 10, 10, plate, verdict))
    judge = Judge(SqlRegistry(database, grace_s=0.0, max_age_days=0.0), typical(), Policy(), clock)
    yield Reviewing(store, Reviews(database, vault), judge.settle, clock)
    database.close()


@pytest.fixture
def stub(reviewing: Reviewing) -> Iterator[review_pb2_grpc.ReviewStub]:
    def register(server: grpc.aio.Server) -> tuple[str]:
        review_pb2_grpc.add_ReviewServicer_to_server(ReviewServicer(reviewing), server)
        return ("roadside.v1.Review",)

    health = Health((), time.monotonic)
    meter = PrometheusMeter("plates", SPECS, CollectorRegistry())
    server = GrpcServer(ServerOptions(host="127.0.0.1", port=0), register, health, meter)
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield review_pb2_grpc.ReviewStub(channel)
    server.stop(1.0)


def test_the_queue_is_answered_through_grpc(stub: review_pb2_grpc.ReviewStub, tmp_path: Path) -> None:
    first = stub.NextSighting(review_pb2.NextSightingRequest(), timeout=60)
    assert (first.sighting.sighting_id, first.waiting_count) == ("a", 2)
    put_off = stub.NextSighting(review_pb2.NextSightingRequest(skip_sighting_ids=["a"]), timeout=60)
    assert put_off.sighting.sighting_id == "b"
    corrected = stub.AnswerSighting(
        review_pb2.AnswerSightingRequest(
            sighting_id="a", action=review_pb2.REVIEW_ACTION_CORRECT, plate="1A8 2345", country="CZ", author="jana"
        ),
        timeout=60,
    )
    assert corrected.sighting.verdict.kind == types_pb2.VERDICT_KIND_PAID
    assert not corrected.sighting.HasField("plate")
    confirmed = stub.AnswerSighting(
        review_pb2.AnswerSightingRequest(sighting_id="b", action=review_pb2.REVIEW_ACTION_CONFIRM), timeout=60
    )
    assert confirmed.sighting.verdict.kind == types_pb2.VERDICT_KIND_UNPAID
    with sqlite3.connect(tmp_path / "r.db") as known:
        authors = [author for (author,) in known.execute("SELECT author FROM corrections ORDER BY rowid")]
    assert authors == ["local 127.0.0.1, for jana", "local 127.0.0.1"]
    assert not stub.NextSighting(review_pb2.NextSightingRequest(), timeout=60).HasField("sighting")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (review_pb2.AnswerSightingRequest(sighting_id="a"), grpc.StatusCode.INVALID_ARGUMENT),
        (review_pb2.AnswerSightingRequest(action=review_pb2.REVIEW_ACTION_CONFIRM), grpc.StatusCode.INVALID_ARGUMENT),
        (
            review_pb2.AnswerSightingRequest(sighting_id="none", action=review_pb2.REVIEW_ACTION_CONFIRM),
            grpc.StatusCode.NOT_FOUND,
        ),
        (
            review_pb2.AnswerSightingRequest(sighting_id="a", action=review_pb2.REVIEW_ACTION_CORRECT, plate="?"),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
def test_what_is_no_answer_is_refused_and_changes_nothing(
    stub: review_pb2_grpc.ReviewStub, request_: review_pb2.AnswerSightingRequest, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.AnswerSighting(request_, timeout=60)
    assert caught.value.code() is code
    assert stub.NextSighting(review_pb2.NextSightingRequest(), timeout=60).waiting_count == 2
