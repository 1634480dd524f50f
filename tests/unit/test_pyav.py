"""What PyAV tells of a video that OpenCV does not: true times, turns, fields, and what decodes it."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from roadside.adapters.sources.opening import Decoder, Kind, Opening, opened
from roadside.adapters.sources.pyav_capture import device_fault, device_options
from roadside.adapters.sources.recorded import ClipSource, RecordedSource
from roadside.core.frames import CameraId, Frame
from roadside.errors import SourceError
from tests.clocks import HandClock
from tests.streams import film

GATE = CameraId("gate")
BOTH = [Decoder.PYAV, Decoder.OPENCV]


def write(path: Path, times_ms: list[int], codec: str = "mpeg4", **options: str) -> Path:
    """A film whose pictures are shown at these times, with key frames as often as the codec has them and no more."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"sc_threshold": "1000000000"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for key, value in options.items():
            setattr(stream.codec_context, key, int(value) if key == "gop_size" else value)
        for number, at_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 + 8 * number, np.uint8), format="bgr24")
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def times_ms(frames: list[Frame]) -> list[int]:
    return [round((frame.captured_at_ns - frames[0].captured_at_ns) / 1e6) for frame in frames]


@pytest.mark.parametrize("end", [".mp4", ".mkv", ".mov"])
def test_frames_of_a_rate_that_varies_keep_their_times(tmp_path: Path, end: str) -> None:
    at_ms = [0, 40, 80, 480, 520, 1500, 1533]
    frames = list(ClipSource(write(tmp_path / f"phone{end}", at_ms), GATE, HandClock(), decoder=Decoder.PYAV).frames())
    assert times_ms(frames) == pytest.approx(at_ms, abs=1)


@pytest.mark.parametrize("decoder", BOTH)
def test_times_of_other_centuries_are_not_believed(tmp_path: Path, decoder: Decoder) -> None:
    path = write(tmp_path / "clip.mkv", [0, 40, 2**44, 2**44 + 40], "mjpeg")
    assert times_ms(list(ClipSource(path, GATE, HandClock(), decoder=decoder).frames())) == [0, 40, 80, 120]


@pytest.mark.parametrize("decoder", BOTH)
def test_a_playlist_that_is_called_a_clip_opens_no_other_file(tmp_path: Path, decoder: Decoder) -> None:
    other = write(tmp_path / "other.mp4", [0, 40, 80])
    path = tmp_path / "clip.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{other}\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceError, match="is not a video"):
        ClipSource(path, GATE, HandClock(), decoder=decoder)


def test_both_decoders_give_the_same_pixels(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mp4", [0, 40, 80, 120])
    by_pyav, by_opencv = (list(ClipSource(path, GATE, HandClock(), decoder=each).frames()) for each in BOTH)
    for one, other in zip(by_pyav, by_opencv, strict=True):
        assert np.array_equal(one.image, other.image)


@pytest.mark.parametrize("key_frames_every", ["12", "100"])
def test_samples_come_from_all_over_the_clip(tmp_path: Path, key_frames_every: str) -> None:
    path = write(tmp_path / "clip.mp4", [40 * number for number in range(25)], gop_size=key_frames_every)
    for decoder in BOTH:
        source = ClipSource(path, GATE, HandClock(), decoder=decoder)
        shades = [round(float(image.mean())) for image in source.samples(5)]
        source.close()
        assert shades == sorted(set(shades))
        assert 50 < shades[0] < 70, "from within the clip, not its first picture"
        assert shades[-1] > 190


def test_fields_are_made_whole(tmp_path: Path) -> None:
    """A bright bar that moves: its edge is a comb where two fields are shown at once."""
    path = tmp_path / "fields.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"flags": "+ildct+ilme", "top": "1", "qscale": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(10):
            picture = np.zeros((96, 160, 3), np.uint8)
            for field in range(2):
                left = 8 * (2 * number + field)
                picture[field::2, left : left + 32] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())

    def comb(frames: list[Frame]) -> float:
        return float(np.mean([np.abs(np.diff(frame.image.astype(int), axis=0)).mean() for frame in frames]))

    whole, combed = (list(ClipSource(path, GATE, HandClock(), decoder=each).frames()) for each in BOTH)
    assert len(whole) == len(combed) == 10
    assert times_ms(whole) == times_ms(combed)
    assert comb(whole) < comb(combed) / 2


def test_hardware_that_is_not_there_is_told_and_done_without(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    notes: list[str] = []
    source = ClipSource(path, GATE, HandClock(), decoder=Decoder.V4L2M2M, on_note=notes.append)
    assert len(list(source.frames())) == 5
    if not notes:
        pytest.skip("this machine decodes H.264 in hardware")
    assert "hardware decoder h264_v4l2m2m cannot be used" in notes[0]
    assert notes[0].endswith("decoding in software")


def test_other_files_that_a_file_names_are_not_opened(tmp_path: Path) -> None:
    write(tmp_path / "secret.mp4", [0, 40])
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(SourceError, match="not a video"):
        ClipSource(tmp_path / "list.mp4", GATE, HandClock(), decoder=Decoder.PYAV)


PIPED = """
import sys
from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
frames = list(open_source("-", "gate", SystemClock()).frames())
print(len(frames), frames[0].image.shape, round((frames[-1].captured_at_ns - frames[0].captured_at_ns) / 1e6))
"""


def test_what_is_piped_in_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mkv", [0, 40, 80, 200])
    with path.open("rb") as file:
        piped = subprocess.run([sys.executable, "-c", PIPED], stdin=file, capture_output=True, text=True, check=True)
    assert piped.stdout == "4 (48, 64, 3) 200\n"


@pytest.mark.parametrize(("content", "fault"), [(b"", "is no video"), (b"no video\n" * 99, "an MP4 is read from")])
def test_what_cannot_be_read_from_a_pipe_is_told(content: bytes, fault: str) -> None:
    piped = subprocess.run([sys.executable, "-c", PIPED], input=content, capture_output=True, check=False)
    assert piped.stderr.decode().splitlines()[-1].startswith("roadside.errors.SourceError: standard input: ")
    assert fault in piped.stderr.decode()


@pytest.mark.parametrize("source", ["rtmp://127.0.0.1/x", "srt://127.0.0.1:1", "http://127.0.0.1/x.m3u8", "-"])
def test_without_the_package_the_message_says_how_to_get_it(source: str) -> None:
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'av' else find(name, *more)\n"
        "from roadside.adapters.sources.video import open_source\n"
        "from roadside.adapters.system_clock import SystemClock\n"
        f"open_source({source!r}, 'gate', SystemClock())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert re.search("is read through PyAV: .*pip install 'av", done.stderr.splitlines()[-1])


def test_nothing_of_a_closed_clip_stays_open(tmp_path: Path) -> None:
    before = {file.name for file in Path("/proc/self/fd").iterdir()}
    source = ClipSource(write(tmp_path / "clip.mp4", [0, 40]), GATE, HandClock())
    list(source.frames())
    assert {file.name for file in Path("/proc/self/fd").iterdir()} <= before


# --- USB cameras ----------------------------------------------------------------------------------


def usb(source: str) -> Opening:
    return Opening(Kind.DEVICE, source, source, 2.0, 1280, 720, 25, decoder=Decoder.PYAV)


def test_a_usb_camera_is_asked_for_motion_jpeg_first_and_for_anything_last() -> None:
    first, second, last = device_options(usb("/dev/video0"))
    assert first == {"input_format": "mjpeg", "video_size": "1280x720", "framerate": "25"}
    assert second == {"video_size": "1280x720", "framerate": "25"}
    assert last == {}


def test_a_usb_camera_that_is_not_there_or_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no camera")
    file = str(tmp_path / "file")
    for source, said in (("/dev/video97", "no camera there"), ("/dev/null", "is no camera"), (file, "is no camera")):
        with pytest.raises(SourceError, match=said) as caught:
            opened(usb(source), lambda _: None)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EACCES, "group `video`"), (errno.EBUSY, "another program"), (errno.EINVAL, "v4l2-ctl")]
)
def test_why_a_usb_camera_cannot_be_opened_is_told(number: int, said: str) -> None:
    with pytest.raises(av.error.FFmpegError) as caught:
        av.error.err_check(-number)
    assert said in device_fault(caught.value)


def test_a_clip_that_cannot_be_read_through_a_pipe_says_how_it_can(tmp_path: Path) -> None:
    """MP4 as most programs write it: the index comes after the pictures."""
    path = film(tmp_path / "clip.mp4")
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) as cat:
        assert cat.stdout is not None
        descriptor = os.dup(cat.stdout.fileno())
        opening = Opening(Kind.CLIP, "", "standard input", decoder=Decoder.PYAV, descriptor=descriptor)
        with pytest.raises(SourceError, match="index at its end cannot be read as it comes: give its name"):
            list(RecordedSource(opening, None, GATE, HandClock()).frames())
