"""The examples run as they are written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
STREET = EXAMPLES / "street.jpg"


def run(folder: Path, script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(EXAMPLES / script), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_pictures_are_read_and_drawn(tmp_path: Path) -> None:
    done = run(tmp_path, "read_pictures.py", STREET, "none.jpg", "--out", "annotated")
    assert done.returncode == 1
    assert done.stderr == "none.jpg: no such file; check the name\n"
    assert done.stdout.splitlines() == [f"{STREET}: 9K74182 CZ 100%", f"{STREET}: HK47TVN UK 100%"]
    drawn, given = (cv2.imread(str(path)) for path in (tmp_path / "annotated" / "street.jpg", STREET))
    assert drawn is not None
    assert given is not None
    assert np.abs(drawn.astype(int) - given).max() > 100


def test_vehicles_are_told_as_they_pass(tmp_path: Path) -> None:
    done = run(tmp_path, "watch_source.py", STREET)
    assert (done.returncode, done.stderr) == (0, "")
    told = re.findall(r"^\d\d:\d\d:\d\d  (\w+) (\w+) 100%$", done.stdout, re.MULTILINE)
    assert sorted(told) == [
        ("9K74182", "CZ"),
        ("HK47TVN", "UK"),
    ]
    faulty = run(tmp_path, "watch_source.py", "none.mp4")
    assert faulty.returncode == 1
    assert "no such file or camera" in faulty.stderr


def test_the_readmes_lines_print_what_it_says() -> None:
    (lines,) = re.findall(r"```python\n(from roadside.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == lines.rpartition("# ")[2].strip()
