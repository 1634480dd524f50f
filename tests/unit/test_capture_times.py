"""The times of frames that the capture service publishes, whatever clocks do, and how old they are to a detector."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.system_clock import SystemClock
from roadside.capture.worker import CameraWorker, CaptureOptions
from roadside.core.events import FrameEvent, PixelPicture
from roadside.core.frames import SEPARATE_NS, CameraId, Frame
from roadside.core.moments import Stamp
from roadside.detector.stage import DetectStage
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.publisher import BoundedPublisher
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts
from roadside.ports.bus import FRAMES, Room
from tests.clocks import A_DAY_IN_2027_NS, HandClock
from tests.unit.test_gather import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from roadside.core.frames import Detection

GATE = CameraId("gate")
SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
BLACK = np.zeros((48, 64, 3), np.uint8)


class Given:
    """A source of frames that are given."""

    frame_count = None
    frames_per_s = 10.0

    def __init__(self, frames: Sequence[Frame], *, live: bool) -> None:
        self._frames = frames
        self.live = live

    def frames(self) -> Iterator[Frame]:
        for frame in self._frames:
            yield frame
            if self.live:  # only the newest frame of a camera waits
                time.sleep(0.05)

    def close(self) -> None:
        pass


def published(
    bus: MemoryBus,
    frames: Sequence[Frame],
    *,
    live: bool,
    loops: int = 1,
    fps: float = 0.0,
    opened: list[Given] | None = None,
) -> list[FrameEvent]:
    """What a capture service that is started anew makes of a source; each opening of it is added to `opened`."""
    stopping, health, meter = threading.Event(), Health(("bus",), time.monotonic), Counts()
    retry = RetryPolicy(
        "gate", meter=meter, health=health, backoff=Backoff(random.Random(1)), stopping=stopping, drain_s=1
    )
    parts = LoopParts(bus, meter, SystemClock(), health, retry, stopping)
    publisher = BoundedPublisher(FRAMES, parts, Room(1000), "gate")
    options = CaptureOptions(loops=loops, pace=False, publish_fps=fps)

    def open_source(_: object) -> Given:
        source = Given(frames, live=live)
        if opened is not None:
            opened.append(source)
        return source

    CameraWorker(GATE, open_source, publisher, options, None, parts).run()
    deliveries = bus.receive(FRAMES, max_messages=1000, block_s=0)
    bus.commit([delivery.receipt for delivery in deliveries])
    return [delivery.load() for delivery in deliveries]


def of(at_ns: int, sequence: int, stamp: Stamp | None = None) -> Frame:
    return Frame(GATE, at_ns, sequence, BLACK, stamp)


def test_a_camera_whose_clock_was_set_back_before_a_restart_goes_on_after_what_was() -> None:
    bus = MemoryBus(MemoryBroker(SystemClock()), "test")
    stamp = Stamp(A_DAY_IN_2027_NS)
    (first,) = published(bus, [of(A_DAY_IN_2027_NS, 0, stamp)], live=True)
    behind = A_DAY_IN_2027_NS - HOUR_NS
    again = published(
        bus, [of(behind, 0, Stamp(behind)), of(behind + SECOND_NS, 1, Stamp(behind + SECOND_NS))], live=True
    )
    assert first.captured_at_ns == A_DAY_IN_2027_NS
    assert [event.captured_at_ns for event in again] == [
        A_DAY_IN_2027_NS + SEPARATE_NS,
        A_DAY_IN_2027_NS + SEPARATE_NS + SECOND_NS,
    ]
    assert [event.taken_at_ns for event in again] == [behind, behind + SECOND_NS]
    later = A_DAY_IN_2027_NS + HOUR_NS
    (ahead,) = published(bus, [of(later, 0)], live=True)
    assert ahead.captured_at_ns == later


def test_a_recording_that_is_played_again_goes_on_from_when_it_was_taken() -> None:
    taken = A_DAY_IN_2027_NS - 100 * HOUR_NS
    frames = [of(5 + n * SECOND_NS, n, Stamp(taken + n * SECOND_NS, 7)) for n in range(2)]
    events = published(MemoryBus(MemoryBroker(SystemClock()), "test"), frames, live=False, loops=2)
    since = [(e.stamp.at_ns - taken) / SECOND_NS for e in events if e.stamp is not None]
    assert since == [0, 1, 5, 6]
    played = [(e.captured_at_ns - events[0].captured_at_ns) / SECOND_NS for e in events]
    assert played == since
    assert {e.stamp.slack_ns for e in events if e.stamp is not None} == {7}


@pytest.mark.parametrize("fps", [0.0, 2.0, 0.11])
@pytest.mark.parametrize("played", [1, 2, 5])
def test_loops_that_were_played_before_a_restart_are_not_decoded_again(fps: float, played: int) -> None:
    frames = [of(5 + n * SECOND_NS // 10, n) for n in range(20)]
    whole = published(MemoryBus(MemoryBroker(SystemClock()), "test"), frames, live=False, loops=7, fps=fps)
    bus, opened = MemoryBus(MemoryBroker(SystemClock()), "test"), []
    before = published(bus, frames, live=False, loops=played, fps=fps)
    after = published(bus, frames, live=False, loops=7, fps=fps, opened=opened)

    def placed(events: Sequence[FrameEvent]) -> list[tuple[int, int]]:
        return [(event.sequence, event.captured_at_ns - events[0].captured_at_ns) for event in events]

    assert placed([*before, *after]) == placed(whole)
    last = max(event.sequence for event in before) // len(frames)
    assert len(opened) == 7 - max(0, last - 1), "the first, that of the last frame, and what is left"


class Blind:
    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        del image
        return ()


@pytest.mark.parametrize("ahead_ns", [0, -HOUR_NS, HOUR_NS, 1_700_000_000 * SECOND_NS])
def test_frames_of_a_computer_with_another_time_are_no_older_than_they_are(ahead_ns: int) -> None:
    clock, meter = HandClock(), Counts()
    stage = DetectStage(Blind(), 2.0, clock, meter)
    event = FrameEvent(GATE, 0, 0, PixelPicture(BLACK), live=True)

    def late() -> float:
        return meter.values.get(f"frames_dropped_total{sorted({'camera': GATE, 'reason': 'late'}.items())}", 0)

    for _ in range(20):
        stage.handle(replace(event, captured_at_ns=clock.ns + ahead_ns))
        clock.advance(0.1)
    assert late() == 0
    stage.handle(replace(event, captured_at_ns=clock.ns + ahead_ns - 3 * SECOND_NS))
    assert late() == 1, "three seconds old"
    clock.advance(86_400)
    drifted = 4 * SECOND_NS if ahead_ns else 0
    stage.handle(replace(event, captured_at_ns=clock.ns + ahead_ns - drifted))
    assert late() == 1, "two computers' clocks drift apart, which is no age"


@pytest.mark.parametrize("live", [False, True])
def test_frames_say_where_the_background_is(live: bool) -> None:  # noqa: FBT001 - drawn by pytest
    wall = np.random.default_rng(1).integers(0, 255, (60, 100, 3)).astype(np.uint8)
    wide = np.asarray(cv2.resize(wall, (1600, 720), interpolation=cv2.INTER_CUBIC), np.uint8)
    frames = [Frame(GATE, (n + 1) * 100_000_000, n, wide[:, 3 * n : 3 * n + 1280]) for n in range(20)]
    events = published(MemoryBus(MemoryBroker(SystemClock()), "test"), frames, live=live)
    known = [event.background for event in events]
    assert len(known) > 2
    assert all(background is not None and background.told for background in known)
    shifts = [background.x for background in known if background is not None]
    assert shifts[-1] - shifts[0] == pytest.approx(-57, abs=6)
