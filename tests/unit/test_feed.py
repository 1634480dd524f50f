from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.capture.feed import FrameFeed
from roadside.capture.motion import MotionGate
from roadside.core.frames import CameraId, Frame
from roadside.errors import SourceError
from tests.waiting import stays, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


def frame(sequence: int, image: np.ndarray | None = None, at_s: float = 0.0) -> Frame:
    picture = np.zeros((90, 160, 3), np.uint8) if image is None else image
    return Frame(CameraId("gate"), round(at_s * 1e9), sequence, picture)


class Counting:
    """A recording of numbered frames."""

    frame_count = None
    frames_per_s = 0.0

    live = False

    def __init__(self, count: int, *, failure: Exception | None = None) -> None:
        self._count = count
        self._failure = failure
        self.given = 0
        self.closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        while self.given < self._count and not self.closed.is_set():
            yield frame(self.given)
            self.given += 1
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        self.closed.set()


class Camera:
    """A live source of numbered frames that comes when it is told."""

    frame_count = None
    frames_per_s = 0.0
    live = True

    def __init__(self) -> None:
        self._due = threading.Semaphore(0)
        self._closed = False
        self._asked = self._taken = 0

    def take(self, count: int) -> None:
        """So many frames, all of which the reader of the camera has got when this returns."""
        self._asked += count
        self._due.release(count)
        wait_for(lambda: self._taken == self._asked, "frames to be taken")

    def frames(self) -> Iterator[Frame]:
        while self._due.acquire() and not self._closed:
            yield frame(self._taken)
            self._taken += 1

    def close(self) -> None:
        self._closed = True
        self._due.release()


def test_a_recording_drops_nothing_however_slow_the_reader() -> None:
    source = Counting(30)
    seen = []
    with FrameFeed(source) as feed:
        for f in feed:
            seen.append(f.sequence)
            time.sleep(0.002)  # longer than a frame takes to be made
    assert seen == list(range(30))
    assert feed.dropped == 0


def test_a_recording_is_not_decoded_far_ahead() -> None:
    source = Counting(1000)
    with FrameFeed(source) as feed:
        next(iter(feed))
        stays(lambda: source.given < 10, "a recording that waits for its reader", for_s=0.1)


def test_a_slow_reader_of_a_camera_sees_the_present() -> None:
    source = Camera()
    seen = []
    with FrameFeed(source) as feed:
        frames = iter(feed)
        for burst in (1, 20, 1, 30):
            source.take(burst)
            seen.append(next(frames).sequence)
        assert feed.dropped == 48
    assert seen == [0, 20, 21, 51], "the newest of what came meanwhile"


def test_the_silence_of_a_camera_is_told_until_frames_come_again() -> None:
    source = Camera()
    with FrameFeed(source) as feed:
        heard = feed.with_silence(0.05)
        source.take(1)
        assert next(heard) is not None
        assert next(heard) is None
        assert next(heard) is None
        source.take(1)
        assert next(f for f in heard if f is not None).sequence == 1
    with FrameFeed(Counting(2)) as feed:
        assert [f.sequence for f in feed.with_silence(60.0) if f is not None] == [0, 1], "and the end is no silence"


def test_a_fault_comes_after_the_frames_before_it() -> None:
    with FrameFeed(Counting(2, failure=SourceError("gone"))) as feed:
        iterator = iter(feed)
        assert [next(iterator).sequence, next(iterator).sequence] == [0, 1]
        with pytest.raises(SourceError, match="gone"):
            next(iterator)


def test_leaving_early_lets_the_source_go() -> None:
    source = Counting(10_000)
    with FrameFeed(source) as feed:
        next(iter(feed))
    assert source.closed.is_set()
    assert not any(t.name == "capture" for t in threading.enumerate())


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (720, 1280, 3), dtype=np.uint8)


def test_the_motion_gate_passes_what_moves_and_spares_what_stands() -> None:
    street = np.full((720, 1280, 3), 90, np.uint8)
    car = street.copy()
    car[400:430, 600:660] = 200
    gate = MotionGate(longest_gap_s=10)
    assert gate.passes(frame(0, street))
    assert not gate.passes(frame(1, street, at_s=0.1))
    assert gate.passes(frame(2, car, at_s=0.2)), "a far car of 60 x 30 pixels"
    assert not gate.passes(frame(3, car, at_s=0.3))
    assert gate.passes(frame(4, street, at_s=0.4))


def test_the_motion_gate_ignores_sensor_noise() -> None:
    street = np.full((720, 1280, 3), 90, np.uint8)
    gate = MotionGate(longest_gap_s=10)
    gate.passes(frame(0, street))
    grain = (street + (noise(1) % 16)).astype(np.uint8)
    assert not gate.passes(frame(1, grain, at_s=0.1))


def test_a_standing_vehicle_stays_seen() -> None:
    street = np.full((90, 160, 3), 90, np.uint8)
    gate = MotionGate(longest_gap_s=0.5)
    passed = [gate.passes(frame(i, street, at_s=i * 0.1)) for i in range(1, 21)]
    assert passed.count(True) == 4
