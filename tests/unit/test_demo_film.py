"""The README's moving picture is made from the demonstration clip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

FILM = Path(__file__).resolve().parents[2] / "demo" / "film.py"


def film(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, str(FILM), *map(str, arguments))
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_clip_becomes_a_moving_picture(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.mp4", tmp_path / "film.webp"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (1280, 720))
    for value in range(50):
        writer.write(np.full((720, 1280, 3), 5 * value, np.uint8))
    writer.release()
    done = film("--clip", clip, "--out", out, "--first-s", 0, "--last-s", 1)
    assert "8 frames" in done.stdout, done.stderr
    with Image.open(out) as picture:
        assert (picture.size, getattr(picture, "n_frames", 1)) == ((640, 360), 8)
    short = film("--clip", clip, "--out", out, "--first-s", 5, "--last-s", 6)
    assert (short.returncode, short.stderr) == (1, f"film: {clip} ends before 5 s\n")


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    done = film("--clip", tmp_path / "none.mp4")
    assert (done.returncode, "is no video: `make run` writes it" in done.stderr) == (1, True)
