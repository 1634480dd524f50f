from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.core.frames import Box, Detection
from roadside.core.geometry import area, clip, inside, intersection, iou, shift, suppress, tiles

coordinates = st.floats(-500, 1500, allow_nan=False)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x1, x2 = sorted((draw(coordinates), draw(coordinates)))
    y1, y2 = sorted((draw(coordinates), draw(coordinates)))
    return Box(x1, y1, x2, y2)


def test_the_iou_of_half_overlapping_squares_is_a_third() -> None:
    assert iou(Box(0, 0, 2, 2), Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert intersection(Box(0, 0, 2, 2), Box(1, 0, 3, 2)) == 2
    assert inside(Box(0, 0, 4, 4), Box(1, 1, 2, 2)) == 1


@given(boxes(), boxes())
def test_iou_is_symmetric_and_a_share(a: Box, b: Box) -> None:
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= inside(a, b) + 1e-9 <= 1 + 1e-9


@given(boxes())
def test_a_box_is_itself(a: Box) -> None:
    assert iou(a, a) == (pytest.approx(1) if area(a) > 0 else 0)


@given(boxes())
def test_a_clipped_box_lies_in_the_picture(a: Box) -> None:
    clipped = clip(a, 640, 480)
    if clipped is None:
        part = Box(max(a.x1, 0), max(a.y1, 0), min(a.x2, 640), min(a.y2, 480))
        assert part.width < 1 or part.height < 1
    else:
        assert 0 <= clipped.x1 < clipped.x2 <= 640
        assert 0 <= clipped.y1 < clipped.y2 <= 480


@given(st.integers(16, 5000), st.integers(16, 5000), st.integers(1, 4), st.integers(1, 4), st.floats(0, 0.6))
def test_tiles_cover_the_picture_and_stay_in_it(
    width: int, height: int, across: int, down: int, overlap: float
) -> None:
    windows = tiles(width, height, across, down, overlap)
    assert len(windows) == across * down
    assert all(w.x1 >= 0 and w.y1 >= 0 and w.x2 <= width and w.y2 <= height for w in windows)
    assert windows[0].x1 == windows[0].y1 == 0
    assert (windows[-1].x2, windows[-1].y2) == (width, height)
    for row in range(down):
        line = windows[row * across : (row + 1) * across]
        assert all(left.x2 >= right.x1 for left, right in pairwise(line))


def test_a_plate_on_a_seam_is_whole_in_a_tile() -> None:
    plate = Box(460, 300, 540, 330)
    assert any(
        w.x1 <= plate.x1 and plate.x2 <= w.x2 and w.y1 <= plate.y1 and plate.y2 <= w.y2
        for w in tiles(1000, 600, 2, 2, 0.2)
    )


def test_suppression_keeps_the_best_of_each_plate() -> None:
    good = Detection(Box(0, 0, 100, 30), 0.9)
    worse = Detection(Box(5, 2, 103, 31), 0.6)
    half = Detection(Box(50, 0, 100, 30), 0.7)
    other = Detection(Box(300, 0, 400, 30), 0.4)
    assert suppress([other, worse, half, good], 0.45, 0.7) == (good, other)


def test_without_the_inside_rule_a_half_survives() -> None:
    good, half = Detection(Box(0, 0, 100, 30), 0.9), Detection(Box(60, 0, 100, 30), 0.7)
    assert suppress([good, half], 0.45) == (good, half)


@given(st.lists(st.tuples(boxes(), st.floats(0, 1)), max_size=12), st.floats(0.1, 0.9))
def test_what_is_kept_overlaps_little_and_nothing_is_invented(
    given_boxes: list[tuple[Box, float]], threshold: float
) -> None:
    detections = [Detection(box, score) for box, score in given_boxes]
    kept = suppress(detections, threshold)
    assert set(map(id, kept)) <= set(map(id, detections))
    assert all(iou(a.box, b.box) <= threshold for i, a in enumerate(kept) for b in kept[i + 1 :])
    assert [d.score for d in kept] == sorted((d.score for d in kept), reverse=True)
    for detection in detections:
        assert any(d is detection or iou(d.box, detection.box) > threshold for d in kept)


def test_a_shifted_box_keeps_its_size() -> None:
    assert shift(Box(1, 2, 3, 5), 10, 20) == Box(11, 22, 13, 25)
