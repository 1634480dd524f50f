from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.core.detect import (
    Candidates,
    Search,
    SearchPolicy,
    crop_plate,
    grid,
    halves,
    merge,
    order_outputs,
    parse_labelmap,
    plate_classes,
    second_look,
    to_detections,
)
from roadside.core.frames import Box, CameraId, Detection, Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOXES = np.array([[[0.1, 0.2, 0.3, 0.6], [0.5, 0.5, 0.6, 0.8], [0, 0, 0, 0]]], np.float32)
CLASSES = np.array([[0, 1, 0]], np.float32)
SCORES = np.array([[0.9, 0.25, 0.0]], np.float32)
COUNT = np.array([2], np.float32)
WHOLE = Box(0, 0, 1000, 500)


def test_what_stands_behind_the_count_does_not_tell_scores_from_classes() -> None:
    """A quantised model leaves there what was there before."""
    boxes, count = np.zeros((1, 3, 4), np.float32), np.array([1], np.float32)
    classes = np.array([[0, np.nan, 0.5]], np.float32)
    scores = np.array([[0.75, 0, 0]], np.float32)
    for tensors in ((boxes, classes, scores, count), (boxes, scores, classes, count)):
        with np.errstate(invalid="raise"):
            candidates = order_outputs(tensors)
        assert candidates.scores.tolist() == [0.75]
        assert candidates.classes.tolist() == [0]


@pytest.mark.parametrize(
    "tensors",
    [
        (BOXES, CLASSES, SCORES, COUNT),
        (SCORES, BOXES, COUNT, CLASSES),
        (COUNT, CLASSES, BOXES, SCORES),
    ],
    ids=["TF1", "TF2", "permuted"],
)
def test_outputs_are_told_apart_in_every_order(tensors: tuple[NDArray[np.float32], ...]) -> None:
    candidates = order_outputs(tensors)
    assert candidates.boxes.shape == (2, 4)
    assert candidates.classes.tolist() == [0, 1]
    assert candidates.scores.tolist() == pytest.approx([0.9, 0.25])


def test_scores_that_are_whole_numbers_are_told_by_their_place() -> None:
    classes, scores = np.array([[0, 0, 0]], np.float32), np.array([[1, 1, 0]], np.float32)
    assert order_outputs((BOXES, classes, scores, COUNT)).scores.tolist() == [1, 1]
    assert order_outputs((scores, BOXES, COUNT, classes)).scores.tolist() == [1, 1]


@pytest.mark.parametrize(
    "tensors", [(SCORES,), (BOXES, SCORES, CLASSES), (SCORES, SCORES, SCORES, COUNT), (BOXES, BOXES, SCORES, COUNT)]
)
def test_other_outputs_are_refused(tensors: tuple[NDArray[np.float32], ...]) -> None:
    with pytest.raises(ValueError, match="outputs"):
        order_outputs(tensors)


def test_a_box_becomes_pixels_of_the_picture() -> None:
    found = to_detections(order_outputs((BOXES, CLASSES, SCORES, COUNT)), WHOLE, {0}, 0.5)
    assert len(found) == 1
    box = found[0].box
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((200, 50, 600, 150))
    assert found[0].score == pytest.approx(0.9)


def test_a_box_of_a_tile_is_moved_to_its_place() -> None:
    found = to_detections(order_outputs((BOXES, CLASSES, SCORES, COUNT)), Box(100, 50, 600, 300), {0}, 0.5)
    box = found[0].box
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((200, 75, 400, 125))


@given(st.lists(st.tuples(*[st.floats(-2, 3, width=32)] * 4, st.floats(0, 1, width=32)), max_size=10))
def test_whatever_the_model_says_boxes_lie_in_the_picture(rows: list[tuple[float, ...]]) -> None:
    table = np.array(rows, np.float32).reshape(-1, 5)
    candidates = Candidates(table[:, :4], np.zeros(len(table), np.int64), table[:, 4])
    found = to_detections(candidates, WHOLE, {0}, 0.3)
    assert all(0 <= d.box.x1 < d.box.x2 <= 1000 and 0 <= d.box.y1 < d.box.y2 <= 500 for d in found)
    assert all(d.score >= 0.3 for d in found)
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)


def test_what_is_not_a_number_is_no_plate() -> None:
    boxes = np.array([[np.nan, 0, 1, 1], [0, 0, 1, 1]], np.float32)
    candidates = Candidates(boxes, np.zeros(2, np.int64), np.array([0.9, np.nan], np.float32))
    assert to_detections(candidates, WHOLE, {0}, 0.3) == ()


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("???\nplate\n", ("plate",)),
        ("plate", ("plate",)),
        ("car\r\nplate\r\n\n", ("car", "plate")),
        ("", ()),
        ("???\n???\ncar", ("???", "car")),
    ],
)
def test_a_label_map_is_read(text: str, labels: tuple[str, ...]) -> None:
    assert parse_labelmap(text) == labels


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("car", "Plate"), {1}),
        (("license-plate", "car", "Number Plate", "licence_plate"), {0, 2, 3}),
        (("whatever",), {0}),
        (("car", "bus"), set()),
    ],
)
def test_the_classes_of_plates_are_known_by_their_names(labels: tuple[str, ...], classes: set[int]) -> None:
    assert plate_classes(labels) == classes


def test_a_sure_plate_ends_the_search_and_a_small_or_unsure_one_does_not() -> None:
    policy = SearchPolicy(Search.AUTO, confident_score=0.5, confident_width=0.06)
    assert second_look([Detection(Box(0, 0, 100, 25), 0.8)], 1000, 750, policy) == ()
    assert len(second_look([Detection(Box(0, 0, 100, 25), 0.4)], 1000, 750, policy)) == 4
    assert len(second_look([Detection(Box(0, 0, 30, 8), 0.8)], 1000, 750, policy)) == 4
    assert len(second_look([], 1000, 750, policy)) == 4


def test_the_kind_of_search_is_obeyed() -> None:
    sure = [Detection(Box(0, 0, 100, 25), 0.8)]
    assert second_look([], 1000, 750, SearchPolicy(Search.FAST)) == ()
    assert len(second_look(sure, 1000, 750, SearchPolicy(Search.TILES))) == 4


def test_a_plate_seen_whole_and_in_tiles_is_one_plate() -> None:
    whole = Detection(Box(480, 100, 560, 120), 0.6)
    same = Detection(Box(481, 101, 561, 121), 0.7)
    rest = Detection(Box(480, 100, 545, 120), 0.9)
    far = Detection(Box(20, 20, 50, 30), 0.5)
    left, right = Box(0, 0, 545, 600), Box(455, 0, 1000, 600)
    found = merge([whole], [(left, [rest, far]), (right, [same])], 1000, 600, SearchPolicy())
    assert found == (same, far)


def test_a_rest_without_its_whole_is_kept() -> None:
    rest = Detection(Box(480, 100, 545, 120), 0.9)
    assert merge([], [(Box(0, 0, 545, 600), [rest])], 1000, 600, SearchPolicy()) == (rest,)


def test_a_plate_at_the_picture_s_own_edge_is_no_rest() -> None:
    edge = Detection(Box(0, 100, 60, 120), 0.9)
    loose = Detection(Box(0, 98, 65, 122), 0.5)
    assert merge([loose], [(Box(0, 0, 545, 600), [edge])], 1000, 600, SearchPolicy()) == (edge,)


def test_a_crop_has_a_margin_and_knows_where_it_came_from() -> None:
    image = np.arange(200 * 300 * 3, dtype=np.uint32).astype(np.uint8).reshape(200, 300, 3)
    frame = Frame(CameraId("gate"), 7, 3, image)
    crop = crop_plate(frame, Detection(Box(100, 50, 200, 75), 0.9))
    assert crop.origin == (75, 25)
    assert crop.image.shape == (75, 150, 3)
    assert (crop.captured_at_ns, crop.sequence) == (7, 3)
    assert np.array_equal(crop.image, image[25:100, 75:225])
    assert not np.shares_memory(crop.image, image)


@given(st.floats(0, 290), st.floats(0, 190))
def test_a_crop_never_leaves_the_frame(x: float, y: float) -> None:
    frame = Frame(CameraId("gate"), 0, 0, np.zeros((200, 300, 3), np.uint8))
    crop = crop_plate(frame, Detection(Box(x, y, min(300, x + 80), min(200, y + 20)), 0.5))
    height, width = crop.image.shape[:2]
    assert 0 <= crop.origin[0] <= crop.origin[0] + width <= 300
    assert 0 <= crop.origin[1] <= crop.origin[1] + height <= 200
    assert width >= 10
    assert height >= 10


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1280, 960), (2, 2)),
        ((1500, 1000), (2, 2)),
        ((1920, 1080), (3, 2)),
        ((720, 960), (2, 3)),
        ((1080, 1920), (2, 4)),
        ((9000, 100), (6, 2)),
    ],
)
def test_tiles_are_shaped_much_as_the_input_is(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert grid(*size, SearchPolicy()) == expected


def test_an_upright_picture_without_a_sure_plate_is_looked_at_in_halves() -> None:
    sure, small = Detection(Box(0, 0, 100, 25), 0.8), Detection(Box(0, 0, 30, 8), 0.8)
    policy = SearchPolicy()
    assert halves([sure], 720, 960, policy) == ()
    assert halves([], 960, 720, policy) == ()
    for found in ([], [small]):
        upper, lower = halves(found, 720, 960, policy)
        assert (upper.y1, lower.y2) == (0, 960)
        assert upper.y2 > lower.y1
