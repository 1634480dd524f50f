"""`roadside run` for as long as a camera stands."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from roadside.api import ALPR
from roadside.assembly.embedded import FrameReport
from roadside.assembly.records import open_records
from roadside.assembly.settings import Settings
from roadside.assembly.watching import open_frames
from roadside.cli import main
from roadside.commands.overlay import Overlay
from roadside.commands.run import StreetRun
from roadside.commands.table import SightingTable
from roadside.core.events import SightingEvent
from roadside.core.frames import Box, CameraId, Crop, Detection, Frame
from roadside.core.reads import FusedPlate, PlacedRead, Read
from roadside.core.sightings import Sighting, Verdict, VerdictKind
from roadside.ports.bus import Conclusion
from tests.bench.embedded import STAGES, measure
from tests.bench.soak import Sample, rise_mb, sample

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
    assert f"{len(run.sightings)} sightings: 2 UNKNOWN" in capsys.readouterr().out


def test_the_table_of_a_long_run_shows_the_last_and_counts_all() -> None:
    seen = Verdict(VerdictKind.REVIEW, "unsure", 0.5, 0.0)
    table = SightingTable(rows=3)
    for number in range(1000):
        plate = FusedPlate(f"AB{number:03}CD", "", "UK", 0.9, np.zeros((7, 36), np.float32))
        table.add(Sighting(str(number), CameraId("gate"), "t", 1, 1, plate, seen))
    told = table.text()
    assert "1000 sightings: 1000 REVIEW; the last 3 are shown" in told
    assert "AB999CD" in told
    assert "AB996CD" not in told
    assert len(table) == 1000


def test_reads_of_no_vehicle_are_forgotten_by_the_video(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roadside.commands.overlay.MOST_SEEN", 50)
    overlay = Overlay()
    image = np.zeros((40, 60, 3), np.uint8)
    for sequence in range(200):
        frame = Frame(CameraId("gate"), sequence, sequence, image)
        crop = Crop(frame.camera_id, sequence, sequence, Detection(Box(0, 0, 20, 5), 0.9), image)
        read = Read("AB12CDE", "AB12CDE", "UK", 0.9, (), np.zeros((7, 36), np.float32))
        overlay.note(FrameReport(frame, (PlacedRead(crop, read),), ()))
    assert len(overlay._seen) == 50  # noqa: SLF001 - memory is the point
    overlay.conclude(Conclusion((f"0:{0:.2f},0.00,20.00,5.00",), ()))


@pytest.mark.parametrize(("per_minute_mb", "flat"), [(10.0, False), (0.0, True)])
def test_a_soak_tells_a_leak_from_noise(per_minute_mb: float, *, flat: bool) -> None:
    noise = np.random.default_rng(0).normal(0, 1, 40)
    samples = [Sample(s * 5.0, 200 + noise[s] + per_minute_mb * s / 12, 9, 9, 1.0) for s in range(40)]
    rise, slope = rise_mb(samples, 60)
    assert (rise < 6) is flat
    assert slope == pytest.approx(per_minute_mb * 60, abs=30)


def test_a_soak_samples_a_living_process(tmp_path: Path) -> None:
    (tmp_path / "r.db").write_bytes(bytes(3 << 20))
    seen = sample(os.getpid(), tmp_path, 0.0)
    assert seen.resident_mb > 20
    assert seen.files > 2
    assert seen.threads >= 1
    assert seen.database_mb == 3


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
    assert said.err.count("does not say when it was taken") == 1
    lines = [line for line in lines if "/photos/" in line]
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
