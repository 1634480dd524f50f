"""`roadside plot`: figures from a database, CSV, objects a line; and what is said where there is nothing."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.assembly.records import open_records
from roadside.assembly.settings import Settings
from roadside.cli import main
from roadside.commands.lists import sure
from roadside.core.frames import CameraId
from roadside.core.outline import Direction
from roadside.core.sightings import Sighting, Verdict, VerdictKind

if TYPE_CHECKING:
    from pathlib import Path

T0 = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SITE = '[section.bridge]\nfrom = "west"\nto = "east"\ndistance_m = 1000.0\n[camera.west]\n[camera.east]\n'


def passed(name: str, camera: str, at: datetime, way: Direction | None, kind: VerdictKind) -> Sighting:
    at_ns = int(at.timestamp()) * 10**9
    plate = sure(f"AB12CD{name[-1]}")
    return Sighting(name, CameraId(camera), name, at_ns, at_ns, plate, Verdict(kind, "one-look", 0, 0), direction=way)


@pytest.fixture
def db(tmp_path: Path) -> list[str]:
    settings = Settings(db=tmp_path / "r.db")
    records = open_records(settings)
    for hour in range(30):
        at = T0 + timedelta(hours=hour)
        way = Direction.IN if hour % 3 else Direction.OUT
        kind = VerdictKind.REVIEW if hour % 2 else VerdictKind.UNPAID
        records.store.save(passed(f"w{hour}", "west", at, way, kind))
        records.store.save(passed(f"e{hour}", "east", at + timedelta(seconds=40 + hour), None, kind))
    records.close()
    return ["--db", str(settings.db)]


def ink(path: Path) -> float:
    """How much of a picture is not white."""
    image = cv2.imread(str(path))
    assert image is not None
    return float(np.mean(np.any(image < 250, axis=2)))


def test_a_database_is_drawn_and_what_is_drawn_is_said(
    db: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "all.png"
    assert main(["plot", str(out), *db]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}: passages, verdicts, confidence of 60 passages\n"
    assert said.err == ""
    image = cv2.imread(str(out))
    assert image is not None
    assert image.shape == (1680, 1400, 3), "three panels of 7 x 2.8 inches, 200 pixels each"
    assert ink(out) > 0.05


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_the_ending_says_the_format_and_the_same_passages_make_the_same_file(
    db: list[str], tmp_path: Path, ending: str, start: bytes
) -> None:
    first, again = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    assert main(["plot", str(first), "--of", "passages", *db]) == 0
    assert main(["plot", str(again), "--of", "passages", *db]) == 0
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == again.read_bytes()


def test_cameras_and_directions_are_told_apart(db: list[str], tmp_path: Path) -> None:
    """Text of an SVG is drawn as outlines; a comment before each says what it is."""
    out = tmp_path / "a.svg"
    assert main(["plot", str(out), *db]) == 0
    text = out.read_text(encoding="utf-8")
    for label in ("east (30)", "west, in (20)", "west, out (10)", "passages per hour", "time (Europe/Prague)",
                  "REVIEW (30)", "UNPAID (30)", "confidence of the whole plate"):  # fmt: skip
        assert f"<!-- {label} -->" in text
    assert main(["plot", str(out), "--camera", "west", "--per", "day", *db]) == 0
    text = out.read_text(encoding="utf-8")
    assert "<!-- east (30) -->" not in text
    assert "<!-- passages per day -->" in text


def test_a_section_s_speeds_are_drawn(db: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.toml"
    site.write_text(SITE)
    out = tmp_path / "a.svg"
    assert main(["plot", str(out), "--section", "bridge", "--of", "speeds", "--config", str(site), *db]) == 0
    assert "<!-- average speed (km/h) -->" in out.read_text(encoding="utf-8")
    assert "speeds of 60 passages" in capsys.readouterr().out


def test_files_that_the_commands_wrote_are_drawn_as_the_database_is(
    db: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, table, sheet = tmp_path / "a.svg", tmp_path / "x.csv", tmp_path / "x.xlsx"
    assert main(["plot", str(straight), *db]) == 0
    assert main(["plates", "recent", "--csv", str(table), *db]) == 0
    assert main(["plates", "recent", "--xlsx", str(sheet), *db]) == 0
    capsys.readouterr()
    assert main(["plates", "recent", "--json", "--limit", "100", *db]) == 0
    lines = tmp_path / "x.jsonl"
    lines.write_text(capsys.readouterr().out)
    for given in (table, sheet, lines):
        out = tmp_path / "b.svg"
        assert main(["plot", str(out), "--from", str(given)]) == 0
        assert out.read_bytes() == straight.read_bytes(), given
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.read_bytes())))
    assert main(["plot", str(out), "--from", "-", "--of", "passages"]) == 0
    assert main(["plot", str(out), "--from", str(table), "--camera", "west", "--since", "2026-03-03"]) == 0
    assert "of 13 passages" in capsys.readouterr().out


def test_true_plates_beside_the_read_ones_give_the_reliability(tmp_path: Path) -> None:
    given, out = tmp_path / "x.csv", tmp_path / "a.svg"
    rows = [f"2026-03-02T06:00:{n:02},gate,AB12CDE,0.9,{'AB12CDE' if n % 10 else 'AB12CDF'}" for n in range(50)]
    given.write_text("last_seen,camera,plate,confidence,truth\n" + "\n".join(rows))
    assert main(["plot", str(out), "--from", str(given), "--of", "reliability"]) == 0
    assert "(n = 50 with the true plate; expected calibration error 0.000)" in out.read_text(encoding="utf-8")


def test_speeds_of_a_file(tmp_path: Path) -> None:
    given, out = tmp_path / "x.jsonl", tmp_path / "a.svg"
    held = [
        {"section": "bridge", "left": "2026-03-02T06:00:00+00:00", "kmh": v, "lowest_kmh": v - 2, "highest_kmh": v + 2}
        for v in range(60, 101)
    ]
    given.write_text("".join(json.dumps(row) + "\n" for row in held))
    assert main(["plot", str(out), "--from", str(given), "--of", "speeds"]) == 0
    text = out.read_text(encoding="utf-8")
    assert "<!-- V50 = 80.0 km/h -->" in text
    assert "<!-- V85 = 94.0 km/h -->" in text


EMPTY = "last_seen,camera\n"
ONE = EMPTY + "2026-03-02T06:00:00+01:00,gate\n"


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        (EMPTY, [], "holds no passage that was asked for"),
        (ONE, ["--camera", "yard"], "holds no passage that was asked for"),
        (ONE, ["--of", "verdicts", "--of", "speeds"], "verdicts: nobody was asked who paid; speeds: none has a speed"),
        ("a,b\n1,2\n", [], "has no column last_seen"),
        (EMPTY + "yesterday,gate\n", [], "x.csv:2: "),
        (EMPTY + ",gate\n", [], "x.csv:2: has no last_seen"),
        ("last_seen,verdict\n2026-03-02,NICE\n", [], "x.csv:2: "),
        ("last_seen,confidence\n2026-03-02,nan\n", [], "x.csv:2: confidence is nan"),
        ("last_seen,speed_kmh,speed_lowest_kmh\n2026-03-02,50,60\n", [], "x.csv:2: a speed of 50.0 km/h does not lie"),
        ('{"last_seen": "2026-03-02"}\n[1]\n', [], "x.csv:2: is no JSON object"),
        ('{"last_seen": 5}\n', [], "x.csv:1: has no last_seen"),
        ('{"last_seen"\n', [], "x.csv:1: is no JSON object on one line"),
        (ONE + "2020-03-02T06:00:00+01:00,gate\n", ["--per", "minute"], "--per minute: that are more than 10000 parts"),
        (ONE, ["--section", "bridge"], "--section compares times of the database"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(
    tmp_path: Path, text: str, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.csv").write_text(text)
    assert main(["plot", str(tmp_path / "a.png"), "--from", str(tmp_path / "x.csv"), *more]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "a.png").exists()


def test_an_empty_database_and_a_period_without_passages(
    db: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "a.png")
    assert main(["plot", out, "--since", "2026-05-01", *db]) == 2
    assert "nothing is that was asked for; the newest passage is of 2026-03-03" in capsys.readouterr().err
    assert main(["plot", out, "--db", str(tmp_path / "none.db")]) == 2
    assert "no sightings are stored there yet" in capsys.readouterr().err
    open_records(Settings(db=tmp_path / "empty.db")).close()
    assert main(["plot", out, "--db", str(tmp_path / "empty.db")]) == 2
    assert "nothing was seen yet" in capsys.readouterr().err


def test_a_panel_that_was_asked_for_and_has_nothing_is_said_beside_the_others(
    db: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", str(tmp_path / "a.png"), "--of", "passages", "--of", "speeds", *db]) == 0
    assert capsys.readouterr().err == "roadside: speeds: not drawn, none has a speed\n"


@pytest.mark.parametrize("name", ["a.txt", "a", "a.jpg"])
def test_other_formats_are_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", str(tmp_path / name)]) == 2
    assert "its name ends in none of .png, .svg, .pdf" in capsys.readouterr().err


def test_without_matplotlib_the_extra_is_named(tmp_path: Path) -> None:
    lines = (
        "import sys; sys.modules['matplotlib'] = None",
        "from roadside.cli import main",
        "sys.exit(main(sys.argv[1:]))",
    )
    command = [sys.executable, "-c", "\n".join(lines), "plot", str(tmp_path / "a.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.search(r"matplotlib is missing\), the extra plot: .*pip install", done.stderr)
    assert done.stderr.count("\n") == 1


def test_many_cameras_and_strange_names_are_drawn(tmp_path: Path) -> None:
    given, out = tmp_path / "x.csv", tmp_path / "a.svg"
    names = ["_hidden", "$5^2$", "žluť", *(f"c{n}" for n in range(20))]
    given.write_text(EMPTY + "".join(f"2026-03-02T06:00:00Z,{name}\n" for name in names), encoding="utf-8")
    assert main(["plot", str(out), "--from", str(given)]) == 0
    text = out.read_text(encoding="utf-8")
    assert "$5^2$ (1)" in text
    assert "17 others (17)" in text
