"""The figures that a training reports: AP, recall, calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.detector import config as detector
from models.detector.anchors import place_anchors, post_process_anchors
from models.detector.evaluate import LOWEST_SCORE, TfliteDetector, counted
from models.detector.export import put_corners_beside
from models.detector.measures import Band, Match, Scores, average_precision, match, overlaps, recall_at, suppress
from models.ocr.calibrate import calibration_error, choose, confidences, log_loss
from roadside.core.reads import ALPHABET

SHIPPED = Path(__file__).parents[2] / "models" / "shipped" / "detector"
DETECTOR_FILE = SHIPPED / "detect.tflite"


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_overlap_of_half_a_box_is_a_third() -> None:
    assert overlaps(boxes((0, 0, 10, 10))[0], boxes((5, 0, 15, 10), (20, 20, 30, 30))) == pytest.approx([1 / 3, 0])


def test_suppression_keeps_the_best_of_a_heap() -> None:
    heap = boxes((0, 0, 10, 10), (1, 0, 11, 10), (30, 0, 40, 10))
    kept, scores = suppress(heap, np.array([0.5, 0.9, 0.3], np.float32), 0.5)
    assert kept.tolist() == [[1, 0, 11, 10], [30, 0, 40, 10]]
    assert scores.tolist() == pytest.approx([0.9, 0.3])


def test_a_plate_is_found_once() -> None:
    found = (boxes((0, 0, 10, 10), (0, 0, 10, 10), (50, 50, 60, 60)), np.array([0.9, 0.8, 0.7], np.float32))
    assert [one.right for one in match(found, boxes((0, 0, 10, 10)))] == [True, False, False]
    assert [one.right for one in match(found, boxes())] == [False, False, False]


def test_average_precision_counts_what_was_missed_and_what_was_wrong() -> None:
    right, wrong = Match(0.9, right=True, width=20), Match(0.95, right=False, width=20)
    assert average_precision([right], 1) == pytest.approx(1)
    assert average_precision([right], 2) == pytest.approx(0.5, abs=0.01)
    assert average_precision([right, wrong], 1) == pytest.approx(0.5, abs=0.01)
    assert average_precision([], 3) == 0


def test_a_width_of_which_there_is_no_plate_has_no_figure() -> None:
    assert [str(Band(12, 24, 0.0, 0)), str(Band(24, 50, 0.5, 3))] == ["- (0)", "0.500 (3)"]
    told = str(Scores((Band(0, 12, 0.0, 0), Band(50, 10_000, 1.0, 2)), 1.0, 1.0, 2))
    assert "0-12 px - (0)" in told
    assert "over 50 px 1.000 (2)" in told


def test_recall_stops_at_a_false_box_in_ten_pictures() -> None:
    matches = [Match(0.9, right=True, width=20), Match(0.8, right=False, width=20), Match(0.7, right=True, width=20)]
    assert recall_at(matches, 2, pictures=5) == 0.5
    assert recall_at(matches, 2, pictures=10) == 1


def test_what_lies_behind_the_count_of_a_file_is_not_found() -> None:
    """The rows that the post-processing does not fill hold whatever was in memory, such as scores over 1."""
    outputs = boxes((0.25, 0.5, 0.5, 1.0), (0, 0, 0.1, 0.1), (9.0, -3.0, 0.5, 0.5))
    found, scores = counted(outputs, np.array([0.9, 0.01, 2.3], np.float32), 2, (320, 256))
    assert found.tolist() == [[160, 64, 320, 128]]
    assert scores.tolist() == pytest.approx([0.9])


def test_the_shipped_file_finds_nothing_in_grey_after_it_found_something() -> None:
    """The outputs still hold what the picture before left in them."""
    detector = TfliteDetector(DETECTOR_FILE.read_bytes())
    width, height = detector.size
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    noise[100:130, 100:200] = 255
    noise[108:122, 110:190:8] = 0
    detector(noise)
    for level in (0, 114, 255):
        found, scores = detector(np.full((height, width, 3), level, np.uint8))
        assert len(found) == len(scores)
        assert all(LOWEST_SCORE < score < 0.3 for score in scores.tolist())


def test_anchors_cover_the_input_in_the_order_of_the_levels() -> None:
    net = detector.load().net
    anchors, strides = place_anchors(net)
    assert len(anchors) == len(strides) == 40 * 32 + 20 * 16 + 10 * 8
    assert anchors[0].tolist() == [4, 4, 30, 12]
    assert anchors[1].tolist() == [12, 4, 30, 12]
    assert anchors[-1].tolist() == [304, 240, 160, 64]
    assert post_process_anchors(net)[1] == pytest.approx([4 / 256, 12 / 320, 12 / 256, 30 / 320])


def test_a_larger_input_has_more_places_and_the_same_anchors() -> None:
    net = detector.load().net.model_copy(update={"input_width_px": 640})
    anchors, _ = place_anchors(net)
    assert len(anchors) == 2 * (40 * 32 + 20 * 16 + 10 * 8)
    assert anchors[79].tolist() == [636, 4, 30, 12]


def test_calibration_error_is_nought_where_confidence_is_a_frequency() -> None:
    right = np.arange(100) < 80
    assert calibration_error(np.full(100, 0.8), right) == pytest.approx(0)
    assert calibration_error(np.full(100, 1.0), right) == pytest.approx(0.2)
    assert log_loss(np.full(100, 0.8), right) < log_loss(np.full(100, 0.99), right)


def columns(text: str, strength: float) -> np.ndarray:
    logits = np.zeros((44, 37), np.float32)
    logits[:, 0] = strength
    for place, character in enumerate(text):
        logits[3 + 5 * place] = 0
        logits[3 + 5 * place, ALPHABET.index(character) + 1] = strength
    return logits


def test_an_overconfident_reader_gets_a_higher_temperature() -> None:
    """Half of the reads are wrong though the net is nearly sure of all of them."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list(ALPHABET), 7)) for _ in range(8)]
    outputs = [(columns(text, 12.0), np.zeros(2, np.float32)) for text in texts]
    truth = [text if number % 2 else "ZZ" for number, text in enumerate(texts)]
    best = choose(lambda temperature: confidences(outputs, truth, ("UK", "PL"), temperature), (0.7, 1.0, 2.0, 4.0))
    sure, right = confidences(outputs, truth, ("UK", "PL"), 1.0)
    assert best.temperature > 1.2
    assert best.log_loss < log_loss(sure, right)
    assert right.sum() == 4


def test_a_detector_without_a_corner_net_gets_the_shipped_one(tmp_path: Path) -> None:
    bare, own = tmp_path / "bare", tmp_path / "own"
    for folder in (bare, own):
        folder.mkdir()
        (folder / "detect.tflite").write_bytes(b"a detector")
    (own / "corners.tflite").write_bytes(b"a corner net of its own")
    put_corners_beside(bare, SHIPPED)
    put_corners_beside(own, SHIPPED)
    assert (bare / "corners.tflite").read_bytes() == (SHIPPED / "corners.tflite").read_bytes()
    assert not (bare / "corners.onnx").exists(), "it has no detector for ONNX Runtime"
    assert (own / "corners.tflite").read_bytes() == b"a corner net of its own"
    put_corners_beside(tmp_path / "no-such-folder", SHIPPED)
    assert not (tmp_path / "no-such-folder").exists()
