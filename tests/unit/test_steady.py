"""A clock that is set changes labels, and neither multiplies, loses nor delays what was seen."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.embedded import EmbeddedPipeline, Parts
from roadside.assembly.unstored import KeepNothing
from roadside.core.confusions import typical
from roadside.core.events import EncodedPicture, FrameEvent, PictureEncoding, ReadEvent
from roadside.core.frames import END_OF_TIME_NS, SEPARATE_NS, Box, CameraId, Crop, Detection, Frame
from roadside.core.moments import Stamp, TimeDoubt
from roadside.core.reads import PlacedRead
from roadside.core.steady import USUAL_INTERVAL_NS, SteadyTime
from roadside.core.track import TrackBuilder
from roadside.core.verdict import Policy
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.holding_runner import HoldingRunner
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts
from roadside.kit.timing import Stopwatch
from roadside.ports.bus import FRAMES, READS, SIGHTINGS
from roadside.registry.judge import Judge
from roadside.wire.pictures import TravellingPicture
from tests.unit.test_gather import Counts, NobodyPaid, gathering, read_of
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.reads import Read
    from roadside.core.sightings import Sighting

GATE = CameraId("gate")
START_NS = 1_700_000_000 * 10**9
SECOND_NS = 10**9
VEHICLES = 9
PICTURE = np.random.default_rng(3).integers(0, 255, (40, 160, 3), np.uint8)
STEPS_S = [-1, -5, -3600, -1_700_000_000, 30, 3600, 10 * 365 * 86_400]


def street(step_s: int, at_s: float, *, stamped: bool) -> list[ReadEvent]:
    """A vehicle every four seconds, seen in twenty frames of ten a second; the clock is set by `step_s` at `at_s`."""
    events = []
    for sequence in range(VEHICLES * 40):
        since_s = sequence / 10
        vehicle, phase = int(since_s // 4), since_s % 4
        if phase >= 2:
            continue
        counted_ns = START_NS + sequence * SECOND_NS // 10
        told_ns = counted_ns + (step_s * SECOND_NS if since_s >= at_s else 0)
        x = 100 + phase * 200
        crop = Crop(
            GATE,
            counted_ns if stamped else told_ns,
            sequence,
            Detection(Box(x, 100, x + 130, 130), 0.9),
            PICTURE,
            (int(x), 100),
            stamp=Stamp(told_ns) if stamped else None,
        )
        events.append(ReadEvent(crop, None, read_of(f"AB{vehicle + 10}CDE")))
    return events


def gathered(events: list[ReadEvent]) -> list[Sighting]:
    stage, found = gathering(), []
    for event in events:
        stage.take(event)
        found += stage.advance(GATE, event.captured_at_ns)
    found += stage.advance(GATE, END_OF_TIME_NS)
    return [event.sighting for concluded in found for event in concluded.outputs]


def texts(sightings: list[Sighting]) -> list[str]:
    return [sighting.plate.text for sighting in sightings if sighting.plate is not None]


EXPECTED = [f"AB{vehicle + 10}CDE" for vehicle in range(VEHICLES)]


@pytest.mark.parametrize("at_s", [24.0, 25.0])
@pytest.mark.parametrize(
    ("step_s", "stamped"),
    # Without a stamp, a clock that is set on by less than a minute is a camera that was away.
    [(s, stamped) for s in STEPS_S for stamped in (True, False) if stamped or s != 30],
)
def test_each_vehicle_is_told_once_whatever_the_clock_does(step_s: int, at_s: float, *, stamped: bool) -> None:
    """Between two vehicles, and in the middle of one; of an older capture service, too, that does not stamp."""
    found = gathered(street(step_s, at_s, stamped=stamped))
    assert texts(found) == EXPECTED
    passing = found[6]
    assert passing.passage.doubt is (TimeDoubt.JUMPED if at_s == 25.0 and abs(step_s) > 60 else None)
    assert passing.first_seen_ns <= passing.last_seen_ns
    after_s = (found[-1].first_seen_ns - START_NS) / SECOND_NS - 4 * (VEHICLES - 1)
    assert after_s == pytest.approx(step_s), "the labels are the clock's"


@pytest.mark.parametrize("step_s", [s for s in STEPS_S if s < 0])
def test_a_builder_that_is_told_falling_times_tells_each_vehicle_once_and_at_once(step_s: int) -> None:
    builder, found = TrackBuilder(GATE), []
    for event in street(step_s, 25.0, stamped=False):
        found += builder.update(event.captured_at_ns, (PlacedRead(event.crop, event.read),))
    assert len(found) == VEHICLES - 1
    assert len(found + list(builder.flush())) == VEHICLES


def test_a_vehicle_that_left_as_the_clock_was_set_back_is_told_at_once() -> None:
    builder = TrackBuilder(GATE)
    events = street(0, 0.0, stamped=False)[:10]
    for event in events:
        assert not builder.update(event.captured_at_ns, (PlacedRead(event.crop, event.read),))
    now_ns = events[-1].captured_at_ns - 3600 * SECOND_NS
    assert not builder.update(now_ns, ())
    assert not builder.update(now_ns + SECOND_NS, ())
    (track,) = builder.update(now_ns + 2 * SECOND_NS, ())
    assert len(track.identities) == 10


def test_dead_letters_that_are_replayed_do_not_move_the_clock() -> None:
    events = street(0, 0.0, stamped=True)
    stage = gathering()
    for event in events[1:]:
        stage.take(event)
    stage.advance(GATE, events[-1].captured_at_ns + SEPARATE_NS)
    stage.take(events[0])
    (late,) = stage.advance(GATE, events[0].captured_at_ns + 1)
    assert late.identities == (events[0].identity,)


@given(
    st.lists(st.tuples(st.integers(1, 10**10), st.integers(-(10**19), 10**19), st.booleans()), min_size=1, max_size=30)
)
def test_times_rise_with_the_numbers_of_frames_whatever_is_told(told: list[tuple[int, int, bool]]) -> None:
    steady, sequence, found = SteadyTime(), 0, []
    for more, at_ns, leaps in told:
        sequence += more
        found.append(steady.of(at_ns, sequence, leaps=leaps))
        assert steady.of(at_ns, sequence) == found[-1], "the other plates of a frame have its time"
    assert all(a < b for a, b in pairwise(found))


def test_times_that_rise_stay_as_they_are_and_equal_ones_are_told_apart() -> None:
    steady = SteadyTime()
    assert [steady.of(at, n) for n, at in enumerate([10, 20, 3600 * SECOND_NS])] == [10, 20, 3600 * SECOND_NS]
    stuck = SteadyTime()
    assert [stuck.of(7, n) for n in (4, 5, 7)] == [7, 7 + USUAL_INTERVAL_NS, 7 + 3 * USUAL_INTERVAL_NS]


class HandSeconds:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def frame_of(sequence: int, at_ns: int) -> FrameEvent:
    return FrameEvent(
        GATE, at_ns, sequence, TravellingPicture(EncodedPicture(PictureEncoding.JPEG, b"\xff\xd8")), live=True
    )


class Holding:
    """The registry's loop on a live camera, in whose time a test lets seconds pass."""

    def __init__(self, silence_s: float = 10.0, *, full: bool = False) -> None:
        self.broker = MemoryBroker(SystemClock(), leadership_s=60)
        self.bus = MemoryBus(self.broker, "test")
        self.bus.set_camera(GATE, live=True, ended=False)
        self.seconds = HandSeconds()
        self.stopping = threading.Event()
        bus, meter, health = MemoryBus(self.broker, "registry"), Counts(), Health(("bus",), time.monotonic)
        self.meter, self.health = meter, health
        retry = RetryPolicy(
            "reads", meter=meter, health=health, backoff=Backoff(random.Random(1)), stopping=self.stopping, drain_s=1
        )
        parts = LoopParts(bus, meter, SystemClock(), health, retry, self.stopping)
        runner = HoldingRunner(
            READS,
            SIGHTINGS,
            gathering(meter),
            parts,
            silence_s=silence_s,
            still_s=2 * silence_s,
            gone_s=3 * silence_s,
            steady_s=self.seconds,
            is_full=lambda: full,
        )
        self.looks = 0
        self.thread = threading.Thread(target=runner.run)

    def told(self) -> int:
        return self.bus.backlog(SIGHTINGS).waiting

    def close(self) -> None:
        self.stopping.set()
        self.thread.join(60)


def test_a_live_camera_that_fell_silent_has_no_vehicle_before_it_any_more() -> None:
    """Without a frame that comes, and without the clock on the wall."""
    holding = Holding()
    events = street(0, 0.0, stamped=True)[:20]
    for event in events:
        holding.bus.publish(READS, event)
    holding.bus.publish(FRAMES, frame_of(20, events[-1].captured_at_ns + 1))
    (taken,) = MemoryBus(holding.broker, "detector").receive(FRAMES, max_messages=1, block_s=0)
    holding.thread.start()
    try:
        for _ in range(40):
            holding.seconds.s += 0.9
            time.sleep(0.02)
        assert holding.told() == 0, "a frame is on its way: the camera is not silent"
        MemoryBus(holding.broker, "detector").commit([taken.receipt])

        def pass_time() -> bool:
            holding.seconds.s += 0.9
            return holding.told() == 1

        wait_for(pass_time, "the vehicle")
    finally:
        holding.close()


def test_a_camera_that_waits_for_frames_is_no_silent_one() -> None:
    holding = Holding(silence_s=1e9)
    for event in street(0, 0.0, stamped=True)[:20]:
        holding.bus.publish(READS, event)
    holding.bus.publish(FRAMES, frame_of(20, START_NS))
    (taken,) = MemoryBus(holding.broker, "detector").receive(FRAMES, max_messages=1, block_s=0)
    MemoryBus(holding.broker, "detector").commit([taken.receipt])
    holding.thread.start()
    try:
        for _ in range(20):
            holding.seconds.s += 0.9
            time.sleep(0.02)
        assert holding.told() == 0
    finally:
        holding.close()


def test_reads_that_are_held_for_too_long_are_told_with_their_camera() -> None:
    """Nothing is given up while a frame is really on its way; but whoever asks is told."""
    holding = Holding(silence_s=3)
    events = street(0, 0.0, stamped=True)[:20]
    for event in events:
        holding.bus.publish(READS, event)
    holding.bus.publish(FRAMES, frame_of(20, events[0].captured_at_ns - 1))
    detector = MemoryBus(holding.broker, "detector")
    (taken,) = detector.receive(FRAMES, max_messages=1, block_s=0)
    holding.thread.start()

    def pass_time() -> None:
        holding.seconds.s += 0.9

    def is_told() -> bool:
        pass_time()
        return "horizon" in holding.health.missing()

    def is_over() -> bool:
        pass_time()
        return holding.told() == 1 and not holding.health.missing()

    try:
        wait_for(is_told, "a registry that is not ready")
        assert "gate" in holding.health.reasons()["horizon"]
        assert holding.meter.values["horizon_still_seconds[('camera', 'gate')]"] >= 6
        assert holding.told() == 0
        detector.commit([taken.receipt])
        wait_for(is_over, "the vehicle, and a ready registry")
        assert holding.meter.values["horizon_still_seconds[('camera', 'gate')]"] == 0
    finally:
        holding.close()


def test_a_recording_that_nobody_plays_on_ends_in_the_end() -> None:
    """A camera that left the list while its vehicles were before it."""
    holding = Holding(silence_s=3)
    holding.bus.set_camera(GATE, live=False, ended=False)
    for event in street(0, 0.0, stamped=True)[:20]:
        holding.bus.publish(READS, event)
    begun_s = holding.seconds.s
    holding.thread.start()

    def is_told() -> bool:
        holding.seconds.s += 0.9
        return holding.told() == 1

    try:
        wait_for(is_told, "the vehicle")
        assert holding.seconds.s - begun_s > 9, "whoever comes back in time goes on with it"
    finally:
        holding.close()


def test_a_recording_that_waits_for_room_is_not_waited_for() -> None:
    """Its vehicles' reads fill the bus: it would wait for them, and they for it."""
    holding = Holding(silence_s=3, full=True)
    holding.bus.set_camera(GATE, live=False, ended=False)
    events = street(0, 0.0, stamped=True)[:20]
    for event in events:
        holding.bus.publish(READS, event)
    holding.bus.publish(FRAMES, frame_of(20, events[-1].captured_at_ns + 1))
    detector = MemoryBus(holding.broker, "detector")
    (taken,) = detector.receive(FRAMES, max_messages=1, block_s=0)
    detector.commit([taken.receipt])
    begun_s = holding.seconds.s
    holding.thread.start()

    def is_told() -> bool:
        holding.seconds.s += 0.25
        return holding.told() == 1

    try:
        wait_for(is_told, "the vehicle")
        assert 3 <= holding.seconds.s - begun_s < 9
    finally:
        holding.close()


def test_two_cameras_of_which_one_has_a_wrong_clock_are_two() -> None:
    north = street(0, 0.0, stamped=True)
    south = [
        replace(
            event,
            crop=replace(
                event.crop,
                camera_id=CameraId("south"),
                stamp=Stamp(event.captured_at_ns - 3600 * SECOND_NS, doubt=TimeDoubt.DISAGREES),
            ),
        )
        for event in north
    ]
    stage, found = gathering(), []
    for pair in zip(north, south, strict=True):
        for event in pair:
            stage.take(event)
            found += stage.advance(event.camera_id, event.captured_at_ns)
    for camera in (GATE, CameraId("south")):
        found += stage.advance(camera, END_OF_TIME_NS)
    told = [event.sighting for concluded in found for event in concluded.outputs]
    for camera, doubt in ((GATE, None), ("south", TimeDoubt.DISAGREES)):
        mine = [sighting for sighting in told if sighting.camera_id == camera]
        assert texts(mine) == EXPECTED
        assert {sighting.passage.doubt for sighting in mine} == {doubt}


class Passing:
    """A detector that sees the plate of `street` in the frame that it is told of, and a reader that reads it."""

    def __init__(self) -> None:
        self.event: ReadEvent | None = None

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        del image
        return () if self.event is None else (self.event.crop.detection,)

    def read(self, crop: Crop) -> Read:
        del crop
        assert self.event is not None
        return self.event.read


def watched(told: list[tuple[int, Stamp | None]]) -> tuple[EmbeddedPipeline, list[Sighting]]:
    """`street` in one process, each frame told with a time and a stamp; what was told of before the end."""
    seen = {event.crop.sequence: event for event in street(0, 0.0, stamped=True)}
    passing = Passing()
    judge = Judge(NobodyPaid(), typical(), Policy(), SystemClock())
    parts = Parts(passing, passing, judge, KeepNothing(), Stopwatch(), least_confidence=0.1)
    pipeline, found = EmbeddedPipeline(GATE, parts, live=True), []
    picture = np.random.default_rng(1).integers(0, 255, (200, 800, 3), np.uint8)
    for sequence, (at_ns, stamp) in enumerate(told):
        passing.event = seen.get(sequence)
        found += pipeline.take(Frame(GATE, at_ns, sequence, picture, stamp)).conclusions
    return pipeline, [event.sighting for concluded in found for event in concluded.outputs]


def test_in_one_process_a_silent_camera_ends_its_passage() -> None:
    pipeline, told = watched([(START_NS + n * SECOND_NS // 10, None) for n in range(15)])
    assert not told
    assert not pipeline.wait(SECOND_NS).conclusions
    (concluded,) = pipeline.wait(3 * SECOND_NS).conclusions
    assert [event.sighting.plate.text for event in concluded.outputs if event.sighting.plate] == EXPECTED[:1]


@pytest.mark.parametrize("step_s", STEPS_S)
def test_in_one_process_too_each_vehicle_is_told_once(step_s: int) -> None:
    frames = []
    for sequence in range(VEHICLES * 40):
        at_ns = START_NS + sequence * SECOND_NS // 10
        frames.append((at_ns, Stamp(at_ns + (step_s * SECOND_NS if sequence >= 250 else 0))))
    pipeline, told = watched(frames)
    told += [event.sighting for concluded in pipeline.end() for event in concluded.outputs]
    assert texts(told) == EXPECTED


@pytest.mark.parametrize("step_s", [s for s in STEPS_S if s < 0])
def test_a_recording_whose_times_fall_is_told_at_once_too(step_s: int) -> None:
    frames = []
    for sequence in range(VEHICLES * 40):
        at_ns = START_NS + sequence * SECOND_NS // 10 + (step_s * SECOND_NS if sequence >= 250 else 0)
        frames.append((at_ns, None))
    _, told = watched(frames)
    assert texts(told) == EXPECTED, "the last one, too: two seconds of the recording come after it"
