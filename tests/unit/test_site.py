"""The file of settings with its cameras, and where their views are obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest

from roadside.assembly.settings import Settings, known_settings, load_settings
from roadside.assembly.site import load_site, parse_site
from roadside.assembly.watching import bare, open_frames
from roadside.capture.gate import FrameGate
from roadside.capture.viewed import ViewedSource
from roadside.core.events import FrameEvent, PixelPicture
from roadside.core.frames import Box, CameraId, Detection, Frame
from roadside.core.outline import Polygon
from roadside.core.schedule import Schedule, Span
from roadside.core.view import Flip, View
from roadside.detector.stage import DetectStage
from roadside.errors import SettingsError
from roadside.kit.config import named_file, settings_file, variable_warnings
from roadside.kit.toml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SITE = """\
confidence = 0.4

[camera.gate]
source = "rtsp://10.0.0.5/stream"  # by the barrier
rotation = 180
zones = [[[0.0, 0.3], [1.0, 0.3],
          [1.0, 1.0], [0.0, 1.0]]]
fps = 10

[camera.gate.line]
start = [0.0, 0.6]
end = [1.0, 0.6]
inwards = [0.5, 0.9]

[camera."car park"]
source = "/dev/video0"
enabled = false
schedule = { days = ["mon", "tue"], hours = ["06:00-22:00"] }

[camera.street]
source = "street.mp4"
"""
GATE = CameraId("gate")


def written(folder: Path, text: str = SITE) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_site_has_the_cameras_of_its_file(tmp_path: Path) -> None:
    site = parse_site(SITE, written(tmp_path), View(flip=Flip.HORIZONTAL, motion_gate=False))
    assert [camera.camera_id for camera in site.watched()] == ["gate", "street"]
    gate = site.cameras[GATE]
    assert gate.source is not None
    assert gate.source.get_secret_value() == "rtsp://10.0.0.5/stream"
    assert (gate.view.rotation, gate.view.flip, len(gate.view.zones)) == (180, Flip.HORIZONTAL, 1)
    assert gate.opening == {"fps": 10}
    assert "10.0.0.5" not in repr(site), "an address may hold a password"
    assert site.view(CameraId("another")) == View(flip=Flip.HORIZONTAL, motion_gate=False)


@pytest.mark.parametrize(
    ("changed", "line", "said"),
    [
        (("rotation = 180", "rotaton = 180"), 5, "camera.gate.rotaton: is no setting here; did you mean rotation?"),
        (("rotation = 180", "rotation = 100"), 5, "camera.gate.rotation: .*0, 90, 180, 270"),
        (("[1.0, 1.0]", "[1.0, 2.0]"), 6, "camera.gate.zones: number 1: .*fractions"),
        (("fps = 10", "fps = 1000"), 8, "camera.gate.fps: .*240"),
        (("inwards", "inward"), 13, "camera.gate.line.inward: .*did you mean inwards"),
        (("06:00-22:00", "6 to 22"), 18, "camera.car park.schedule: hours are written"),
        (("enabled = false", 'enabled = "no"'), 17, "camera.car park.enabled: .*boolean"),
        (("[camera.street]\nsource", "[camera.street]\nsuorce"), 21, "camera.street.suorce: .*did you mean source"),
        (('source = "street.mp4"', 'source = ""'), 21, "camera.street.source: is empty"),
    ],
)
def test_what_is_wrong_with_a_site_is_told_with_its_line(
    tmp_path: Path, changed: tuple[str, str], line: int, said: str
) -> None:
    path = written(tmp_path)
    with pytest.raises(SettingsError, match=rf"site\.toml: line {line}: {said}") as raised:
        parse_site(SITE.replace(*changed), path)
    assert "\n" not in str(raised.value)


def test_a_key_that_is_no_setting_is_told_with_its_line_and_the_nearest(tmp_path: Path) -> None:
    with (
        named_file(written(tmp_path, "score = 0.4\nconfidense = 0.5\n")),
        pytest.raises(SettingsError, match=r"line 2: unknown setting confidense; did you mean confidence\?"),
    ):
        load_settings({})


def test_a_variable_that_is_no_setting_is_warned_of_with_the_nearest() -> None:
    warned = variable_warnings(known_settings(), {"ROADSIDE_MODELDIRR": "x", "ROADSIDE_DB": "y", "OTHER": "z"})
    assert len(warned) == 1
    assert warned[0].startswith("ROADSIDE_MODELDIRR is no setting and says nothing; did you mean ROADSIDE_MODELDIR?")


def test_the_file_of_settings_is_found_in_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROADSIDE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    here = tmp_path / "here"
    (tmp_path / "config" / "roadside").mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(here)
    mine = written(tmp_path / "config" / "roadside")
    assert settings_file() == mine
    assert load_settings({}).confidence == 0.4
    assert load_settings({}).camera == "camera", "a table of cameras is not the setting `camera`"
    written(here, "confidence = 0.7\n")
    assert load_settings({}).confidence == 0.7
    monkeypatch.setenv("ROADSIDE_CONFIG", str(mine))
    assert load_settings({}).confidence == 0.4
    with named_file(here / "site.toml"):
        assert load_settings({}).confidence == 0.7
        assert load_settings({"confidence": "0.9"}).confidence == 0.9
    assert load_settings({}).confidence == 0.4


def test_the_line_of_a_key_is_that_of_its_table() -> None:
    text = "a = 1\n[x]\na = 2\n[x.'y z']\n\"a\" = 3 # [x]\nb.c = 4\n"
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("x", "a")) == 3
    assert line_of(text, ("x", "y z", "a")) == 5
    assert line_of(text, ("x", "y z", "b", "c")) == 6
    assert line_of(text, ("x", "y z", "gone")) == 4
    assert line_of(text, ("gone",)) is None


class Three:
    """Finds a plate on the left, one on the right, and a small one."""

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        del image
        return [Detection(Box(x, 10, x + width, 20), 0.9) for x, width in ((10, 40), (140, 40), (60, 20))]


def test_the_detector_sends_on_what_its_camera_reads_and_knows_of_the_others() -> None:
    class Meter:
        def count(self, *_: object, **__: object) -> None: ...
        def observe(self, *_: object, **__: object) -> None: ...
        def set(self, *_: object, **__: object) -> None: ...

    class NoClock:
        def now_ns(self) -> int:
            return 0

    left = View(zones=(Polygon(((0, 0), (0.5, 0), (0.5, 1), (0, 1))),), least_width_px=30)
    views = {GATE: left}
    stage = DetectStage(Three(), None, NoClock(), Meter(), view_of=lambda name: views.get(name, View()))

    def crops(name: str) -> list[float]:
        image = PixelPicture(np.zeros((100, 200, 3), np.uint8))
        events = stage.handle(FrameEvent(CameraId(name), 1, 1, image))
        assert all(len(event.crop.others) == 2 for event in events), "what is not read is blurred in the evidence"
        return [event.crop.detection.box.x1 for event in events]

    assert crops("gate") == [10]
    assert crops("another") == [10, 140, 60]


def test_outside_of_its_hours_no_frame_is_looked_at() -> None:
    noon_ns = 1_780_315_200_000_000_000  # Monday 2026-06-01, 12:00 UTC
    image = np.zeros((90, 160, 3), np.uint8)

    gate = FrameGate(View(motion_gate=False, schedule=Schedule(hours=(Span.of("06:00-12:30"),))), ZoneInfo("UTC"))
    assert gate.passes(Frame(GATE, noon_ns, 1, image))
    assert not gate.passes(Frame(GATE, noon_ns + 3600 * 10**9, 2, image))
    gate.view = View()
    assert gate.passes(Frame(GATE, noon_ns + 3600 * 10**9, 3, image))
    assert not gate.passes(Frame(GATE, noon_ns + 3600 * 10**9 + 1, 4, image)), "nothing has moved"


def test_a_clip_comes_turned_and_masked_for_the_camera_that_the_file_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.full((60, 80, 3), 200, np.uint8)
    cv2.imwrite(str(tmp_path / "p.png"), picture)
    site = "[camera.gate]\nrotation = 90\nmasks = [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]\n"
    monkeypatch.setenv("ROADSIDE_CONFIG", str(written(tmp_path, site)))
    source = open_frames(str(tmp_path / "p.png"), Settings(camera="gate"), pytest.fail)
    (frame,) = source.frames()
    assert frame.image.shape == (80, 60, 3)
    assert not frame.image[:, :29].any()
    assert isinstance(source, ViewedSource)
    assert bare(source) is source.inner
    (other,) = open_frames(str(tmp_path / "p.png"), Settings(camera="b", rotation=180), pytest.fail).frames()
    assert other.image.shape == (60, 80, 3)
    assert other.image.all()
    assert load_site().cameras[GATE].source is None
