"""`roadside read` on real photographs and through its JSON contract."""

from __future__ import annotations

import io
import json
import os
import subprocess
from typing import TYPE_CHECKING

import cv2
import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Program


@pytest.fixture
def street(photographs: Path, tmp_path: Path) -> Path:
    """One frame of the published clip in which LS15EBC is near."""
    capture = cv2.VideoCapture(str(photographs / "clips/uk_ls15ebc.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 70)
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), capture.read()[1])
    return path


def test_the_json_of_a_photo(program: Program, street: Path) -> None:
    result = program.run("read", street, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    found = json.loads(line)
    assert list(found) == ["source", "width", "height", "plates", "elapsed_ms"]
    assert (found["source"], found["width"], found["height"]) == (str(street), 1280, 720)
    plate = next(p for p in found["plates"] if p["text"] == "LS15EBC")
    assert list(plate) == ["text", "raw", "country", "confidence", "characters", "detector_score", "box"]
    assert plate["country"] == "UK"
    assert [list(c) for c in plate["characters"]] == [["text", "confidence"]] * 7
    assert "".join(c["text"] for c in plate["characters"]) == "LS15EBC"
    assert all(0 <= c["confidence"] <= 1 for c in plate["characters"])
    assert 0.5 < plate["confidence"] <= 1
    assert 0.3 <= plate["detector_score"] <= 1
    x1, y1, x2, y2 = plate["box"]
    assert (x1, x2) == (pytest.approx(605, abs=15), pytest.approx(725, abs=15))
    assert (y1, y2) == (pytest.approx(440, abs=15), pytest.approx(480, abs=15))
    assert list(found["elapsed_ms"]) == ["decode", "detect", "read"]
    assert all(0 < ms < 5000 for ms in found["elapsed_ms"].values())


def test_one_line_a_file_in_order_and_the_others_are_still_done(program: Program, street: Path) -> None:
    result = program.run("read", "none.jpg", street, "none.png", "--json")
    assert result.returncode == 1
    assert result.stderr == ""
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [x["source"] for x in lines] == ["none.jpg", str(street), "none.png"]
    assert [list(x) for x in (lines[0], lines[2])] == [["source", "width", "height", "error", "elapsed_ms"]] * 2
    assert "no such file" in lines[0]["error"]
    assert [p["text"] for p in lines[1]["plates"]].count("LS15EBC") == 1


def test_a_turned_photo_is_read_upright(program: Program, street: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8  # the stored picture has to be turned 90 degrees counter-clockwise to stand upright
    data = io.BytesIO()
    with Image.open(street) as upright:
        upright.transpose(Image.Transpose.ROTATE_270).save(data, "JPEG", quality=95, exif=exif)
    (program.home / "turned.jpg").write_bytes(data.getvalue())
    found = json.loads(program.run("read", "turned.jpg", "--json").stdout)
    assert (found["width"], found["height"]) == (1280, 720)
    assert "LS15EBC" in [p["text"] for p in found["plates"]]


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_both_interpreters_read_the_same(program: Program, street: Path, runtime: str) -> None:
    found = json.loads(program.run("read", street, "--json", ROADSIDE_RUNTIME=runtime).stdout)
    assert "LS15EBC" in [p["text"] for p in found["plates"]]


def test_lines_for_people_and_an_annotated_picture(program: Program, street: Path) -> None:
    result = program.run("read", street, "--out", "annotated.jpg")
    assert result.returncode == 0
    assert "LS15EBC" in result.stdout
    annotated = cv2.imread(str(program.home / "annotated.jpg"))
    assert annotated.shape == (720, 1280, 3)
    assert cv2.absdiff(annotated, cv2.imread(str(street)))[380:440, 600:720].mean() > 20, "a label above the plate"


def test_a_pipe_that_closes_early_is_no_error(program: Program, street: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = subprocess.run(
            program.command("read", street),
            env=program.environment,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        os.close(writing)
    assert result.stderr == ""
    assert result.returncode == 0
