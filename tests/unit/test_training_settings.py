"""The settings files of the trainings, and the course that they describe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from models.corners import config as corners
from models.detector import config as detector
from models.ocr import config as reader
from models.training.course import Limits, Progress, average_decay, learning_rate, share_done
from models.training.history import History
from roadside.core.reads import ALPHABET
from roadside.core.rectify import STRIP_HEIGHT_PX, STRIP_WIDTH_PX
from roadside.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def test_the_shipped_reader_takes_the_strip_that_the_product_cuts() -> None:
    config = reader.load()
    assert (config.net.width_px, config.net.height_px) == (STRIP_WIDTH_PX, STRIP_HEIGHT_PX)
    assert config.characters == ALPHABET
    assert len(set(config.countries)) == len(config.countries) == 30
    assert (config.net.columns, config.classes) == (44, 37)


@pytest.mark.parametrize("name", ["reader.toml", "reader_wide.toml"])
def test_a_course_of_the_reader_is_of_the_net_that_its_name_says(name: str) -> None:
    course = reader.load(reader.DEFAULT.with_name(name))
    wide = reader.load(reader.DEFAULT.with_name("reader_wide.toml"))
    assert (course.net == wide.net) == ("wide" in name), "its weights are where the next course starts"
    assert course.rendered.two_lines + course.rendered.three_lines < 1


def test_the_shipped_detector_has_an_anchor_for_each_stride() -> None:
    config = detector.load()
    assert len(config.net.anchors) == len(detector.STRIDES)
    assert [side % detector.STRIDES[-1] for side in config.net.size] == [0, 0]


@pytest.mark.parametrize(
    ("line", "told"),
    [("depth = 3", "depth"), ("neck_channels = 2", "neck_channels"), ("neck_channels = [", "cannot be read")],
)
def test_a_wrong_key_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "own.toml"
    text = detector.DEFAULT.read_text(encoding="utf-8")
    path.write_text(text.replace("neck_channels = 64", line if "neck" in line else f"neck_channels = 64\n{line}"))
    with pytest.raises(SettingsError, match=told):
        detector.load(path)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (detector, "lures", "hard_negatives"),
        (detector, "pasted", "copy_paste"),
        (detector, "pasted_pool", "copy_paste_plates"),
        (detector, "reach", "centre_radius_strides"),
        (corners, "read", "reader_supervised"),
        (corners, "[box]", "[box_jitter]"),
        (reader, "placed", "corner_placed"),
    ],
)
def test_files_may_still_have_the_names_of_0_1(tmp_path: Path, module: ModuleType, old: str, new: str) -> None:
    lines = module.DEFAULT.read_text(encoding="utf-8").splitlines()
    older = [line.replace(new, old, 1) if line.split(" ")[0] == new else line for line in lines]
    assert older != lines
    path = tmp_path / "own.toml"
    path.write_text("\n".join(older), encoding="utf-8")
    assert module.load(path) == module.load()


def test_a_missing_file_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        reader.load(tmp_path / "none.toml")
    assert "\n" not in str(caught.value)


def test_the_rate_warms_up_and_falls_to_its_floor() -> None:
    course = detector.load().training.limited(Limits(steps=1000))
    rates = [learning_rate(course, Progress(step)) for step in range(1001)]
    peak = max(range(len(rates)), key=rates.__getitem__)
    assert rates[0] < 0.05 * course.rate
    assert course.warmup_steps - 5 <= peak <= course.warmup_steps + 5
    assert rates[-1] == pytest.approx(course.rate * course.rate_floor)


def test_time_and_steps_are_two_schedules() -> None:
    course = reader.load().training
    by_time = course.limited(Limits(minutes=10, threads=1))
    assert (by_time.schedule, by_time.threads) == ("time", 1)
    assert share_done(by_time, Progress(step=10**6, elapsed_s=300)) == 0.5
    by_steps = course.limited(Limits(steps=10))
    assert share_done(by_steps, Progress(step=5, elapsed_s=10**6)) == 0.5
    assert share_done(by_steps, Progress(step=50)) == 1


def test_nobody_can_ask_for_no_minutes() -> None:
    with pytest.raises(SettingsError, match="minutes"):
        reader.load().training.limited(Limits(minutes=0))


def test_the_average_forgets_its_random_start() -> None:
    course = detector.load().training
    assert average_decay(course, 1) < 0.1
    assert average_decay(course, 10**6) == course.average


def test_a_history_survives_a_line_cut_short(tmp_path: Path) -> None:
    history = History(tmp_path / "run" / "history.jsonl")
    history.add(step=1, elapsed_s=2.0, box=0.5)
    with history.path.open("a", encoding="utf-8") as file:
        file.write('{"step": 2, "ela\n')
    history.add(step=3, elapsed_s=4.0, box=0.4)
    assert [one["step"] for one in history.reports()] == [1, 3]
    assert json.loads(history.path.read_text(encoding="utf-8").splitlines()[0])["box"] == 0.5
