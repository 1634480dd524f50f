"""Several cameras in one process."""

from __future__ import annotations

import os
import re
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from pydantic import SecretStr

from roadside.adapters.system_clock import SystemClock
from roadside.assembly.embedded import FrameReport
from roadside.assembly.settings import Settings
from roadside.assembly.site import SiteCamera
from roadside.assembly.site_watch import SiteWatch
from roadside.assembly.unstored import KeepNothing
from roadside.assembly.watching import Keepers
from roadside.capture.viewed import ViewedSource
from roadside.cli import main
from roadside.commands.config import EXAMPLE
from roadside.core.confusions import typical
from roadside.core.frames import CameraId, Frame
from roadside.core.outline import Polygon
from roadside.core.verdict import Policy
from roadside.core.view import View
from roadside.errors import SourceError
from roadside.kit.hangup import Hangup
from roadside.registry.judge import Judge
from tests.clips import passing
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from roadside.core.vignettes import CandidateQuery, RegistryAnswer
    from roadside.ports.sources import FrameSource

STREET = Path(__file__).parents[2] / "examples" / "street.jpg"
CAR = np.s_[330:720, 700:1280]
"""The part of the picture that shows one of its cars."""
TOP = Polygon(((0, 0), (1, 0), (1, 0.5), (0, 0.5)))


class NobodyKnows:
    def search(self, query: CandidateQuery, passage: object) -> RegistryAnswer:
        del query, passage
        raise AssertionError("grey pictures show no plate")

    def imported_ns(self) -> int:
        return 0


class Fake:
    """A live camera that gives a frame each time that it is told to, and can be lost."""

    live = True
    frame_count = None
    frames_per_s = 25.0

    def __init__(self, name: str) -> None:
        self.name = CameraId(name)
        self.due = threading.Semaphore(0)
        self.closed = threading.Event()
        self.failure: SourceError | None = None
        self.given = 0

    def give(self, count: int = 1) -> None:
        self.due.release(count)

    def frames(self) -> Iterator[Frame]:
        rng = np.random.default_rng(1)
        while not self.closed.is_set():
            if not self.due.acquire(timeout=0.05):
                continue
            if self.failure is not None:
                raise self.failure
            image = rng.integers(0, 255, (90, 160, 3), np.uint8)
            yield Frame(self.name, 10**18 + self.given * 40_000_000, self.given, image)
            self.given += 1

    def close(self) -> None:
        self.closed.set()


class Yard:
    """A site of fake cameras."""

    def __init__(self) -> None:
        self.fakes: dict[str, Fake] = {}
        self.said: list[str] = []
        self.opened: list[str] = []
        judge = Judge(NobodyKnows(), typical(), Policy(), SystemClock())
        self.watch = SiteWatch(Settings(), Keepers(judge, KeepNothing()), self.said.append, self.open)

    def open(self, camera: SiteCamera, settings: Settings, say: Callable[[str], None]) -> FrameSource:
        del settings, say
        assert camera.source is not None
        named = camera.source.get_secret_value()
        if named == "gone.mp4":
            raise SourceError("gone.mp4: no such file")
        self.opened.append(camera.camera_id)
        self.fakes[named] = Fake(camera.camera_id)
        return ViewedSource(self.fakes[named], camera.view)


@pytest.fixture
def yard() -> Iterator[Yard]:
    yard = Yard()
    yield yard
    yard.watch.end()


def cameras(*names: str) -> list[SiteCamera]:
    return [SiteCamera(CameraId(name), SecretStr(name)) for name in names]


def frames(reports: Iterator[object]) -> Iterator[FrameReport]:
    return (report for report in reports if isinstance(report, FrameReport))


def test_cameras_are_served_in_turn_however_fast_one_sends(yard: Yard) -> None:
    yard.watch.change(cameras("fast", "slow"))
    found = frames(yard.watch.reports(lambda: False))
    fast, slow = yard.fakes["fast"], yard.fakes["slow"]
    slow.give()
    fast.give(6)
    wait_for(lambda: (fast.given == 6 and slow.given == 1) or None, "both cameras have sent")
    assert {next(found).frame.camera_id, next(found).frame.camera_id} == {"fast", "slow"}
    assert yard.watch.dropped == {"fast": 5, "slow": 0}


def test_a_camera_that_fails_does_not_disturb_the_others(yard: Yard) -> None:
    yard.watch.change([*cameras("good", "bad"), SiteCamera(CameraId("lost"), SecretStr("gone.mp4"))])
    assert yard.said == ["lost: gone.mp4: no such file; the other cameras go on without it"]
    good, bad = yard.fakes["good"], yard.fakes["bad"]
    bad.failure = SourceError("bad: broken")
    bad.give()
    good.give()
    found = frames(yard.watch.reports(lambda: False))
    assert next(found).frame.camera_id == "good"
    good.give()
    assert next(found).frame.camera_id == "good"
    for _ in yard.watch.reports(lambda: len(yard.said) == 2):
        good.give()
    assert yard.said[1] == "bad: bad: broken; the other cameras go on without it"
    assert yard.watch.cameras == ("good",)


def test_a_change_opens_closes_and_keeps(yard: Yard) -> None:
    one, two = cameras("one", "two")
    yard.watch.change([one, two])
    first = yard.fakes["one"]
    masked = replace(one, view=View(masks=(TOP,), zones=(TOP,)))
    yard.watch.change([masked, *cameras("three")])
    assert yard.opened == ["one", "two", "three"], "one was not opened again"
    assert yard.fakes["two"].closed.is_set()
    assert not first.closed.is_set()
    first.give()
    report = next(frames(yard.watch.reports(lambda: False)))
    assert not report.frame.image[:44].any(), "the new mask is obeyed"
    yard.watch.change([replace(masked, view=View(rotation=90))])
    assert first.closed.is_set(), "turned pictures are others: its tracks are over"
    assert yard.opened == ["one", "two", "three", "one"]


def test_changes_are_taken_between_rounds(yard: Yard) -> None:
    yard.watch.change(cameras("one"))
    asked: list[Sequence[SiteCamera] | None] = [None, cameras("one", "two")]
    found = frames(yard.watch.reports(lambda: False, lambda: asked.pop(0) if asked else None))
    yard.fakes["one"].give()
    next(found)
    yard.fakes["one"].give()
    next(found)
    assert yard.watch.cameras == ("one", "two")


def test_sighup_is_noted_once_and_only_inside() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        with Hangup() as hangup:
            assert not hangup.take()
            os.kill(os.getpid(), signal.SIGHUP)
            assert hangup.take()
            assert not hangup.take()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_sighup_stays_ignored_where_it_was() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Hangup() as hangup:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not hangup.take()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_two_clips_run_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = passing(cv2.imread(str(STREET))[CAR], tmp_path / "street.mp4", frames=12)
    turned = cv2.VideoWriter(str(tmp_path / "turned.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25, (720, 1280))
    capture = cv2.VideoCapture(str(clip))
    while (read := capture.read())[0]:
        turned.write(cv2.rotate(read[1], cv2.ROTATE_90_COUNTERCLOCKWISE))
    turned.release()
    site = f"""
        db = "{tmp_path}/r.db"
        [camera.north]
        source = "{clip}"
        [camera.south]
        source = "{tmp_path}/turned.mp4"
        rotation = 90
        [camera.gone]
        source = "{tmp_path}/none.mp4"
    """
    (tmp_path / "site.toml").write_text(site)
    monkeypatch.chdir(tmp_path)
    assert main(["run"]) == 0
    told = capsys.readouterr()
    lines = {tuple(line.split()[1:3]) for line in told.out.splitlines() if line[:1].isdigit() and ":" in line[:3]}
    assert {("north", "9K74182"), ("south", "9K74182")} <= lines
    assert "24 frames of 2 cameras" in told.out
    assert "gone: " in told.err
    assert main(["config", "check"]) == 0
    assert "south: " in capsys.readouterr().out
    assert main(["plates", "recent", "--json", "--of-camera", "south"]) == 0
    assert "9K74182" in capsys.readouterr().out, "the file's database is that of all commands"


def test_the_example_is_right_with_every_line_switched_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "example"]) == 0
    assert capsys.readouterr().out == EXAMPLE
    path = tmp_path / "site.toml"
    path.write_text(EXAMPLE)
    assert main(["config", "check", "--config", str(path)]) == 0
    path.write_text(re.sub(r"^# (?=\[|\w+ = )", "", EXAMPLE, flags=re.MULTILINE))
    assert main(["config", "check", "--config", str(path)]) == 0
    told = capsys.readouterr().out
    assert "password" not in told
    words = (
        "switched off, turned by 90 degrees, flipped horizontal, 1 zone, 1 mask, a line, two lines 12 m apart, "
        "plates from 60 px, every frame"
    )
    assert f"{words}, in its hours (06:00-22:00)" in told
    assert "yard: /dev/video0" in told


def test_a_run_without_source_or_cameras_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["run"]) == 2
    assert "roadside config example" in capsys.readouterr().err
    assert main(["run", "--config", "none.toml"]) == 2
    assert "none.toml: no such file" in capsys.readouterr().err
