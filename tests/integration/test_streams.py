"""Servers of video on the network, each a real one: RTMP, SRT, MPEG-TS over HTTP and UDP, HLS, and RTSP's two ways."""

from __future__ import annotations

import base64
import itertools
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.sources.live import CameraSettings
from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId, Frame
from roadside.errors import SourceError
from tests.cameras import rtsp_server
from tests.ports import reserved_port
from tests.streams import PASSPHRASE, film, hls, sent, served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GATE = CameraId("gate")
PATIENT = CameraSettings(timeout_s=60, backoff_s=0.1, first_attempts=100)
"""A server that is only starting is asked again."""
ONCE = CameraSettings(timeout_s=5)
STEP_NS = 100_000_000
pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg: apt install ffmpeg")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("film") / "film.mp4", 20)


def seen(
    address: str, count: int, settings: CameraSettings = PATIENT, on_frame: Callable[[Frame], None] = lambda _: None
) -> list[Frame]:
    source = open_source(address, GATE, SystemClock(), settings)
    frames = []
    for frame in itertools.islice(source.frames(), count):
        on_frame(frame)
        frames.append(frame)
    source.close()
    return frames


def check_card(frames: list[Frame], size: tuple[int, int] = (240, 320)) -> None:
    assert {frame.image.shape for frame in frames} == {(*size, 3)}
    assert frames[-1].image.std() > 30, "the test card, not a grey picture"


def check_steps(frames: list[Frame]) -> None:
    """Frames lie as far from one another as the camera says, however busy whoever reads them was."""
    steps = [b.captured_at_ns - a.captured_at_ns for a, b in itertools.pairwise(frames)]
    assert min(steps) > 0
    near = [step for step in steps if abs(step - STEP_NS) < 5_000_000]
    assert len(near) >= len(steps) - 4, steps


@pytest.mark.parametrize(
    ("scheme", "kind", "options"),
    [
        ("rtmp://127.0.0.1:{}/live/gate", "flv", ("-listen", "1")),
        ("http://127.0.0.1:{}/gate.ts", "mpegts", ("-listen", "1")),
        ("udp://127.0.0.1:{}", "mpegts", ()),
    ],
)
def test_a_stream_is_read_with_its_own_times(clip: Path, scheme: str, kind: str, options: tuple[str, ...]) -> None:
    address = scheme.format(reserved_port())
    with sent(clip, kind, address, *options):
        frames = seen(address, 15)
    check_card(frames)
    check_steps(frames)


@pytest.mark.parametrize("scheme", ["rtmp://127.0.0.1:{}/live/gate", "http://127.0.0.1:{}/gate.ts"])
def test_nobody_at_the_address_is_a_plain_error(scheme: str) -> None:
    address = scheme.format(reserved_port()).replace("//", "//bob:hunter2@")
    with pytest.raises(SourceError, match="no camera answers there") as raised:
        seen(address, 1, ONCE)
    assert "hunter2" not in str(raised.value)


def test_a_server_that_is_gone_and_comes_again_is_read_again(clip: Path) -> None:
    address = f"rtmp://127.0.0.1:{reserved_port()}/live/gate"
    drops: list[str] = []
    source = open_source(address, GATE, SystemClock(), PATIENT, on_drop=drops.append)
    frames = source.frames()
    with sent(clip, "flv", address, "-listen", "1"):
        first = next(frames)
    with sent(clip, "flv", address, "-listen", "1"):
        while not any("stopped sending" in said for said in drops):
            last = next(frames)
        source.close()
    assert last.captured_at_ns > first.captured_at_ns


def test_srt_is_read_and_tells_a_wrong_passphrase_from_nobody(clip: Path) -> None:
    address = f"srt://127.0.0.1:{reserved_port()}"
    secret = f"passphrase={PASSPHRASE.replace(' ', '%20')}"
    with sent(clip, "mpegts", f"{address}?mode=listener&{secret}"):
        frames = seen(f"{address}?{secret}", 15)
    check_card(frames)
    check_steps(frames)
    with pytest.raises(SourceError, match="no SRT server answers there"):
        seen(address, 1, ONCE)
    with sent(clip, "mpegts", f"{address}?mode=listener&{secret}"):
        fault = ""
        for _ in range(20):  # it may not listen yet
            with pytest.raises(SourceError) as raised:
                seen(f"{address}?passphrase=hunter2hunter2", 1, ONCE)
            fault = str(raised.value)
            if "no SRT server" not in fault:
                break
    assert "another passphrase" in fault
    assert "hunter2" not in fault


def test_srt_needs_a_program_and_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="sudo apt install ffmpeg"):
        seen("srt://127.0.0.1:9", 1, ONCE)


def test_hls_comes_at_the_pace_at_which_it_was_taken(clip: Path, tmp_path: Path) -> None:
    with hls(clip, tmp_path), served(tmp_path) as address:
        frames = seen(f"{address}/live.m3u8", 25)
        with pytest.raises(SourceError, match="nothing at this path"):
            seen(f"{address}/none.m3u8", 1, ONCE)
    check_card(frames)
    assert frames[-1].captured_at_ns - frames[0].captured_at_ns > 20 * STEP_NS, "segments come at once, frames do not"


@pytest.mark.parametrize("named", ["file://{}", "{}", "concat:{}", "subfile,,start,0,end,0,,:{}"])
def test_a_playlist_reaches_no_file_of_this_computer(clip: Path, tmp_path: Path, named: str) -> None:
    line = named.format(clip)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{line}\n#EXT-X-ENDLIST\n"
    (tmp_path / "evil.m3u8").write_text(playlist)
    (tmp_path / "evil.mp4").write_text(playlist)
    with served(tmp_path) as address:
        with pytest.raises(SourceError):
            seen(f"{address}/evil.m3u8", 1, ONCE)
        with pytest.raises(SourceError):
            seen(f"{address}/evil.mp4", 1, ONCE)
    with pytest.raises(SourceError, match="not a video"):
        seen(str(tmp_path / "evil.mp4"), 1, ONCE)


def test_a_server_may_want_a_password(clip: Path, tmp_path: Path) -> None:
    copy = tmp_path / "film.m3u8"
    copy.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:20,\nfilm.ts\n#EXT-X-ENDLIST\n")
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-c", "copy", tmp_path / "film.ts"], check=True)
    token = "Basic " + base64.b64encode(b"bob:pass word").decode()
    with served(tmp_path, token) as address:
        with pytest.raises(SourceError, match="refuses the user or the password"):
            seen(f"{address}/film.m3u8", 1, ONCE)
        check_card(seen(f"{address.replace('//', '//bob:pass%20word@')}/film.m3u8", 3))


def test_a_recording_on_a_server_has_an_end(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", 2, "-movflags", "+faststart")
    with served(tmp_path) as address:
        source = open_source(f"{address}/film.mp4", GATE, SystemClock())
        frames = list(source.frames())
    assert not source.live
    assert source.frame_count == len(frames) == 20
    check_steps(frames)


@pytest.mark.parametrize("transport", ["tcp", "udp", "auto"])
@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_rtsp_comes_either_way(transport: str, decoder: str) -> None:
    settings = CameraSettings(timeout_s=60, transport=transport, decoder=decoder)  # type: ignore[arg-type]
    with rtsp_server("mjpeg") as (address, _):
        frames = seen(address, 10, settings)
        with pytest.raises(SourceError, match=r"nothing at this path|no camera answers there"):
            seen(address.replace("street", "none"), 1, settings)
    check_card(frames, (360, 640))


def test_a_camera_that_tells_the_time_of_its_frames_is_believed() -> None:
    """Its server and this test share a clock, which RTCP tells."""
    with rtsp_server("h264") as (address, _):
        frames = seen(address, 60)
    steps = [b.captured_at_ns - a.captured_at_ns for a, b in itertools.pairwise(frames[-20:])]
    assert all(abs(step - 1e9 / 15) < 5_000_000 for step in steps), steps
