"""`roadside run` for as long as a camera stands."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from roadside.api import ALPR
from roadside.assembly.embedded import FrameReport
from roadside.assembly.records import open_records
from roadside.assembly.settings import Settings
from roadside.assembly.watching import open_frames
from roadside.cli import main
from roadside.commands.overlay import LiveOverlay, Overlay
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
    told = capsys.readouterr()
    assert "2 sightings\n" in told.out
    assert "verdict" not in told.out
    assert "UNKNOWN" not in told.out + told.err


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


def test_each_vehicle_is_one_row_under_one_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(STREET.read_bytes())
    assert main(["run", str(folder), "--db", str(tmp_path / "r.db")]) == 0
    lines = capsys.readouterr().out.splitlines()
    head, *rows = [line.split() for line in lines[: lines.index("")]]
    assert head == ["time", "plate", "country", "sure", "looks"]
    assert len(rows) == 4
    assert {row[1] for row in rows} == {"HK47TVN", "9K74182"}
    assert "4 sightings" in lines
    assert sum("HK47TVN" in line for line in lines) == 2


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
    samples = [Sample(s * 5.0, 300.0 - s, 200 + noise[s] + per_minute_mb * s / 12, 9, 9, 1.0) for s in range(40)]
    rise, slope = rise_mb(samples, 60)
    assert (rise < 6) is flat
    assert slope == pytest.approx(per_minute_mb * 60, abs=30)


def test_a_soak_samples_a_living_process(tmp_path: Path) -> None:
    (tmp_path / "r.db").write_bytes(bytes(3 << 20))
    seen = sample(os.getpid(), tmp_path, 0.0)
    assert seen.resident_mb > seen.own_mb > 20
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
    assert said.err.count("no list of vignettes: plates are kept for 7 days") == 1
    lines = [line for line in lines if "/photos/" in line]
    assert [line.split(":")[1].rpartition("/")[2] for line in lines] == ["a.jpg", "c.gif", "d.jpg"], said.err
    assert "2 sightings" in said.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.jpg"], "as its original"


def test_the_api_leaves_out_a_folders_pictures_that_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "b.jpg").write_bytes(STREET.read_bytes())
    assert len(list(ALPR().watch(tmp_path))) == 2
    assert "a.jpg: is not a picture" in caplog.text


ACCUSED, FREE, UNREAD = Box(40, 40, 160, 70), Box(300, 40, 420, 70), Box(40, 150, 160, 180)


def striped() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = np.full((240, 640, 3), 230, np.uint8)
    picture[:, (np.arange(640) // 6) % 2 == 0] = 20
    return picture


def a_street(*, show_plates: bool) -> tuple[Overlay, FrameReport]:
    """One frame with an accused vehicle, one that has paid, and a plate that could not be read."""
    overlay = Overlay(show_plates=show_plates, gap_frames=0)
    frame = Frame(CameraId("gate"), 1, 1, striped())
    reads = []
    for box, text in ((ACCUSED, "AB12CDE"), (FREE, "5CD6789")):
        others = tuple(other for other in (ACCUSED, FREE, UNREAD) if other is not box)
        crop = Crop(frame.camera_id, 1, 1, Detection(box, 0.9), frame.image, others=others)
        reads.append(PlacedRead(crop, Read(text, text, "UK", 0.9, (), np.zeros((7, 36), np.float32))))
    report = FrameReport(frame, tuple(reads), ())
    overlay.note(report)
    for placed, kind in zip(reads, (VerdictKind.UNPAID, VerdictKind.PAID), strict=True):
        plate = FusedPlate(placed.read.text, "", "UK", 0.9, np.zeros((7, 36), np.float32))
        seen = Sighting(placed.read.text, CameraId("gate"), "t", 1, 1, plate, Verdict(kind, "paid", 0.0, 0.0))
        overlay.conclude(Conclusion((placed.crop.identity,), (SightingEvent(seen, ()),)))
    return overlay, report


def readable(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], box: Box) -> bool:
    inside = picture[int(box.y1) + 4 : int(box.y2) - 4, int(box.x1) + 6 : int(box.x2) - 6]
    return bool(inside.std(axis=1).mean() > 80)


def test_a_video_shows_the_plates_of_the_accused_alone() -> None:
    overlay, report = a_street(show_plates=False)
    drawn = overlay.drawn(1, report.frame.image)
    assert [readable(drawn, box) for box in (ACCUSED, FREE, UNREAD)] == [True, False, False]
    assert readable(report.frame.image, FREE), "the frame itself is left as it is"


def test_a_video_shows_all_plates_where_that_is_asked_for() -> None:
    overlay, report = a_street(show_plates=True)
    drawn = overlay.drawn(1, report.frame.image)
    assert [readable(drawn, box) for box in (ACCUSED, FREE, UNREAD)] == [True, True, True]


@pytest.mark.parametrize("show_plates", [True, False])
def test_a_live_video_hides_all_plates_for_verdicts_come_later(tmp_path: Path, *, show_plates: bool) -> None:
    _, report = a_street(show_plates=False)
    with LiveOverlay(tmp_path / "live.avi", 5.0, show_plates=show_plates) as live:
        live.write(report)
    read, drawn = cv2.VideoCapture(str(tmp_path / "live.avi")).read()
    assert read
    assert [readable(drawn, box) for box in (ACCUSED, FREE, UNREAD)] == [show_plates, show_plates, show_plates]


@pytest.mark.parametrize("flags", [(), ("--show-plates",)])
def test_plates_of_the_paid_go_to_no_file_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]
) -> None:
    """Two vehicles stand in the picture: the registry knows one of them."""
    plates = ALPR().read(STREET).plates
    seen = [plate.text for plate in plates]
    row = f"{seen[0]},{plates[0].country},2020-01-01,2099-12-31,car\n"
    (tmp_path / "v.csv").write_text(f"plate,country,valid_from,valid_to,category\n{row}")
    assert main(["registry", "import", str(tmp_path / "v.csv"), "--db", str(tmp_path / "r.db")]) == 0
    capsys.readouterr()
    assert main(["run", str(STREET), "--db", str(tmp_path / "r.db"), *flags]) == 0
    out = capsys.readouterr().out
    assert "1 PAID" in out
    assert (seen[0] in out) is bool(flags)
    assert seen[1] in out
