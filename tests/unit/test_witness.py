"""Nobody outside is told that a vehicle did not pay before a second reader, or a person, has agreed."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from roadside.adapters.encryption import load_or_make_keyring
from roadside.adapters.second_reader import OcrOptions, OcrWitness
from roadside.adapters.sql import Database, SqlSightingStore, Vault, open_embedded
from roadside.adapters.sql.outbox import SqlOutbox
from roadside.assembly.settings import Settings
from roadside.assembly.witness import open_second
from roadside.commands.table import sighting_line
from roadside.core.confusions import typical
from roadside.core.ctc import EMPTY
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.motion import Motion
from roadside.core.reads import ALPHABET, Character, FusedPlate, PlacedRead, Read, Track
from roadside.core.rules import Rule
from roadside.core.showing import EvidenceRule, fuse_track
from roadside.core.sightings import Answer, Sighting, Statement, Verdict, VerdictKind
from roadside.core.verdict import Policy
from roadside.core.vignettes import CandidateQuery, RegistryAnswer, Vignette
from roadside.core.witness import heard, is_held, needs_witness
from roadside.errors import ModelError
from roadside.kit.callers import Callers
from roadside.kit.grpc_server import GrpcServer, ServerOptions
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.kit.weights import weights_folder
from roadside.notify.options import NotifyOptions, WebhookOptions
from roadside.notify.policy import compose
from roadside.ocr.config import SecondReader
from roadside.ocr.metrics import SPECS
from roadside.ocr.servicer import Named, OcrServicer
from roadside.registry.judge import Judge
from roadside.registry.passages import PassageBuilder
from roadside.registry.recheck import recheck
from roadside.registry.witness import ReaderWitness
from roadside.v1 import ocr_pb2_grpc
from roadside.wire.convert import verdict_from_proto, verdict_to_proto
from tests.waiting import PLENTY_S

if TYPE_CHECKING:
    from pathlib import Path

    import grpc
    from numpy.typing import NDArray

GATE = CameraId("gate")
DIGEST = "0" * 64
TOKEN = "a-token-of-some-length"  # noqa: S105 - of a test
OFFICE = WebhookOptions(name="office", url="http://127.0.0.1:1/", secret_env="S")  # noqa: S106 - a variable's name
OPTIONS = NotifyOptions(webhook=(OFFICE,))


def posterior(text: str) -> NDArray[np.float32]:
    rows = np.full((len(text), len(ALPHABET)), 1e-9)
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = 1 - 35e-9
    return rows.astype(np.float32)


def read(text: str) -> Read:
    characters = tuple(Character(c, 0.999) for c in text)
    return Read(text, text, "SK", 0.99, characters, posterior(text), (), (("SK", 0.99),))


def crop(at: int = 0) -> Crop:
    """A whole plate on an even ground, 60 px further in each frame."""
    x = 200 + 60 * at
    image = np.full((60, 200, 3), 210, np.uint8)
    image[18:42, 30:170:14] = 30
    image[18:42, 31:171:14] = 30
    detection = Detection(Box(x, 300, x + 160, 340), 0.9)
    return Crop(GATE, at * 10**9 // 25, at, detection, image, (x - 20, 290), (1920, 1080))


@dataclass
class Says:
    """A reader that reads one text, whatever it is shown."""

    text: str
    asked: list[Crop] = field(default_factory=list)

    def read(self, crop: Crop) -> Read:
        self.asked.append(crop)
        return read(self.text) if self.text else EMPTY


@dataclass(frozen=True)
class Held:
    """A registry that holds these plates."""

    plates: tuple[str, ...] = ()

    def search(self, query: CandidateQuery, at_ns: int) -> RegistryAnswer:
        del query, at_ns
        return RegistryAnswer(tuple(Vignette(p, "SK", "", 0, 2**62) for p in self.plates), ())


@dataclass(frozen=True)
class Clock:
    def now_ns(self) -> int:
        return 2**62


def fused(text: str) -> FusedPlate:
    return FusedPlate(text, text, "SK", 0.99, posterior(text))


def store_database(folder: Path) -> Database:
    return open_embedded(folder / "roadside.db")


def keep(folder: Path) -> SqlSightingStore:
    vault = Vault(folder / "evidence", load_or_make_keyring(folder / "keys.json", "k1"))
    return SqlSightingStore(store_database(folder), vault, Clock())


def pass_by(witness: ReaderWitness | None, *paid: str, text: str = "BL123AB") -> Sighting:
    judge = Judge(Held(paid), typical(), Policy(), Clock())
    track = Track(GATE, "t", tuple(PlacedRead(crop(i), read(text)) for i in range(4)), motion=Motion.MOVED)
    fusion = fuse_track(track, EvidenceRule())
    assert fusion is not None
    passage = PassageBuilder(judge, witness=witness).passage(track, fusion, lambda _: None)
    assert passage is not None
    return passage.sighting


def test_an_unpaid_that_the_second_reader_confirms_leaves_the_house() -> None:
    sighting = pass_by(ReaderWitness(Says("BLI23AB"), "other", DIGEST))
    assert (sighting.verdict.kind, sighting.verdict.rule) == (VerdictKind.UNPAID, "no-paid-reading")
    assert sighting.verdict.witness == Statement(Answer.CONFIRMED, "other", DIGEST, "BLI23AB")
    assert not is_held(sighting.verdict)
    assert len(compose(sighting, OPTIONS)) == 1


@pytest.mark.parametrize("text", ["BL123AC", "BL123A", ""])
def test_an_unpaid_that_the_second_reader_denies_is_a_review(text: str) -> None:
    verdict = pass_by(ReaderWitness(Says(text), "other", DIGEST)).verdict
    assert (verdict.kind, verdict.rule) == (VerdictKind.REVIEW, Rule.SECOND_READER_DISAGREES)
    assert verdict.witness == Statement(Answer.DISAGREED, "other", DIGEST, text)


def test_an_unpaid_without_a_second_reader_is_held_for_a_person() -> None:
    sighting = pass_by(None)
    assert sighting.verdict.kind is VerdictKind.UNPAID
    assert is_held(sighting.verdict)
    assert compose(sighting, OPTIONS) == []
    by_person = replace(sighting, verdict=replace(sighting.verdict, rule="read-by-person"))
    assert len(compose(by_person, OPTIONS)) == 1


def test_a_second_reader_is_asked_about_the_accused_alone_and_once() -> None:
    reader = Says("BL123AB")
    assert pass_by(ReaderWitness(reader, "other", DIGEST), "BL123AB").verdict.kind is VerdictKind.PAID
    assert reader.asked == []
    pass_by(ReaderWitness(reader, "other", DIGEST))
    assert len(reader.asked) == 1


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_a_second_reader_makes_nobody_unpaid(kind: VerdictKind) -> None:
    for answer in (None, *(Statement(a, "other", DIGEST, "X") for a in Answer)):
        after = heard(Verdict(kind, "rule", 0.0, 0.0), answer).kind
        assert after in (kind, VerdictKind.REVIEW)
        assert after is kind or kind is VerdictKind.UNPAID
    assert needs_witness(Verdict(kind, "rule", 0.0, 0.0)) == (kind in (VerdictKind.UNPAID, VerdictKind.UNKNOWN))


def test_a_statement_travels() -> None:
    verdict = Verdict(VerdictKind.UNPAID, "rule", 0.0, 0.0, witness=Statement(Answer.CONFIRMED, "r", DIGEST, "AB1"))
    assert verdict_from_proto(verdict_to_proto(verdict)) == verdict
    alone = replace(verdict, witness=None)
    assert verdict_from_proto(verdict_to_proto(alone)) == alone


@dataclass
class Serving:
    """An ocr service on a free port."""

    servicer: OcrServicer
    token: str | None = None

    def __enter__(self) -> str:
        def register(server: grpc.Server) -> tuple[str]:
            ocr_pb2_grpc.add_OcrServicer_to_server(self.servicer, server)
            return ("roadside.v1.Ocr",)

        health = Health(("model",), time.monotonic)
        health.set("model", ready=True)
        meter = PrometheusMeter("ocr", SPECS, CollectorRegistry())
        options = ServerOptions(host="127.0.0.1", port=0, callers=Callers(token=self.token))
        self._server = GrpcServer(options, register, health, meter)
        self._server.start()
        return f"127.0.0.1:{self._server.port}"

    def __exit__(self, *_: object) -> None:
        self._server.stop(0)


def ask(address: str, token: str | None = None) -> Statement | None:
    witness = OcrWitness(OcrOptions(address, token, deadline_s=PLENTY_S))
    try:
        return witness.testify(crop(3), fused("BL123AB"))
    finally:
        witness.close()


def test_the_second_reader_of_the_ocr_service_testifies_over_grpc() -> None:
    first, second = Says("BL123AC"), Says("BL123AB")
    with Serving(OcrServicer(first, Named(second, "other", DIGEST)), TOKEN) as address:
        assert ask(address, TOKEN) == Statement(Answer.CONFIRMED, "other", DIGEST, "BL123AB")
        assert ask(address, "a-wrong-token-of-some-length") is None
    assert first.asked == []
    (seen,) = second.asked
    assert np.array_equal(seen.image, crop(3).image)
    assert seen.detection.box == Box(20, 10, 180, 50)


def test_an_ocr_service_that_is_away_or_has_no_second_reader_says_nothing() -> None:
    with Serving(OcrServicer(Says("BL123AB"))) as address:
        assert ask(address) is None
    assert ask(address) is None


def test_what_the_second_reader_said_is_kept_and_read_again(tmp_path: Path) -> None:
    store = keep(tmp_path)
    confirmed = pass_by(ReaderWitness(Says("BL123AB"), "other", DIGEST))
    assert store.save(confirmed).verdict.witness == confirmed.verdict.witness
    assert store.get(confirmed.sighting_id).verdict.witness == confirmed.verdict.witness


def test_who_is_asked_about_again_keeps_what_the_second_reader_said(tmp_path: Path) -> None:
    """The registry was away when the vehicle passed: when it answers, the picture is not at hand any more."""
    store = keep(tmp_path)
    waiting = pass_by(None)
    denied = Statement(Answer.DISAGREED, "other", DIGEST, "BL123AC")
    verdict = Verdict(VerdictKind.UNKNOWN, "registry-stale", 0.0, 0.0, witness=denied)
    store.save(replace(waiting, verdict=verdict))
    judge = Judge(Held(), typical(), Policy(), Clock())
    (decided,) = recheck(store, judge, "test")
    assert (decided.verdict.kind, decided.verdict.rule) == (VerdictKind.REVIEW, Rule.SECOND_READER_DISAGREES)


def test_who_turns_out_to_have_paid_leaves_no_plate_in_what_the_second_reader_said(tmp_path: Path) -> None:
    store = keep(tmp_path)
    said = Statement(Answer.CONFIRMED, "other", DIGEST, "BL123AB")
    paid = replace(pass_by(None), verdict=Verdict(VerdictKind.PAID, "paid", 1.0, 0.0, witness=said))
    assert store.save(paid).verdict.witness is None
    assert b"BL123AB" not in (tmp_path / "roadside.db").read_bytes()


def test_a_person_who_confirms_lets_the_notice_go(tmp_path: Path) -> None:
    store = keep(tmp_path)
    outbox = SqlOutbox(store_database(tmp_path))
    held = store.save(pass_by(None))
    assert outbox.collect(lambda sighting: compose(sighting, OPTIONS), 0) == 0
    judge = Judge(Held(), typical(), Policy(), Clock())
    store.decide(held.sighting_id, judge.settle("BL123AB", "SK", held.passage, stated=False), "a person")
    assert outbox.collect(lambda sighting: compose(sighting, OPTIONS), 0) == 1


def test_the_lists_say_whom_nobody_has_confirmed() -> None:
    assert "a person must confirm" in sighting_line(pass_by(None))
    assert "other agrees" in sighting_line(pass_by(ReaderWitness(Says("BL123AB"), "other", DIGEST)))


def test_a_net_cannot_confirm_itself(tmp_path: Path) -> None:
    settings = Settings(second_reader=SecondReader.NET, second_modeldir=weights_folder() / "reader_wide")
    with pytest.raises(ModelError, match="would confirm itself"):
        open_second(settings)
    assert open_second(Settings(second_modeldir=weights_folder() / "reader_wide", tessdata=tmp_path)) is None
    other = open_second(Settings(second_reader=SecondReader.NET, second_modeldir=weights_folder() / "reader_int8"))
    assert other is not None
    assert other.name == "reader_int8"
    assert other.sha256 == hashlib.sha256((weights_folder() / "reader_int8" / "read.tflite").read_bytes()).hexdigest()


def test_without_a_second_reader_there_is_none(tmp_path: Path) -> None:
    assert open_second(Settings(second_reader=SecondReader.NONE)) is None
    assert open_second(Settings(tessdata=tmp_path, second_modeldir=tmp_path)) is None
    with pytest.raises(ModelError):
        open_second(Settings(second_reader=SecondReader.TESSERACT, tessdata=tmp_path))
