"""`roadside evidence explain`: an accusation, a doubt and a paid passage, told in plain words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.encryption import load_or_make_keyring
from roadside.adapters.sql import SqlRegistry, SqlSightingStore, Vault, import_vignettes, open_embedded
from roadside.adapters.sql.reviews import Reviews
from roadside.cli import main
from roadside.core.confusions import typical
from roadside.core.frames import CameraId
from roadside.core.moments import PassageTime
from roadside.core.reviews import Correction, ReviewAction
from roadside.core.sightings import PictureKind, Sighting, VerdictKind
from roadside.core.verdict import Policy
from roadside.core.vignettes import Vignette
from roadside.registry.judge import Judge
from tests.clocks import HandClock
from tests.contract.test_store import CROP, plate

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.adapters.sql import Database

PROVENANCE = (("software", "roadside 0.2.0"), ("model.reader", "reader/read.tflite sha256 ab12"), ("frames", "4"))
NEAR = "1A82345"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A database with one sighting of each kind, judged by the product's own judge."""
    database = open_embedded(tmp_path / "r.db")
    clock, keyring = HandClock(), load_or_make_keyring(tmp_path / "r.keys.json", "k1")
    vault = Vault(tmp_path / "r.evidence", keyring)
    store = SqlSightingStore(database, vault, clock)
    import_vignettes(database, [Vignette(p, "CZ", "car", 0, 2**62) for p in (NEAR, "7ZZ0000")], "list.csv", 1)
    judge = Judge(SqlRegistry(database, grace_s=0.0, max_age_days=0.0), typical(), Policy(), clock)
    for name, seen in (("accused", "5CD6789"), ("doubted", "1AB2345"), ("free", "7ZZ0000")):
        fused = plate(seen)
        verdict = judge.judge(fused, PassageTime.at(clock.ns))
        passing = Sighting(name, CameraId("gate"), f"t-{name}", clock.ns - 10**9, clock.ns, fused, verdict)
        store.save(replace(passing, provenance=PROVENANCE), [CROP])
    store.picture("accused", PictureKind.CROP, "petr")
    answer = Correction("doubted", clock.ns, "jana", ReviewAction.UNREADABLE, "", "", "1AB2345")
    Reviews(database, vault).record(answer)
    database.close()
    return tmp_path


def told(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["evidence", *arguments, "--db", str(home / "r.db")]) == 0
    return capsys.readouterr().out


def test_an_accusation_is_told_whole(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(home, capsys, "checkpoint")
    text = told(home, capsys, "explain", "accused")
    for expected in (
        "UNPAID, no vignette for any reading",
        "the registry holds no valid vignette",
        "5CD6789 (country CZ)",
        "3 looks read exactly this plate",
        "1. 5 over 99.99 %",
        "nothing in the pictures speaks against",
        "last frame 2027-",
        "camera gate",
        "nothing spoke against these times",
        "asked: vignettes up to import 1 of 1970-01-01",
        "policy.bound: 0.0002",
        "confusions: sha256 ",
        "model.reader: reader/read.tflite sha256 ab12",
        "crop: 6 bytes, plate at 1, 2, 30, 12",
        "opens and is the one that was sealed",
        "stored, whole record sealed",
        "seal right",
        "covers all of these",
        "petr looked at the crop",
    ):
        assert expected in text, expected


def test_a_review_says_which_vignette_is_near_and_why_a_person_must_look(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(home, capsys, "explain", "doubted")
    assert "REVIEW, may be a plate that paid" in text
    assert "A person has to tell which it is." in text
    assert f"vignette {NEAR} (CZ, car)" in text
    assert "1 of its characters is not what was read, probability" in text
    assert "jana answered: unreadable" in text
    assert "a person answered by jana" in text
    assert "no checkpoint covers these entries yet" in text


def test_of_a_paid_vehicle_no_plate_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(home, capsys, "explain", "free")
    assert "PAID, a vignette is valid" in text
    assert "7ZZ0000" not in text
    assert "none is kept" in text


def test_the_same_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(told(home, capsys, "explain", "doubted", "--json"))
    assert data["sighting"]["verdict"]["kind"] == VerdictKind.REVIEW
    assert data["rule"]["sentence"].endswith("A person has to tell which it is.")
    assert [slot["best"] for slot in data["slots"]] == list("1AB2345")
    assert [each["plate"] for each in data["considered"]] == [NEAR]
    assert [entry["event"] for entry in data["history"]["entries"]] == ["stored", "answered"]
    assert all(entry["sound"] for entry in data["history"]["entries"])
    assert data["pictures"][0]["fault"] is None
    assert "posterior" not in data["sighting"]["plate"]


def changed(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(statement)
    database.close()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE sightings SET camera_id = 'elsewhere'", "CHANGED SINCE: accused: camera_id was changed"),
        ("UPDATE evidence_chain SET at_ns = at_ns + 1", "SEAL WRONG"),
        ("UPDATE sealed_records SET body = replace(body, 'gate', 'exit')", "SEAL WRONG"),
    ],
)
def test_what_was_changed_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], statement: str, expected: str
) -> None:
    changed(open_embedded(home / "r.db"), statement)
    text = told(home, capsys, "explain", "accused")
    assert expected in text
    assert "what is kept is what was sealed" not in text


def test_a_sighting_that_is_not_there_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence", "explain", "nobody", "--db", str(home / "r.db")]) == 3
    assert capsys.readouterr().err == "roadside: there is no sighting nobody\n"
