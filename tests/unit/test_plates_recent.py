"""`roadside plates recent`: periods, cameras, files for offices, and what is said where there is nothing."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from openpyxl import load_workbook

from roadside.assembly.records import open_records
from roadside.assembly.settings import Settings
from roadside.cli import main
from roadside.core.frames import CameraId
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Sighting, Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DAYS = (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), datetime(2026, 3, 2, 11, 0, tzinfo=UTC))
NOW = datetime.now(UTC)


def sighting(name: str, camera: str, at: datetime, plate: str = "1AB2345") -> Sighting:
    rows = np.full((7, 36), 1 / 36, np.float32)
    fused = FusedPlate(plate, plate, "CZ", 0.9, rows, (), (), 2)
    at_ns = int(at.timestamp()) * 10**9
    return Sighting(
        name, CameraId(camera), f"t-{name}", at_ns, at_ns, fused, Verdict(VerdictKind.REVIEW, "one-look", 0, 0)
    )


@pytest.fixture
def db(tmp_path: Path) -> list[str]:
    """Two of March, thirty of an hour ago."""
    settings = Settings(db=tmp_path / "r.db")
    records = open_records(settings)
    for number, at in enumerate(DAYS):
        records.store.save(sighting(f"m{number}", "gate", at))
    for number in range(30):
        records.store.save(sighting(f"n{number}", "yard", NOW - timedelta(hours=1, seconds=number)))
    records.close()
    return ["--db", str(settings.db)]


def names(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["plates", "recent", "--json", *arguments]) == 0
    return [json.loads(line)["sighting_id"] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--until", "2026-03-02"], ["m1", "m0"]),  # the first is of the second of March, in Prague
        (["--since", "2026-03-02", "--until", "2026-03-02T11:59"], ["m0"]),
        (["--since", "2026-03-02T12:00", "--until", "3. 3. 2026"], ["m1"]),
        (["--camera", "gate"], ["m1", "m0"]),
        (["--of-camera", "gate", "--limit", "1"], ["m1"]),
        (["--since", "30m"], []),
    ],
)
def test_a_period_and_a_camera(
    db: list[str], asked: list[str], found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert names([*db, *asked], capsys) == found


def test_that_long_ago(db: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert len(names([*db, "--since", "2h", "--limit", "100"], capsys)) == 30
    assert len(names([*db, "--since", "1d"], capsys)) == 20, "as many as are shown if nothing is said"


def test_the_table_shows_days_and_cameras(db: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plates", "recent", "--limit", "40", *db]) == 0
    out = capsys.readouterr().out
    assert f"{DAYS[1].astimezone():%Y-%m-%d %H:%M:%S}  gate " in out
    assert "32 sightings: 32 REVIEW" in out


@pytest.mark.parametrize("wrong", [["--limit", "0"], ["--limit", "-3"], ["--json", "--csv", "x.csv"]])
def test_what_makes_no_sense_is_refused(db: list[str], wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plates", "recent", *wrong, *db])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_time_that_is_none_is_told(db: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plates", "recent", "--since", "yesterday", *db]) == 2
    assert "--since: 'yesterday' is no date such as 2026-01-31" in capsys.readouterr().err


def test_nothing_is_told_as_what_it_is(db: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plates", "recent", "--camera", "moon", *db]) == 0
    assert "nothing is that was asked for; the newest sighting is of 20" in capsys.readouterr().out
    empty = ["--db", str(tmp_path / "empty.db")]
    open_records(Settings(db=tmp_path / "empty.db")).close()
    assert main(["plates", "recent", "--camera", "moon", *empty]) == 0
    assert capsys.readouterr().out == "Nothing was seen yet.\n"


def test_files_for_an_office_hold_all_of_it(db: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plates", "recent", "--csv", str(tmp_path / "a.csv"), *db]) == 0
    assert main(["plates", "recent", "--xlsx", str(tmp_path / "a.xlsx"), *db]) == 0
    assert capsys.readouterr().out.count(": 32 sightings") == 2
    with (tmp_path / "a.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert (rows[-1]["last_seen"], rows[-1]["plate"]) == ("2026-03-02T00:30:00+01:00", "1AB2345")
    sheet = load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(rows[0])
    assert sheet.max_row == 33
    assert main(["plates", "recent", "--csv", "-", "--limit", "1", *db]) == 0
    assert capsys.readouterr().out.startswith("last_seen,first_seen,camera,plate")
