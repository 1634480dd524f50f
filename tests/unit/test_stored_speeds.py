"""Speeds by two lines: stored, told, searched and drawn; and a threshold of gates that opens nothing."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from roadside.assembly.records import open_records
from roadside.assembly.settings import Settings
from roadside.cli import main
from roadside.commands.lists import sure
from roadside.commands.run_site import tell_mode
from roadside.core.frames import CameraId
from roadside.core.sightings import Sighting, Verdict, VerdictKind
from roadside.core.speed import AverageSpeed
from roadside.wire.convert import sighting_from_proto, sighting_to_proto

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOW_NS = 1_780_000_000 * 10**9


def sighting(name: str) -> Sighting:
    verdict = Verdict(VerdictKind.REVIEW, "one-look", 0, 0)
    return Sighting(name, CameraId("gate"), f"t-{name}", NOW_NS, NOW_NS, sure("1AB2345"), verdict)


def names(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["plates", "recent", "--json", *arguments]) == 0
    return [json.loads(line)["sighting_id"] for line in capsys.readouterr().out.splitlines()]


def test_speeds_by_two_lines_are_stored_listed_filtered_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(db=tmp_path / "r.db")
    records = open_records(settings)
    speeds = {"slow": AverageSpeed(48.0, 45.0, 51.5), "near": AverageSpeed(55.0, 49.0, 61.5), "none": None}
    for name, speed in {**speeds, "fast": AverageSpeed(72.25, 68.0, 76.5)}.items():
        kept = replace(sighting(name), speed=speed)
        records.store.save(kept)
        assert records.store.get(name).speed == speed
        assert sighting_from_proto(sighting_to_proto(kept)).speed == speed
    records.close()
    db = ["--db", str(settings.db)]
    assert names([*db, "--over", "50"], capsys) == ["fast"]
    assert sorted(names([*db, "--over", "44"], capsys)) == ["fast", "near", "slow"]
    assert main(["plates", "recent", *db, "--over", "50"]) == 0
    assert "72 km/h (68 to 76)" in capsys.readouterr().out
    assert main(["plates", "recent", *db, "--over", "50", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["speed"]
    assert told == {"kmh": 72.25, "lowest_kmh": 68.0, "highest_kmh": 76.5}
    assert main(["plates", "recent", *db, "--csv", str(tmp_path / "x.csv")]) == 0
    rows = {row["sighting_id"]: row for row in csv.DictReader((tmp_path / "x.csv").read_text("utf-8-sig").splitlines())}
    assert (rows["fast"]["speed_kmh"], rows["fast"]["speed_highest_kmh"]) == ("72.25", "76.5")
    assert rows["none"]["speed_kmh"] == ""
    for more in ([], ["--from", str(tmp_path / "x.csv")]):
        assert main(["plot", str(tmp_path / "a.svg"), "--of", "speeds", *db, *more]) == 0
        assert "Speeds (n = 3;" in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("open_at", "told"), [("0.9998", False), ("0.9999", True), ("1.0", True)])
def test_a_threshold_that_opens_nothing_is_said(
    tmp_path: Path, open_at: str, *, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(f"known_open_at = {open_at}\n[camera.gate]\nsource = 'x.mp4'\n")
    assert main(["config", "check", "--config", str(site)]) == 0
    said = capsys.readouterr().err
    assert ("no gate will ever open" in said) is told
    assert said.count("\n") == int(told)
    settings = Settings(db=tmp_path / "r.db", known_open_at=float(open_at))
    records = open_records(settings)
    tell_mode(settings, records)
    records.close()
    assert ("no gate will ever open" in capsys.readouterr().err) is told
