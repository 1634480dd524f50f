from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.adapters.annotate import COLOURS, Mark, PictureWriter, VideoWriter, draw
from roadside.core.frames import Box
from roadside.core.sightings import VerdictKind
from roadside.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

STREET = np.full((720, 1280, 3), 90, np.uint8)


@pytest.mark.parametrize("verdict", list(VerdictKind))
def test_the_box_has_the_colour_of_the_verdict(verdict: VerdictKind) -> None:
    drawn = draw(STREET, [Mark(Box(300, 400, 420, 430), "AB12CDE", "UK", verdict)])
    assert tuple(int(v) for v in drawn[415, 300]) == COLOURS[verdict]
    assert (STREET == 90).all(), "the frame itself stays as it was"


@pytest.mark.parametrize("box", [Box(-20, -10, 60, 10), Box(1200, 700, 1290, 730), Box(0, 0, 1280, 720)])
def test_labels_stay_inside_the_picture(box: Box) -> None:
    drawn = draw(STREET, [Mark(box, "AB12CDE", "UK", VerdictKind.UNPAID)])
    changed = np.argwhere((drawn != STREET).any(-1))
    filled = (drawn == np.array(COLOURS[VerdictKind.UNPAID])).all(-1).sum()
    assert changed.size
    assert filled > 1000, "the label is visible"


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm", ".mkv"])
def test_a_video_can_be_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"new folder/out{suffix}"
    with VideoWriter(path, 25.0) as video:
        for i in range(5):
            video.write(np.full((120, 160, 3), i * 40, np.uint8))
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    assert len(frames) == 5
    assert frames[0].shape == (120, 160, 3)
    assert abs(float(frames[4].mean()) - 160) < 6


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--out takes"):
        VideoWriter(tmp_path / "out.doc", 25)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"), VideoWriter(tmp_path / "file" / "out.mp4", 25) as video:
        video.write(STREET)
    with pytest.raises(InputError, match="cannot be written"):
        PictureWriter(tmp_path / "file" / "out.png").write(STREET)
