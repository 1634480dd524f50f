"""Network cameras and the Pi's, each a real server or program of its own."""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.sources.live import CameraSettings
from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
from roadside.capture.feed import FrameFeed
from roadside.core.frames import CameraId
from roadside.errors import SourceError
from tests.cameras import mjpeg_server, rtsp_server, write_rpicam
from tests.ports import reserved_port
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.ports.sources import FrameSource

GATE = CameraId("gate")
QUICK = CameraSettings(width_px=320, height_px=240, frames_per_s=50, timeout_s=60, backoff_s=0.05)


def camera(address: str, settings: CameraSettings = QUICK, drops: list[str] | None = None) -> FrameSource:
    return open_source(address, GATE, SystemClock(), settings, on_drop=None if drops is None else drops.append)


@pytest.mark.parametrize("kind", ["h264", "mjpeg"])
def test_rtsp_is_read(kind: str) -> None:
    with rtsp_server(kind) as (address, _), FrameFeed(camera(address)) as feed:
        frames = list(itertools.islice(feed, 10))
    assert [f.image.shape for f in frames] == [(360, 640, 3)] * 10
    assert frames[0].image.std() > 30, "the test card, not a grey picture"
    assert all(a.captured_at_ns < b.captured_at_ns for a, b in itertools.pairwise(frames))


def test_an_rtsp_camera_that_dies_is_tried_again() -> None:
    drops: list[str] = []
    settings = CameraSettings(timeout_s=5, backoff_s=0.05)

    def note(said: str) -> None:
        drops.append(said)
        if len(drops) == 2:
            source.close()

    with rtsp_server("mjpeg") as (address, kill):
        source = open_source(address, GATE, SystemClock(), settings, on_drop=note)
        for frame in source.frames():
            if frame.sequence == 5:
                kill()
    assert len(drops) == 2
    assert "trying again in" in drops[0]


def test_nobody_at_the_rtsp_address_is_a_plain_error() -> None:
    with pytest.raises(SourceError, match="no camera answers there") as raised:
        list(camera(f"rtsp://bob:secret@127.0.0.1:{reserved_port()}/street").frames())
    assert "secret" not in str(raised.value)


def test_http_motion_jpeg_is_read_and_reopened() -> None:
    drops: list[str] = []
    with mjpeg_server(20) as server:
        source = camera(f"{server.address}/stream", drops=drops)
        frames = list(itertools.islice(source.frames(), 50))
        source.close()
        assert server.connections >= 3
    assert [f.sequence for f in frames] == list(range(50))
    assert [round(float(f.image.mean())) for f in frames[:20]] == list(range(20))
    assert len(drops) == 2
    assert "stopped sending" in drops[0]


def test_a_slow_reader_of_http_motion_jpeg_sees_the_present() -> None:
    with mjpeg_server(200, hangs=True) as server, FrameFeed(camera(f"{server.address}/stream")) as feed:
        frames = iter(feed)
        next(frames)
        wait_for(lambda: feed.dropped == 198, "all other frames but one to be dropped")
        assert next(frames).sequence == 199, "the newest, not the next"
        server.released.set()


def test_a_camera_that_falls_silent_is_reopened() -> None:
    settings = CameraSettings(timeout_s=2, backoff_s=0.05)
    with mjpeg_server(3, hangs=True) as server:
        source = camera(f"{server.address}/stream", settings)
        frames = list(itertools.islice(source.frames(), 6))
        assert server.connections == 2
    assert len(frames) == 6


def test_an_http_camera_may_want_a_password() -> None:
    token = "Basic " + base64.b64encode(b"bob:pass word").decode()
    with mjpeg_server(3, token=token) as server:
        address = server.address.replace("http://", "http://bob:pass%20word@")
        assert next(iter(camera(f"{address}/stream").frames())).image.shape == (120, 160, 3)
        with pytest.raises(SourceError, match="answers 401"):
            list(camera(f"{server.address}/stream").frames())


@pytest.mark.parametrize(("path", "fault"), [("/none", "answers 404"), ("/page", "sends text/html, not motion JPEG")])
def test_what_is_no_camera_is_named(path: str, fault: str) -> None:
    with mjpeg_server(1) as server, pytest.raises(SourceError, match=fault):
        list(camera(f"{server.address}{path}").frames())


def test_nobody_at_the_http_address_is_a_plain_error() -> None:
    with pytest.raises(SourceError, match="no camera answers there"):
        list(camera(f"http://127.0.0.1:{reserved_port()}/stream").frames())


def test_the_pi_camera_is_read_through_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rpicam(tmp_path, frames=30)
    monkeypatch.setenv("PATH", str(tmp_path))
    drops: list[str] = []
    source = camera("rpicam", drops=drops)
    frames = list(itertools.islice(source.frames(), 40))
    assert [f.image.shape for f in frames] == [(240, 320, 3)] * 40
    assert [round(float(f.image.mean())) for f in frames[:30]] == list(range(30))
    assert len(drops) == 1, "the program ended after 30 pictures and was started again"


def test_a_pi_without_a_camera_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rpicam(tmp_path, frames=0, fails=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="no cameras available"):
        list(camera("rpicam").frames())
