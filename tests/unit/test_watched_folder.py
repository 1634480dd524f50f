"""A folder into which a camera puts pictures: each once, whole, in order, also over an end and a new start."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

import cv2
import numpy as np
import pytest

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.sources import watched
from roadside.adapters.sources.live import CameraSettings
from roadside.adapters.sources.video import open_source
from roadside.adapters.sources.watched import WatchedFolder
from roadside.adapters.system_clock import SystemClock
from roadside.capture.worker import CameraWorker, CaptureOptions
from roadside.core.frames import SEPARATE_NS, CameraId, Frame
from roadside.errors import SourceError
from roadside.kit.backoff import Backoff
from roadside.kit.decoding_process import DecodingProcess
from roadside.kit.health import Health
from roadside.kit.publisher import BoundedPublisher
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts
from roadside.ports.bus import FRAMES, Room
from tests.clocks import HandClock
from tests.unit.test_gather import Counts
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from roadside.core.events import FrameEvent

GATE = CameraId("gate")


def picture(shade: int) -> bytes:
    return cv2.imencode(".jpg", np.full((48, 64, 3), shade, np.uint8))[1].tobytes()


def put(path: Path, shade: int, age_s: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(shade))
    changed_s = 1_790_000_000 - age_s
    os.utime(path, (changed_s, changed_s))


class Watch:
    """A folder that is watched in a thread."""

    def __init__(self, folder: Path, memory: Path | None = None, **options: object) -> None:
        self.refused: list[str] = []
        self.notes: list[str] = []
        self.seen: list[Frame] = []
        self.source = WatchedFolder(
            folder,
            GATE,
            HandClock(),
            memory=memory,
            every_s=0.02,
            on_refused=self.refused.append,
            on_note=self.notes.append,
            **options,  # type: ignore[arg-type]
        )
        self._thread = threading.Thread(target=lambda: self.seen.extend(self._frames()))
        self.shades: list[int] = []

    def _frames(self) -> list[Frame]:
        for frame in self.source.frames():
            self.shades.append(round(float(frame.image.mean())))
        return []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()
        self._thread.join()


def comes(watch: Watch, *shades: int) -> None:
    wait_for(lambda: len(watch.shades) >= len(shades), f"pictures {shades}")
    assert watch.shades == list(shades)


def test_pictures_come_once_each_oldest_first_and_new_ones_as_they_arrive(tmp_path: Path) -> None:
    put(tmp_path / "b.jpg", 40, age_s=60)
    put(tmp_path / "a.jpg", 60, age_s=30)
    (tmp_path / "notes.txt").write_text("no picture")
    put(tmp_path / ".upload.jpg", 10)
    with Watch(tmp_path) as watch:
        comes(watch, 40, 60)
        put(tmp_path / "2026-11-26" / "c.jpg", 80)
        comes(watch, 40, 60, 80)
        put(tmp_path / "a.jpg", 100, age_s=5)
        comes(watch, 40, 60, 80, 100)
    assert watch.refused == []


def test_a_picture_that_still_grows_is_waited_for(tmp_path: Path) -> None:
    whole = picture(70)
    path = tmp_path / "slow.jpg"
    path.write_bytes(whole[: len(whole) // 2])
    put(tmp_path / "other.jpg", 50)
    with Watch(tmp_path) as watch:
        comes(watch, 50)
        path.write_bytes(whole)
        comes(watch, 50, 70)
    assert watch.refused == []


def test_what_never_gets_whole_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(picture(70)[:-40])
    with Watch(tmp_path, patience_s=0.1) as watch:
        wait_for(lambda: bool(watch.refused), "a refusal")
        put(tmp_path / "whole.jpg", 90)
        comes(watch, 90)
    assert len(watch.refused) == 1
    assert "broken.jpg" in watch.refused[0]


def test_what_was_read_is_remembered_and_forgotten_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "SETTLED_S", 0.0)
    folder, memory = tmp_path / "in", tmp_path / "memory"
    put(folder / "a.jpg", 40, age_s=10)

    def remembered(count: int) -> Callable[[], bool]:
        return lambda: sum(len(file.read_text().splitlines()) for file in memory.glob("*")) == count

    with Watch(folder, memory) as watch:
        comes(watch, 40)
        wait_for(remembered(1), "memory")
    put(folder / "b.jpg", 60)
    with Watch(folder, memory) as watch:
        comes(watch, 60)
        wait_for(remembered(2), "memory")
    (folder / "a.jpg").unlink()
    with Watch(folder, memory):
        wait_for(remembered(1), "one that is forgotten")


def test_a_folder_that_goes_away_is_told_and_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    put(folder / "a.jpg", 40)
    with Watch(folder) as watch:
        comes(watch, 40)
        folder.rename(tmp_path / "elsewhere")
        wait_for(lambda: bool(watch.notes), "a note")
        put(folder / "b.jpg", 60)
        comes(watch, 40, 60)
    assert len(watch.notes) == 1


class Inbox:
    """The capture service on a folder, as it is after a start."""

    def __init__(self, folder: Path, memory: Path, bus: MemoryBus) -> None:
        self._stopping = threading.Event()
        health, meter = Health(("bus",), time.monotonic), Counts()
        backoff = Backoff(random.Random(1))
        retry = RetryPolicy("gate", meter=meter, health=health, backoff=backoff, stopping=self._stopping, drain_s=1)
        parts = LoopParts(bus, meter, SystemClock(), health, retry, self._stopping)
        options = CaptureOptions(on_published=lambda source, frame: source.done(frame.sequence))  # type: ignore[attr-defined]

        def open_folder(_: object) -> WatchedFolder:
            return WatchedFolder(folder, GATE, SystemClock(), memory=memory, every_s=0.02, acknowledged=True)

        publisher = BoundedPublisher(FRAMES, parts, Room(1000), "gate")
        self._thread = threading.Thread(target=CameraWorker(GATE, open_folder, publisher, options, None, parts).run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()


def test_the_capture_service_publishes_each_picture_once_over_a_new_start(tmp_path: Path) -> None:
    folder, memory = tmp_path / "in", tmp_path / "memory"
    bus = MemoryBus(MemoryBroker(SystemClock()), "test")
    events: list[FrameEvent] = []

    def came(count: int) -> Callable[[], bool]:
        def look() -> bool:
            deliveries = bus.receive(FRAMES, max_messages=100, block_s=0)
            events.extend(delivery.load() for delivery in deliveries)
            bus.commit([delivery.receipt for delivery in deliveries])
            return len(events) >= count

        return look

    put(folder / "a.jpg", 40, age_s=60)
    put(folder / "b.jpg", 60, age_s=30)
    with Inbox(folder, memory, bus):
        wait_for(came(2), "two pictures")
        state = bus.camera(GATE)
    assert state is not None
    assert state.live, "time passes between pictures"
    put(folder / "c.jpg", 80)
    with Inbox(folder, memory, bus):
        wait_for(came(3), "the third")
    assert [round(float(event.picture.pixels().mean())) for event in events] == pytest.approx([40, 60, 80], abs=2)
    assert [event.sequence for event in events] == [0, 1, 2]
    assert not any(event.live for event in events), "none is dropped because it is late"
    times = [event.captured_at_ns for event in events]
    assert min(np.diff(times)) >= SEPARATE_NS, "the vehicles of one are seen in no other"


def test_a_picture_that_was_not_told_of_comes_again(tmp_path: Path) -> None:
    folder, memory = tmp_path / "in", tmp_path / "memory"
    put(folder / "a.jpg", 40)
    with Watch(folder, memory, acknowledged=True) as watch:
        comes(watch, 40)
    with Watch(folder, memory, acknowledged=True) as watch:
        comes(watch, 40)
        watch.source.done(0)
        put(folder / "b.jpg", 60)
        comes(watch, 40, 60)
    with Watch(folder, memory, acknowledged=True) as watch:
        comes(watch, 60)


def test_a_memory_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"remembered in .*, which cannot be \(.*volume"):
        WatchedFolder(tmp_path, GATE, HandClock(), memory=tmp_path / "file" / "watched")


def test_it_is_named_by_its_prefix(tmp_path: Path) -> None:
    source = open_source(f"watch:{tmp_path}", GATE, HandClock(), CameraSettings())
    assert isinstance(source, WatchedFolder)
    assert not source.live
    with pytest.raises(SourceError, match="no folder to be watched"):
        open_source(f"watch:{tmp_path}/none", GATE, HandClock())


DIES_OF_THE_DARK = """
import os, sys
from roadside.kit import decoding_child
from roadside.wire.decoding import decode
def dies(data, limits):
    pixels = decode(data, limits)
    if pixels.mean() < 20:
        os.abort()
    return pixels
decoding_child.decode = dies
decoding_child.main()
"""


def test_a_picture_that_ends_its_decoder_ends_no_watch(tmp_path: Path) -> None:
    """As a hostile one would end the library that it is decoded with: whoever may put pictures there is a stranger."""
    for number, shade in enumerate((60, 5, 80)):
        put(tmp_path / f"{number}.jpg", shade, age_s=60 - number)
    decoder = DecodingProcess(command=(sys.executable, "-c", DIES_OF_THE_DARK))
    with Watch(tmp_path, patience_s=0.0, decoder=decoder) as watch:
        comes(watch, 60, 80)
        wait_for(lambda: bool(watch.refused), "the one that was refused")
    assert watch.refused == [f"{tmp_path / '1.jpg'}: ended its decoder twice"]
    assert decoder.deaths == 2


def test_pictures_of_a_folder_are_decoded_elsewhere_and_wait_while_nobody_can(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", 60)
    with Watch(tmp_path, patience_s=0.0, decoder=DecodingProcess(command=("/bin/false",))) as watch:
        wait_for(lambda: bool(watch.notes), "that no process can be started")
    assert watch.refused == []
    with Watch(tmp_path) as watch:
        comes(watch, 60)
