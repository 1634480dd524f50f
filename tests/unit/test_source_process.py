"""Clips and cameras are decoded in a process of their own: what harms it is told, and harms nothing else."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.sources import decoding_process
from roadside.adapters.sources.decoding_process import DecodedSource
from roadside.adapters.sources.live import STEADY_FRAMES, CameraSettings, LiveSource, Reopening
from roadside.adapters.sources.opening import Kind, Opening
from roadside.adapters.sources.recorded import ClipSource
from roadside.adapters.system_clock import SystemClock
from roadside.capture.worker import CameraCondition, CameraWorker, CaptureOptions
from roadside.core.frames import CameraId, Frame
from roadside.errors import DecoderDiedError, SourceError
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.publisher import BoundedPublisher
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts
from roadside.ports.bus import FRAMES, Room
from tests.clips_hostile import empty_jpeg, mjpeg_avi
from tests.clocks import HandClock
from tests.unit.test_gather import Counts
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

GATE = CameraId("gate")
SMALL = [cv2.imencode(".jpg", np.full((48, 64), 60 + 40 * n, np.uint8))[1].tobytes() for n in range(4)]
MB = 1 << 20


def clip(folder: Path, pictures: list[bytes], width: int = 64, height: int = 48) -> Path:
    path = folder / "clip.avi"
    path.write_bytes(mjpeg_avi(width, height, pictures))
    return path


def opened(path: Path) -> DecodedSource:
    return DecodedSource(Opening(Kind.CLIP, str(path), path.name))


def process_of(source: DecodedSource) -> subprocess.Popen[bytes]:
    return source._process  # noqa: SLF001 - what it does to its process is the point


def rest_of(source: DecodedSource) -> Iterator[NDArray[np.uint8]]:
    while (picture := source.read()) is not None:
        yield picture


def test_the_pictures_are_those_that_opencv_decodes(tmp_path: Path) -> None:
    path = clip(tmp_path, SMALL * 5)
    here = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = list(ClipSource(path, GATE, HandClock()).frames())
    assert len(frames) == 20, "more than are decoded ahead"
    for frame in frames:
        assert np.array_equal(frame.image, here.read()[1])
    assert frames[1].captured_at_ns - frames[0].captured_at_ns == 40_000_000


def test_a_clip_of_six_megabytes_that_takes_gigabytes_is_refused_in_one_line(tmp_path: Path) -> None:
    path = clip(tmp_path, [empty_jpeg(16_000, 16_000)] * 2, 16_000, 16_000)
    with pytest.raises(SourceError, match=r"clip\.avi: frames of 16000 x 16000 pixels; scale them") as refused:
        ClipSource(path, GATE, HandClock())
    assert "\n" not in str(refused.value)


def test_names_of_files_steer_no_terminal_and_stay_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "evil\x1b[31m\nroadside: all is well.mp4"
    path.write_bytes(b"x")
    with pytest.raises(SourceError) as refused:
        ClipSource(path, GATE, HandClock())
    assert str(refused.value).isprintable()
    assert "evil\\x1b[31m\\nroadside: all is well.mp4: is not a video" in str(refused.value)


def test_a_pipe_is_no_clip(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clip.mp4")
    with pytest.raises(SourceError, match="is no file but a pipe"):
        ClipSource(tmp_path / "clip.mp4", GATE, HandClock())


def test_a_picture_that_grows_within_a_clip_takes_nothing_of_who_watches(tmp_path: Path) -> None:
    path = clip(tmp_path, [*SMALL, empty_jpeg(8_000, 8_000), *SMALL])
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = [frame.image.shape for frame in ClipSource(path, GATE, HandClock()).frames()]
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    assert set(seen) == {(48, 64, 3)}
    assert grown_mb < 8000 * 8000 / MB, "not even its grey pixels came here"


def test_the_process_may_not_have_more_than_its_memory(tmp_path: Path) -> None:
    with_limit = opened(clip(tmp_path, SMALL))
    limits = Path(f"/proc/{process_of(with_limit).pid}/limits").read_text(encoding="ascii")
    line = next(line for line in limits.splitlines() if line.startswith("Max address space"))
    assert int(line.split()[3]) < 3 << 30
    with_limit.close()


def test_a_clip_that_kills_its_decoder_is_told_after_what_came_before(tmp_path: Path) -> None:
    source = opened(clip(tmp_path, SMALL * 100))
    pictures = [source.read()]
    process_of(source).send_signal(signal.SIGSEGV)
    with pytest.raises(DecoderDiedError, match=r"clip\.avi: .*ended the process that decodes it \(signal 11\)") as died:
        pictures.extend(rest_of(source))
    assert all(picture is not None and picture.shape == (48, 64, 3) for picture in pictures)
    assert "\n" not in str(died.value)
    assert source.read() is None


def test_a_decoder_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_process, "CLIP_S", 0.2)
    source = opened(clip(tmp_path, SMALL * 100))
    os.kill(process_of(source).pid, signal.SIGSTOP)
    with pytest.raises(DecoderDiedError, match=r"no answer within 0\.2 s"):
        list(rest_of(source))
    assert process_of(source).poll() is not None, "it was ended"


def test_what_makes_no_sense_is_not_believed() -> None:
    says = "import sys, struct; sys.stdin.readline(); m = struct.Struct('<cIIIdq'); "
    says += "sys.stdout.buffer.write(m.pack(b'O', 2, 0, 0, 0, 0) + b'{}' + m.pack(b'F', 60_000, 60_000, 0, 0, 0))"
    source = DecodedSource(Opening(Kind.CLIP, "x", "x"), (sys.executable, "-c", says))
    with pytest.raises(DecoderDiedError, match="makes no sense"):
        source.read()


def test_closing_from_another_thread_ends_a_read(tmp_path: Path) -> None:
    source = opened(clip(tmp_path, SMALL))
    os.kill(process_of(source).pid, signal.SIGSTOP)
    read: list[NDArray[np.uint8] | None] = []

    def take() -> None:
        while (picture := source.read()) is not None:
            read.append(picture)
        read.append(None)

    reader = threading.Thread(target=take)
    reader.start()
    source.stop()
    reader.join(30)
    assert read[-1] is None
    source.close()


def test_what_is_opened_is_no_argument_and_no_variable(tmp_path: Path) -> None:
    """Addresses hold passwords, and everybody on the machine may list the arguments of processes."""
    path = clip(tmp_path, SMALL).rename(tmp_path / "hunter2.avi")
    source = DecodedSource(Opening(Kind.CLIP, str(path), "clip"))
    told = Path(f"/proc/{process_of(source).pid}")
    shown = [(told / file).read_bytes() for file in ("cmdline", "environ")]
    source.close()
    assert b"decoding_child" in shown[0]
    assert not any(b"hunter2" in text for text in shown)


def test_the_process_ends_with_who_watches(tmp_path: Path) -> None:
    path = clip(tmp_path, SMALL * 100)
    watches = (
        "import sys, time\n"
        "from roadside.adapters.sources.opening import Kind, Opening\n"
        "from roadside.adapters.sources.decoding_process import DecodedSource\n"
        "source = DecodedSource(Opening(Kind.CLIP, sys.argv[1], 'clip'))\n"
        "source.read()\n"
        "print(source._process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    watcher = subprocess.Popen([sys.executable, "-c", watches, str(path)], stdout=subprocess.PIPE)
    assert watcher.stdout is not None
    with watcher.stdout:
        child = int(watcher.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    watcher.kill()
    watcher.wait()
    wait_for(lambda: not _runs(child), "end of the decoding process")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Dying:
    """A camera whose decoder ends after so many pictures."""

    taken_at_ns = 0

    def __init__(self, pictures: int) -> None:
        self._left = pictures

    def read(self) -> NDArray[np.uint8]:
        self._left -= 1
        if self._left < 0:
            raise DecoderDiedError("cam: its decoder ended")
        return np.zeros((2, 2, 3), np.uint8)

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_stream_that_kills_its_decoder_again_and_again_is_tried_ever_more_seldom() -> None:
    cameras = [Dying(3), Dying(3), Dying(3), Dying(STEADY_FRAMES)]
    pauses: list[float] = []
    told: list[str] = []
    deaths: list[int] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if not cameras:
            source.close()

    reopening = Reopening(told.append, lambda: deaths.append(1), wait, random.Random(1))
    settings = CameraSettings(backoff_s=1)
    source = LiveSource("cam", lambda: cameras.pop(0), GATE, HandClock(), settings, reopening=reopening)
    assert len(list(source.frames())) == 9 + STEADY_FRAMES
    assert [round(pause // 1) >= least for pause, least in zip(pauses, [1, 2, 4, 1], strict=True)] == [True] * 4
    assert pauses[2] >= 4
    assert pauses[3] <= 1.5, "after so many pictures it is the first time again"
    assert len(deaths) == 4
    assert told[0].startswith("cam: its decoder ended; trying again in 1.0 s")


class Fails:
    """A recording that ends its decoder after its first frames, each time that it is opened."""

    frame_count = None
    frames_per_s = 10.0
    live = False

    def frames(self) -> Iterator[Frame]:
        for number in range(3):
            yield Frame(GATE, number * 100_000_000, number, np.zeros((48, 64, 3), np.uint8))
        raise DecoderDiedError("clip.avi: ended its decoder")

    def close(self) -> None:
        pass


def test_a_recording_that_kills_its_decoder_is_told_counted_and_left_alone_for_ever_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("roadside.capture.worker.FIRST_PAUSE_S", 0.01)
    stopping, health, meter = threading.Event(), Health(("bus",), time.monotonic), Counts()
    pauses: list[float] = []
    opened_times: list[int] = []
    bus = MemoryBus(MemoryBroker(SystemClock()), "test")
    backoff = Backoff(random.Random(1))
    retry = RetryPolicy("gate", meter=meter, health=health, backoff=backoff, stopping=stopping, drain_s=1)
    parts = LoopParts(bus, meter, SystemClock(), health, retry, stopping)

    def open_it(_: object) -> Fails:
        opened_times.append(1)
        if len(opened_times) == 5:
            stopping.set()
        return Fails()

    publisher = BoundedPublisher(FRAMES, parts, Room(1000), "gate")
    worker = CameraWorker(GATE, open_it, publisher, CaptureOptions(pace=False), None, parts)
    failed = worker._failed  # noqa: SLF001 - how long it pauses is the point

    def note(error: SourceError, pause_s: float) -> None:
        pauses.append(pause_s)
        failed(error, pause_s)

    monkeypatch.setattr(worker, "_failed", note)
    worker.run()
    assert pauses == [0.01, 0.02, 0.04, 0.08], "and whoever watches others goes on"
    assert meter.values["decoder_deaths_total[('camera', 'gate')]"] == 4
    assert worker.report.condition is CameraCondition.CONNECTING
    frames = bus.receive(FRAMES, max_messages=100, block_s=0)
    assert [delivery.load().sequence for delivery in frames] == [0, 1, 2], "each frame once"
    bus.commit([delivery.receipt for delivery in frames])
