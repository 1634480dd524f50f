"""`roadside run` on real clips: sightings, verdicts, the annotated video, Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.cameras import MjpegServer, mjpeg_server
from tests.clips import passing, undated
from tests.waiting import PLENTY_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Program

VIGNETTES = "plate,country,valid_from,valid_to,category\n{plate},UK,2000-01-01,2099-12-31,car\n"


@pytest.fixture
def clip(photographs: Path) -> Path:
    """One car turning, the published LS15EBC, seen by a camera that drives."""
    return photographs / "clips/uk_ls15ebc.mp4"


@pytest.fixture
def standing(clip: Path, tmp_path: Path) -> Path:
    """The same car before a camera that stands."""
    capture = cv2.VideoCapture(str(clip))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 100)
    return passing(np.asarray(capture.read()[1][150:560, 360:820], np.uint8), tmp_path / "standing.mp4")


def sightings(program: Program) -> list[dict[str, object]]:
    result = program.run("plates", "recent", "--json")
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def import_vignette(program: Program, plate: str) -> None:
    (program.home / "vignettes.csv").write_text(VIGNETTES.format(plate=plate))
    result = program.run("registry", "import", "vignettes.csv")
    assert result.returncode == 0, result.stderr


def test_one_vehicle_is_one_sighting_and_unpaid_where_it_is_not_in_the_registry(
    program: Program, standing: Path
) -> None:
    import_vignette(program, "AB51ABC")
    result = program.run("run", standing, "--out", "annotated.mp4", "--recorded-at", "2026-06-01T12:00Z")
    assert result.returncode == 0, result.stderr
    (stored,) = sightings(program)
    assert (stored["plate"], stored["country"], stored["verdict"]) == ("LS15EBC", "UK", "UNPAID")
    assert len(re.findall("LS15EBC", result.stdout)) == 1, "one row, as it happened"
    assert "1 sighting: 1 UNPAID" in result.stdout
    capture = cv2.VideoCapture(str(program.home / "annotated.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 40
    capture.set(cv2.CAP_PROP_POS_FRAMES, 30)
    picture = capture.read()[1].astype(int)
    red = (picture[..., 2] > picture[..., 1] + 100) & (picture[..., 2] > picture[..., 0] + 100)
    assert red.sum() > 2000, "the label of an unpaid vehicle is red"


def test_a_camera_that_drives_accuses_nobody(program: Program, clip: Path) -> None:
    import_vignette(program, "AB51ABC")
    result = program.run("run", clip, "--recorded-at", "2026-06-01T12:00Z")
    assert result.returncode == 0, result.stderr
    (stored,) = sightings(program)
    assert (stored["plate"], stored["verdict"], stored["rule"]) == ("LS15EBC", "REVIEW", "camera-moves")


def test_a_clip_without_a_time_accuses_nobody_and_says_so_once(program: Program, standing: Path) -> None:
    import_vignette(program, "AB51ABC")
    clip = undated(standing, program.home)
    result = program.run("run", clip)
    assert result.returncode == 0, result.stderr
    (stored,) = sightings(program)
    assert (stored["verdict"], stored["rule"]) == ("UNKNOWN", "recording-time-unknown")
    assert result.stderr.count("does not say when it was taken") == 1
    assert "--recorded-at" in result.stderr
    again = program.run("registry", "recheck")
    assert "still UNKNOWN: 1" in again.stdout, "it stays so, however often the registry is asked"
    bad = program.run("run", clip, "--recorded-at", "2126-06-01")
    assert bad.returncode != 0
    assert "lies in the future" in bad.stderr


def test_a_paid_vehicle_is_kept_as_a_hash_alone(program: Program, clip: Path) -> None:
    (program.home / "vignettes.csv").write_text(VIGNETTES.format(plate="LS15 EBC"))
    assert program.run("registry", "import", "vignettes.csv", "--registry", "registry.db").returncode == 0
    result = program.run("run", clip, "--registry", "registry.db", "--recorded-at", "2026-06-01T12:00Z")
    assert "1 sighting: 1 PAID" in result.stdout
    (stored,) = sightings(program)
    assert (stored["verdict"], stored["plate"]) == ("PAID", None)
    assert stored["plate_hash"]
    kept = [p for p in (program.home / "data").rglob("*") if p.is_file()]
    assert any(p.name == "roadside.db" for p in kept)
    assert not [p for p in kept if b"LS15EBC" in p.read_bytes()]
    assert not [p for p in kept if "evidence" in str(p.relative_to(program.home))], "and no picture"


def test_lettering_is_no_plate(program: Program, photographs: Path) -> None:
    result = program.run("run", photographs / "clips/us_highway_no_plates.mp4")
    assert result.returncode == 0, result.stderr
    assert "No sighting" in result.stdout
    assert sightings(program) == []


def write_long_clip(clip: Path, path: Path) -> None:
    """A vehicle, an empty street for 12 seconds, the vehicle once more."""
    capture = cv2.VideoCapture(str(clip))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (1280, 720))
    empty = frames[0] * 0 + 90
    for frame in [*frames[50:90], *[empty] * 300, *frames[50:90]]:
        writer.write(frame)
    writer.release()


def test_ctrl_c_keeps_what_was_seen(program: Program, clip: Path) -> None:
    write_long_clip(clip, program.home / "long.mp4")
    running = subprocess.Popen(
        program.command("run", "long.mp4", "--out", "annotated.mp4"),
        cwd=program.home,
        env={**program.environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    running.stdout.readline()  # the head
    first = running.stdout.readline()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=PLENTY_S)
    assert "LS15EBC" in first
    assert "Traceback" not in err
    assert running.returncode == 130
    frames = int(re.search(r"(\d+) frames", out).group(1))  # type: ignore[union-attr]
    assert 40 < frames < 380
    assert [s["plate"] for s in sightings(program)] == ["LS15EBC"]
    assert cv2.VideoCapture(str(program.home / "annotated.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == frames


def test_a_folder_of_photos_is_a_sighting_each(program: Program, clip: Path) -> None:
    pictures = program.home / "pictures"
    pictures.mkdir()
    capture = cv2.VideoCapture(str(clip))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 70)
    cv2.imwrite(str(pictures / "one.png"), capture.read()[1])
    result = program.run("run", pictures, "--out", "annotated")
    assert result.returncode == 0, result.stderr
    assert [s["plate"] for s in sightings(program)] == ["LS15EBC"]
    assert len(list((program.home / "annotated").iterdir())) == 1


def serve_clip(server: MjpegServer, clip: Path) -> None:
    capture = cv2.VideoCapture(str(clip))
    server.pictures = []
    while (read := capture.read())[0]:
        server.pictures.append(cv2.imencode(".jpg", read[1])[1].tobytes())
        empty = read[1] * 0 + 90
    server.afterwards = cv2.imencode(".jpg", empty)[1].tobytes()


def test_a_network_camera_is_watched_live(program: Program, clip: Path) -> None:
    with mjpeg_server(1, pause_s=0.1) as server:
        serve_clip(server, clip)
        running = subprocess.Popen(
            program.command("run", f"{server.address}/stream", "--out", "live.mp4", "--timeout-s", "60"),
            cwd=program.home,
            env={**program.environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stdout is not None
        running.stdout.readline()  # the head
        first = running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=PLENTY_S)
    assert "LS15EBC" in first, "told as soon as the vehicle has passed"
    assert "Traceback" not in err
    assert running.returncode == 130
    assert cv2.VideoCapture(str(program.home / "live.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) > 5
