"""Plates without a list of vignettes: nothing is asked of anybody, and nothing is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from roadside.adapters.sql.schema import SIGHTINGS
from roadside.assembly.caretaking import PURGE_EVERY_S, Caretaker
from roadside.assembly.records import open_records, reads_plates_alone
from roadside.assembly.settings import Settings
from roadside.cli import main
from roadside.core.frames import CameraId
from roadside.core.sightings import Sighting, VerdictKind
from roadside.core.verdict import no_verdict
from tests.unit.test_run import STREET

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

VIGNETTES = "plate,country,valid_from,valid_to,category\nHK47 TVN,UK,2020-01-01,2099-12-31,annual\n"
DAY_NS = 86_400 * 10**9


def recent(db: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["plates", "recent", "--json", "--db", str(db)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_without_a_list_plates_are_read_and_nobody_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = tmp_path / "r.db"
    assert main(["run", str(STREET), "--db", str(db), "--out", str(tmp_path / "o.png")]) == 0
    told = capsys.readouterr()
    assert told.err.count("no list of vignettes: plates are kept for 7 days") == 1
    assert "second reader" not in told.err
    for word in ("UNKNOWN", "verdict", "registry-unavailable"):
        assert word not in told.out
    assert "HK47TVN" in told.out
    found = recent(db, capsys)
    assert {plate["plate"] for plate in found} == {"HK47TVN", "9K74182"}
    assert {plate[key] for plate in found for key in ("verdict", "rule", "why", "p_paid")} == {None}
    (tmp_path / "v.csv").write_text(VIGNETTES)
    assert main(["registry", "import", str(tmp_path / "v.csv"), "--db", str(db)]) == 0
    assert {plate["verdict"] for plate in recent(db, capsys)} == {None}, "who passed before is not judged afterwards"
    assert main(["run", str(STREET), "--db", str(db), "--recorded-at", "now"]) == 0
    told = capsys.readouterr()
    assert "no list of vignettes" not in told.err
    assert "1 PAID" in told.out, "an import turns verdicts on"


def test_a_registry_that_is_named_and_empty_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(db=tmp_path / "r.db", registry=tmp_path / "registry.db")
    records = open_records(settings)
    assert not reads_plates_alone(settings, records)
    records.close()
    assert main(["run", str(STREET), "--db", str(settings.db), "--registry", str(settings.registry)]) == 0
    told = capsys.readouterr()
    assert "2 UNKNOWN" in told.out
    assert "no list of vignettes" not in told.err


def test_a_run_deletes_plates_whose_days_are_over(tmp_path: Path) -> None:
    settings = Settings(db=tmp_path / "r.db", keep_plates_days=7)
    records = open_records(settings)
    now_s, said = [0.0], list[str]()
    caretaker = Caretaker(records, settings, said.append, lambda: now_s[0])

    def store(name: str, age_days: float) -> None:
        records.store.save(Sighting(name, CameraId("c"), name, 1, 1, None, no_verdict()))
        with records.database.write() as connection:
            mine = SIGHTINGS.update().where(SIGHTINGS.c.sighting_id == name)
            decided_ns = SIGHTINGS.c.decided_at_ns - int(age_days * DAY_NS)
            connection.execute(mine.values(decided_at_ns=decided_ns))

    def kept() -> set[str]:
        return {sighting.sighting_id for sighting in records.store.after(0, 9)}

    store("old", 7.1)
    store("new", 6.9)
    caretaker.look()
    assert kept() == {"new"}
    store("older", 8)
    caretaker.look()
    assert kept() == {"new", "older"}, "it looks now and then, not at every frame"
    now_s[0] += PURGE_EVERY_S
    caretaker.look()
    assert kept() == {"new"}
    records.close()
    assert not said
    assert records.store is not None
    assert settings.retention_days()[VerdictKind.NONE] == 7
