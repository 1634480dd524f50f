"""`roadside run` for as long as a camera stands."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from roadside.api import ALPR
from roadside.assembly.records import open_records
from roadside.assembly.settings import Settings
from roadside.assembly.watching import open_frames
from roadside.cli import main
from roadside.commands.run import StreetRun
from roadside.core.events import SightingEvent
from tests.bench.embedded import STAGES, measure

if TYPE_CHECKING:
    from roadside.core.sightings import Sighting

STREET = Path(__file__).parents[2] / "examples" / "street.jpg"


@pytest.mark.parametrize("out", [None, "out.jpg"])
def test_a_run_keeps_no_pictures_of_what_has_passed(tmp_path: Path, out: str | None) -> None:
    settings = Settings(db=tmp_path / "r.db")
    source = open_frames(str(STREET), settings, pytest.fail)
    records = open_records(settings)
    run = StreetRun(source, settings, records, None if out is None else tmp_path / out)
    run.watch()
    records.close()
    assert len(run.sightings) == 2
    gc.collect()
    assert not [held for held in gc.get_objects() if isinstance(held, SightingEvent)]
    assert len(run.overlay.marks(0)) == (0 if out is None else 2), "who draws nothing remembers no frame"


def test_the_table_has_every_sighting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(db=tmp_path / "r.db")
    records = open_records(settings)
    run = StreetRun(open_frames(str(STREET), settings, pytest.fail), settings, records, None)
    run.watch()
    run.report(timings=False)
    records.close()
    told: list[Sighting] = run.sightings
    assert f"{len(told)} sightings: 2 UNKNOWN" in capsys.readouterr().out


def test_the_benchmark_measures_a_run_that_tells_its_vehicles() -> None:
    cells = [cell.strip() for cell in measure(str(STREET), 1, "fast").strip("|").split("|")]
    search, threads, frames, *pace, sightings = cells
    assert (search, threads, frames, sightings) == ("fast", "1", "1", "2")
    assert len(pace) == 2 + len(STAGES) + 1
    assert all(float(cell) > 0 for cell in pace[:4]), "frames a second, detecting and reading took time"


def test_a_folder_is_read_to_its_end_past_the_pictures_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, content in (("a.jpg", b"no picture"), ("b.jpg", STREET.read_bytes()), ("c.gif", b"GIF89a")):
        (folder / name).write_bytes(content)
    (folder / "d.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n{ } loop\n")
    code = main(["run", str(folder), "--db", str(tmp_path / "r.db"), "--out", str(tmp_path / "out")])
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.startswith("roadside: ")]
    assert code == 1
    assert [line.split(":")[1].rpartition("/")[2] for line in lines] == ["a.jpg", "c.gif", "d.jpg"], said.err
    assert "2 sightings" in said.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["00001.jpg"]


def test_the_api_leaves_out_a_folders_pictures_that_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "b.jpg").write_bytes(STREET.read_bytes())
    assert len(list(ALPR().watch(tmp_path))) == 2
    assert "a.jpg: is not a picture" in caplog.text
