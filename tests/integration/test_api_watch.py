"""`ALPR.watch` on a rendered clip, on pictures and on a camera: what it yields, and what it leaves behind."""

from __future__ import annotations

import csv
import dataclasses
import re
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from models.synth.street import DEMO_VEHICLES, Clip, write
from roadside import ALPR, Sighting
from roadside.api import Alternative, VerdictKind
from roadside.errors import SettingsError, SourceError
from tests.cameras import mjpeg_server
from tests.clips import undated
from tests.waiting import wait_for

if TYPE_CHECKING:
    from tests.conftest import Program

STREET = Path(__file__).parents[2] / "examples" / "street.jpg"
PLATE = "HK47TVN"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2.6 seconds of the rendered street, in which one car passes."""
    path = tmp_path_factory.mktemp("watch") / "street.mp4"
    write(path, Clip(duration_s=2.6), DEMO_VEHICLES[:1])
    return path


@pytest.fixture(scope="module")
def alpr() -> ALPR:
    return ALPR(camera="gate")


@pytest.fixture(scope="module")
def seen(alpr: ALPR, clip: Path) -> Sighting:
    (sighting,) = alpr.watch(clip)
    return sighting


def capturing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "capture"]


def nobody_captures() -> bool:
    return not capturing()


def test_a_sighting_tells_of_one_vehicle(seen: Sighting) -> None:
    assert (seen.plate, seen.raw, seen.country, seen.camera) == (PLATE, PLATE, "UK", "gate")
    assert 0.95 < seen.confidence <= 1
    assert seen.looks > 10
    assert 1 < (seen.last_seen_ns - seen.first_seen_ns) / 1e9 < 2.6
    assert seen.first_seen.tzinfo is UTC
    assert seen.first_seen < seen.last_seen
    best = seen.alternatives[0]
    assert best == Alternative(PLATE, "UK", best.probability)
    assert best.probability == pytest.approx(seen.confidence, abs=0.05)
    assert sum(a.probability for a in seen.alternatives) < 1.001
    assert re.fullmatch(r"[0-9a-f]{24}", seen.sighting_id)
    assert seen.verdict is None
    assert repr(seen) == f"Sighting('{PLATE}', country='UK', confidence={seen.confidence:.2f})"


def test_its_pictures_show_the_plate(alpr: ALPR, seen: Sighting) -> None:
    assert seen.frame is not None
    assert seen.box is not None
    assert seen.frame.shape == (720, 1280, 3)
    assert PLATE in [plate.text for plate in alpr.read(seen.frame)]
    cut = seen.frame[int(seen.box.y1) : int(seen.box.y2), int(seen.box.x1) : int(seen.box.x2)]
    assert seen.crop.shape[0] > cut.shape[0]
    found = cv2.matchTemplate(seen.crop, cut, cv2.TM_CCOEFF_NORMED)
    assert found.max() > 0.95, "the crop is cut from the frame, around the box"


def test_it_is_frozen(seen: Sighting) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.plate = "AB12CDE"  # type: ignore[misc]


def test_it_sees_what_the_command_sees(program: Program, clip: Path, seen: Sighting) -> None:
    done = program.run("run", clip, "--camera", "gate")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if PLATE in line and "looks" not in line][:1]
    assert f"{seen.confidence:.0%}" in line
    table = re.search(rf"{PLATE}\s+UK\s+(\d+)%\s+(\d+)\s", done.stdout)
    assert table is not None
    assert int(table[2]) == seen.looks


def test_a_registry_gives_verdicts(program: Program, clip: Path, seen: Sighting) -> None:
    for name, plate in (("paid", PLATE), ("others", "AB51CDE")):
        with (program.home / "vignettes.csv").open("w", newline="") as file:
            rows = [
                ("plate", "country", "valid_from", "valid_to", "category"),
                (plate, "UK", "2020-01-01", "2099-12-31", ""),
            ]
            csv.writer(file).writerows(rows)
        done = program.run("registry", "import", "vignettes.csv", "--registry", f"{name}.db")
        assert done.returncode == 0, done.stderr
    (paid,) = ALPR(registry=program.home / "paid.db", recorded_at="2026-06-01T12:00Z").watch(clip)
    assert paid.verdict is not None
    assert (paid.verdict.kind, paid.plate) == (VerdictKind.PAID, PLATE)
    assert repr(paid).endswith("verdict=PAID)")
    (other,) = ALPR(registry=program.home / "others.db").watch(undated(clip, program.home))
    assert other.verdict is not None
    assert (other.verdict.kind, other.verdict.rule) == (VerdictKind.UNKNOWN, "recording-time-unknown")
    (other,) = ALPR(registry=program.home / "others.db", recorded_at="2026-06-01T12:00Z").watch(clip)
    assert other.first_seen.isoformat().startswith("2026-06-01T12:00")
    assert other.verdict is not None
    assert other.verdict.kind in {VerdictKind.UNPAID, VerdictKind.REVIEW}
    assert np.array_equal(other.crop, seen.crop)


def test_pictures_and_folders_are_watched(alpr: ALPR, tmp_path: Path) -> None:
    assert {s.plate for s in alpr.watch(STREET)} == {"9K74182", PLATE}
    (tmp_path / "a.jpg").write_bytes(STREET.read_bytes())
    (tmp_path / "b.jpg").write_bytes(STREET.read_bytes()[:20_000])
    watching = alpr.watch(str(tmp_path))
    assert {next(watching).plate, next(watching).plate} == {"9K74182", PLATE}
    assert list(watching) == []  # a damaged picture ends nothing


def test_what_is_no_source_is_told_before_the_first_vehicle(alpr: ALPR, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        alpr.watch("nowhere.mp4")
    with pytest.raises(SettingsError, match=r"none\.db: no such file; make it with `roadside registry import"):
        ALPR(registry=tmp_path / "none.db").watch(STREET)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SourceError, match="not a video"):
        alpr.watch(tmp_path / "text.mp4")


def test_whoever_stops_early_lets_the_source_go(alpr: ALPR, clip: Path, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.jpg").write_bytes(STREET.read_bytes())
    for sighting in alpr.watch(tmp_path):
        assert sighting.plate
        break
    wait_for(nobody_captures, "end of the thread that reads pictures")
    watching = alpr.watch(clip)
    watching.close()
    with pytest.raises(StopIteration):
        next(watching)
    assert not capturing()


def test_a_camera_is_watched_and_let_go(alpr: ALPR, clip: Path) -> None:
    capture, pictures = cv2.VideoCapture(str(clip)), []
    while (frame := capture.read())[0]:
        pictures.append(cv2.imencode(".jpg", frame[1])[1].tobytes())
    empty = cv2.imencode(".jpg", np.full((720, 1280, 3), 90, np.uint8))[1].tobytes()
    with mjpeg_server(1, pause_s=0.06) as server:
        server.pictures = [*pictures, *[empty] * 200]
        with closing(alpr.watch(f"{server.address}/stream")) as watching:
            assert next(watching).plate == PLATE
            assert capturing()
        wait_for(nobody_captures, "end of the thread that reads the camera")


def test_a_camera_that_never_answers_is_told(alpr: ALPR) -> None:
    with mjpeg_server(1) as server, pytest.raises(SourceError, match="404"):
        next(alpr.watch(f"{server.address}/nothing"))


def test_threads_watch_and_read_at_once(alpr: ALPR, clip: Path, seen: Sighting) -> None:
    found: dict[int, list[str]] = {}

    def watch(number: int) -> None:
        found[number] = [sighting.plate for sighting in alpr.watch(clip)]

    threads = [threading.Thread(target=watch, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    read = [plate.text for _ in range(3) for plate in alpr.read(STREET)]
    for thread in threads:
        thread.join(120)
    assert found == {0: [seen.plate], 1: [seen.plate]}
    assert read == ["9K74182", PLATE] * 3


def test_watching_without_a_registry_brings_no_database() -> None:
    program = f"from roadside import ALPR; assert len(list(ALPR().watch({str(STREET)!r}))) == 2"
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program], capture_output=True, text=True, check=True
    )
    names = {line.rpartition("|")[2].strip().split(".")[0] for line in run.stderr.splitlines()}
    assert "cv2" in names
    assert not names & {"sqlalchemy", "alembic", "grpc", "redis", "prometheus_client", "psycopg", "paho"}
