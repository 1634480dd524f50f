from __future__ import annotations

import re
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from roadside.adapters import films
from roadside.adapters.annotate import COLOURS, Mark, PictureWriter, draw
from roadside.adapters.films import VideoWriter, film_note
from roadside.adapters.sources.exif import photograph_time
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
            video.write(np.full((120, 160, 3), i * 40, np.uint8), i * 40_000_000)
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
        video.write(STREET, 0)
    with pytest.raises(InputError, match="cannot be written"):
        PictureWriter(tmp_path / "file" / "out.png").write(STREET)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_film_lasts_as_long_as_what_it_shows(tmp_path: Path, suffix: str) -> None:
    """A camera that promised 25 frames a second and gave 5, and then nothing for a while."""
    at_ms = [*range(0, 2000, 200), 3500, 3700]
    path = tmp_path / f"out{suffix}"
    with VideoWriter(path, 25.0) as video:
        for number, ms in enumerate(at_ms):
            video.write(np.full((121, 161, 3), number * 20, np.uint8), 1_795_000_000_000_000_000 + ms * 1_000_000)
    with av.open(str(path)) as container:
        times_s = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    assert times_s[-1] - times_s[0] == pytest.approx(3.7, abs=0.05)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_browsers_play_what_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    with VideoWriter(path, 25.0) as video:
        for number in range(5):
            video.write(np.full((120, 160, 3), number * 40, np.uint8), number * 40_000_000)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert film_note(path) == ""
    assert suffix != ".mp4" or path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")


def test_without_the_package_a_film_is_written_and_its_coding_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(films, "find_spec", lambda _: None)
    path = tmp_path / "out.mp4"
    with VideoWriter(path, 10.0) as video:
        for ms in (0, 100, 500, 600):
            video.write(STREET, ms * 1_000_000)
    assert int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)) == 7
    assert re.search("which browsers do not play; for H.264: .*pip install 'av", film_note(path) or "")


def test_pictures_say_when_their_originals_were_taken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0132], exif[0x0112] = "2026:06:01 12:00:05", 6
    exif.get_ifd(0x8769).update({0x9003: "2026:06:01 12:00:00", 0x9011: "+02:00"})
    Image.new("RGB", (64, 48)).save(tmp_path / "car.jpg", exif=exif)
    written = PictureWriter(tmp_path / "out").write(STREET, "car.jpg", tmp_path / "car.jpg")
    with Image.open(written) as picture:
        said = picture.getexif()
        assert (said[0x0132], said.get_ifd(0x8769)[0x9003]) == ("2026:06:01 12:00:05", "2026:06:01 12:00:00")
        assert 0x0112 not in said, "the picture is upright"
    assert photograph_time(written.read_bytes()) == photograph_time((tmp_path / "car.jpg").read_bytes())
    Image.new("RGB", (64, 48)).save(tmp_path / "plain.jpg")
    plain = PictureWriter(tmp_path / "out").write(STREET, "plain.jpg", tmp_path / "plain.jpg")
    assert b"Exif" not in plain.read_bytes()
