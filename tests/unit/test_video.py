from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.adapters.sources.live import CameraSettings, LiveSource, Reopening
from roadside.adapters.sources.video import open_source, rpicam_command
from roadside.core.frames import CameraId
from roadside.errors import SourceError
from tests.clocks import HandClock

if TYPE_CHECKING:
    from numpy.typing import NDArray

GATE = CameraId("gate")


def write_clip(path: Path, frames: int, fps: float = 10.0) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (160, 120))
    for i in range(frames):
        writer.write(np.full((120, 160, 3), i * 5, np.uint8))
    writer.release()


def test_a_clip_gives_every_frame_with_its_time(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.avi", 30)
    source = open_source(str(tmp_path / "clip.avi"), GATE, HandClock())
    frames = list(source.frames())
    assert not source.live
    assert source.frame_count == len(frames) == 30
    assert source.frames_per_s == pytest.approx(10)
    assert [f.sequence for f in frames] == list(range(30))
    times_s = [(f.captured_at_ns - HandClock().now_ns()) / 1e9 for f in frames]
    assert times_s == pytest.approx([i / 10 for i in range(30)], abs=0.011)
    assert float(frames[20].image.mean()) == pytest.approx(100, abs=4)


def test_a_folder_gives_its_pictures(tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        cv2.imwrite(str(tmp_path / name), np.full((20, 30, 3), ord(name[0]), np.uint8))
    source = open_source(str(tmp_path), GATE, HandClock())
    assert [int(f.image[0, 0, 0]) for f in source.frames()] == [ord("a"), ord("b")]
    assert source.frames_per_s == 0


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("none.mp4", None, "no such file or camera"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"no video at all\n" * 50, "not a video"),
        ("photo.jpg", b"no picture at all", "not a picture"),
    ],
)
def test_what_is_no_source_is_named(tmp_path: Path, name: str, content: bytes | None, fault: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=fault):
        list(open_source(str(path), GATE, HandClock()).frames())


def test_a_clip_whose_frames_are_cut_off_is_named(tmp_path: Path) -> None:
    write_clip(tmp_path / "whole.avi", 10)
    header = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(header[: header.index(b"movi") + 4])
    with pytest.raises(SourceError, match=r"holds no frame|not a video"):
        list(open_source(str(tmp_path / "cut.avi"), GATE, HandClock()).frames())


class Camera:
    """An open camera that gives so many pictures and then is gone."""

    taken_at_ns = 0

    def __init__(self, pictures: int) -> None:
        self._left = pictures
        self.closed = False

    def read(self) -> NDArray[np.uint8] | None:
        self._left -= 1
        return np.zeros((4, 4, 3), np.uint8) if self._left >= 0 else None

    def stop(self) -> None:
        self._left = 0

    def close(self) -> None:
        self.closed = True


def live(cameras: list[Camera | SourceError], settings: CameraSettings, pauses: list[float]) -> LiveSource:
    def connect() -> Camera:
        camera = cameras.pop(0) if cameras else SourceError("still gone")
        if isinstance(camera, SourceError):
            raise camera
        return camera

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) >= 6:
            source.close()

    source = LiveSource(
        "cam", connect, GATE, HandClock(), settings, reopening=Reopening(wait=wait, rng=random.Random(1))
    )
    return source


def test_a_camera_that_drops_is_reopened_and_counts_on() -> None:
    pauses: list[float] = []
    cameras = [Camera(2), SourceError("gone"), Camera(1)]
    opened = [c for c in cameras if isinstance(c, Camera)]
    source = live(cameras, CameraSettings(backoff_s=0.5), pauses)
    assert [f.sequence for f in source.frames()] == [0, 1, 2]
    assert all(camera.closed for camera in opened)
    assert 0.5 <= pauses[0] <= 0.75
    assert 1.0 <= pauses[1] <= 1.5, "the pause doubles, with up to half of it at random"
    assert 0.5 <= pauses[2] <= 0.75, "a picture begins the count anew"


def test_pauses_stop_growing() -> None:
    pauses: list[float] = []
    source = live([Camera(1)], CameraSettings(backoff_s=1, longest_backoff_s=4), pauses)
    list(source.frames())
    assert [round(p // 1) >= e for p, e in zip(pauses, [1, 2, 4, 4, 4, 4], strict=True)] == [True] * 6
    assert max(pauses) <= 6


def test_a_camera_that_is_back_is_soon_looked_at_again() -> None:
    pauses: list[float] = []
    list(live([Camera(1)], CameraSettings(), pauses).frames())
    assert max(pauses) <= 7.5, "what drives past meanwhile is not seen"


def test_a_camera_that_never_answered_is_a_plain_error() -> None:
    pauses: list[float] = []
    with pytest.raises(SourceError, match="nobody there"):
        list(live([SourceError("nobody there")], CameraSettings(), pauses).frames())
    assert pauses == []


def test_a_service_waits_for_its_camera() -> None:
    pauses: list[float] = []
    source = live([SourceError("not yet"), Camera(1)], CameraSettings(first_attempts=0), pauses)
    assert len(list(source.frames())) == 1


def test_a_name_too_long_for_a_file_is_no_source() -> None:
    with pytest.raises(SourceError, match="no such file or camera"):
        open_source("x" * 5000, CameraId("c"), HandClock())


def test_a_picture_in_memory_is_no_camera() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        picture = str(Path(folder) / "car.png")
        cv2.imwrite(picture, np.zeros((20, 30, 3), np.uint8))
        for source in (picture, folder):
            (frame,) = open_source(source, GATE, HandClock()).frames()
            assert frame.image.shape == (20, 30, 3)


def test_a_camera_that_is_not_plugged_in_is_a_camera() -> None:
    assert open_source("/dev/video97", GATE, HandClock()).live


def test_the_pi_camera_needs_its_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="sudo apt install rpicam-apps"):
        rpicam_command(CameraSettings())
