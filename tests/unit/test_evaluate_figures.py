import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.evaluate.calibration import bins, expected_error
from models.evaluate.faults import FaultyMark, faulty_marks, faulty_texts, mended
from models.evaluate.matching import Scene, average_precision, overlaps, recall_at, recall_over, tally
from models.evaluate.report import Section, Table, share, write
from models.evaluate.texts import Outcome, score
from roadside.core.frames import Box
from roadside.core.geometry import iou

EVERY = (0.0, 1e9)


def scene(found: list[tuple[float, list[float]]], truth: list[list[float]], width: int = 320) -> Scene:
    return Scene(
        np.array([box for _, box in found], float).reshape(-1, 4),
        np.array([value for value, _ in found]),
        np.array(truth, float).reshape(-1, 4),
        width,
    )


A, B, FAR = [0, 0, 40, 10], [100, 0, 140, 10], [200, 200, 240, 210]


def test_overlap_of_half_a_box() -> None:
    assert overlaps(np.array([[0, 0, 4, 2.0]]), np.array([[2, 0, 6, 2.0]]))[0, 0] == pytest.approx(1 / 3)


def test_a_plate_found_twice_is_one_hit_and_one_false_alarm() -> None:
    found = tally([scene([(0.9, A), (0.8, [1, 0, 41, 10]), (0.7, B)], [A, B])], EVERY, strays="all")
    assert found.hits.tolist() == [True, False, True]
    assert found.plates == 2


def test_average_precision_by_hand() -> None:
    # Precision at recall 1/2 is 1, at recall 1 it is 2/3.
    found = tally([scene([(0.9, A), (0.8, FAR), (0.7, B)], [A, B])], EVERY, strays="all")
    assert average_precision(found) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(tally([scene([], [A])], EVERY, strays="all")) == 0
    assert math.isnan(average_precision(tally([scene([(0.9, A)], [])], EVERY, strays="all")))


def test_scores_of_all_pictures_are_ranked_together() -> None:
    scenes = [scene([(0.2, A)], [A]), scene([(0.9, FAR)], [B])]
    assert tally(scenes, EVERY, strays="all").hits.tolist() == [False, True]


def test_plates_of_other_widths_count_neither_way() -> None:
    small = [0, 0, 10, 4]
    scenes = [scene([(0.9, small), (0.8, B)], [small, B, FAR])]
    found = tally(scenes, (24.0, 50.0), strays="same width")
    assert (found.plates, found.hits.tolist()) == (2, [True])
    # In a picture of 1280 pixels the 40 px plates are 10 px wide in the view.
    wide = [scene([(0.9, B)], [B], width=1280)]
    assert tally(wide, (24.0, 50.0), strays="same width").plates == 0
    assert tally(wide, (0.0, 12.0), strays="same width").plates == 1


def test_a_plate_that_nobody_marked_is_no_false_alarm() -> None:
    seen = scene([(0.9, FAR), (0.8, A)], [A])
    excused = replace(seen, unmarked=np.array([FAR], float))
    assert tally([seen], EVERY, strays="all").hits.tolist() == [False, True]
    assert tally([excused], EVERY, strays="all").hits.tolist() == [True]


def test_recall_at_a_rate_of_false_alarms() -> None:
    ten = [scene([(0.9, A)], [A])] * 8 + [scene([(0.8, FAR), (0.7, A)], [A]), scene([(0.6, FAR), (0.5, A)], [A])]
    found = tally(ten, EVERY, strays="all")
    assert recall_at(found, 0.1) == pytest.approx(0.9)
    assert recall_at(found, 0.2) == 1.0
    assert recall_over(ten, 0.65) == pytest.approx(0.9)


def test_a_score_of_reads() -> None:
    def outcome(truth: str, text: str) -> Outcome:
        return Outcome("p", "g", truth, text, text, 0.5, 1.0)

    figures = score([outcome("AB10", "AB10"), outcome("AB10", "ABI0"), outcome("AB10", "AB1"), outcome("XY99", "")])
    assert (figures.crops, figures.exact_raw, figures.exact_folded) == (4, 0.25, 0.5)
    assert figures.character_error == pytest.approx(5 / 16)


def test_calibration_error_by_hand() -> None:
    found = bins([0.95, 0.95, 0.15, 1.0], [True, False, False, True])
    assert [(b.reads, b.right) for b in found] == [(1, 0.0), (3, pytest.approx(2 / 3))]
    assert expected_error(found) == pytest.approx((0.15 + 3 * abs(2.9 / 3 - 2 / 3)) / 4)


def test_a_part_takes_the_place_of_its_former_self(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "accuracy.md"

    def section(name: str, figure: float) -> Section:
        return Section(name, name.title(), (Table("t", ("", "x"), (("row", share(figure)),)),))

    write(path, [section("read", 0.1), section("end", 0.2)], "today")
    write(path, [section("read", 0.3)], "later")
    text = path.read_text(encoding="utf-8")
    assert "0.100" not in text
    assert text.index("0.300") < text.index("0.200")
    assert text.count("# How well") == 1
    assert text.count("today") == text.count("later") == 1
    assert share(float("nan")) == "-"


def test_faulty_marks_are_moved_to_their_plate_or_left_out() -> None:
    right, loose, wrong = Box(0, 0, 50, 12), Box(100, 100, 200, 160), Box(300, 0, 400, 90)
    faults = (FaultyMark(Box(99, 101, 201, 159), Box(120, 110, 180, 130)), FaultyMark(wrong, None))
    assert mended((right, loose, wrong), faults) == (right, Box(120, 110, 180, 130))
    assert mended((right, loose), ()) == (right, loose)


def test_pictures_with_another_text_than_their_source_says_are_listed_by_name() -> None:
    listed = faulty_texts()
    assert listed
    assert all(path.startswith("images/") for path in listed)


def test_every_listed_fault_is_of_a_picture_by_name_and_tells_what_is_there() -> None:
    listed = faulty_marks()
    assert all(path.startswith("images/") for path in listed)
    for fault in (one for faults in listed.values() for one in faults):
        assert fault.plate is None or iou(fault.plate, fault.mark) < 0.6
