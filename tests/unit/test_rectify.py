from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.core.rectify import (
    STRIP_HEIGHT_PX,
    STRIP_WIDTH_PX,
    box_corners,
    cut,
    grow,
    rows,
    strip,
    three_line_strip,
    two_line_strip,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def scene() -> NDArray[np.uint8]:
    """A smooth picture without symmetry."""
    y, x = np.mgrid[0:240, 0:400]
    made: NDArray[np.uint8] = (
        (90 + 0.3 * x + 0.2 * y + 25 * np.sin(x / 17) * np.cos(y / 11)).clip(0, 255).astype(np.uint8)
    )
    return made


def test_cutting_a_whole_picture_at_its_size_gives_the_picture() -> None:
    image = scene()
    assert np.abs(cut(image, box_corners(0, 0, 400, 240), 400, 240).astype(int) - image).max() <= 1


def test_a_box_is_half_open() -> None:
    image = scene()
    part = cut(image, box_corners(50, 60, 150, 90), 100, 30)
    assert np.abs(part.astype(int) - image[60:90, 50:150]).max() <= 1


@pytest.mark.parametrize("scale", [2, 3, 5])
def test_a_large_plate_is_averaged_not_sampled(scale: int) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (48 * scale, 88 * scale))
    shrunk = cut(stripes, box_corners(0, 0, 176 * scale, 48 * scale), 176, 48)
    assert shrunk.shape == (48, 176)
    assert 100 < shrunk[:, 4:-4].mean() < 155
    assert shrunk[:, 4:-4].std() < 45


@given(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(20, 200), st.floats(10, 60))
def test_growing_a_box_moves_each_side_by_its_share(
    margin_x: float, margin_y: float, width: float, height: float
) -> None:
    grown = grow(box_corners(100, 100, 100 + width, 100 + height), margin_x, margin_y)
    x1, y1, x2, y2 = grown[0, 0], grown[0, 1], grown[2, 0], grown[2, 1]
    expected = (
        100 - margin_x * width,
        100 - margin_y * height,
        100 + width * (1 + margin_x),
        100 + height * (1 + margin_y),
    )
    assert (x1, y1, x2, y2) == pytest.approx(expected, abs=0.01)


def test_growing_a_tilted_plate_goes_along_its_own_axes() -> None:
    corners = np.array([[0, 0], [80, 60], [68, 76], [-12, 16]], np.float32)
    grown = grow(corners, 0.1, 0.5)
    middle = corners.mean(0)
    assert grown.mean(0) == pytest.approx(middle, abs=1e-4)
    assert np.linalg.norm(grown[1] - grown[0]) == pytest.approx(120, abs=0.01)
    assert np.linalg.norm(grown[3] - grown[0]) == pytest.approx(40, abs=0.01)


def test_a_tilted_plate_is_cut_upright() -> None:
    plate = np.zeros((48, 176), np.uint8)
    plate[:, 20:40], plate[10:20, 100:160] = 255, 180
    corners = np.array([[60, 80], [220, 40], [228, 86], [68, 126]], np.float32)
    matrix = cv2.getPerspectiveTransform(box_corners(0, 0, 176, 48) - 0.5, corners - 0.5)
    picture = cv2.warpPerspective(plate, matrix, (400, 240))
    found = strip(picture.astype(np.uint8), corners)
    assert np.corrcoef(found.ravel(), plate.ravel())[0, 1] > 0.95


@given(st.floats(-60, 420), st.floats(-60, 260), st.floats(3, 300), st.floats(3, 200))
def test_a_strip_has_its_size_wherever_the_plate_lies(x: float, y: float, width: float, height: float) -> None:
    image = scene()
    corners = box_corners(x, y, x + width, y + height)
    for made in (strip(image, corners), two_line_strip(image, corners), three_line_strip(image, corners)):
        assert made.shape == (STRIP_HEIGHT_PX, STRIP_WIDTH_PX)
        assert made.dtype == np.uint8


def test_the_rows_of_a_plate_overlap_in_its_middle() -> None:
    upper, lower = rows(box_corners(0, 0, 100, 100), overlap=0.1)
    assert upper[:, 1].tolist() == pytest.approx([0, 0, 60, 60])
    assert lower[:, 1].tolist() == pytest.approx([40, 40, 100, 100])


def test_two_lines_stand_side_by_side_the_upper_one_left() -> None:
    image = np.zeros((100, 120), np.uint8)
    image[:50], image[50:] = 200, 60
    made = two_line_strip(image, box_corners(0, 0, 120, 100))
    half = STRIP_WIDTH_PX // 2
    assert abs(int(np.median(made[:, :half])) - 200) <= 1
    assert abs(int(np.median(made[:, half:])) - 60) <= 1


def test_three_lines_stand_side_by_side_from_the_uppermost_on() -> None:
    image = np.zeros((150, 120), np.uint8)
    image[:50], image[50:100], image[100:] = 200, 60, 130
    made = three_line_strip(image, box_corners(0, 0, 120, 150))
    third = STRIP_WIDTH_PX // 3
    for place, level in enumerate((200, 60, 130)):
        assert abs(int(np.median(made[:, place * third + 2 : (place + 1) * third - 1])) - level) <= 1


def test_three_lines_are_cut_where_they_are_said_to_be() -> None:
    image = np.zeros((100, 120), np.uint8)
    image[:20], image[20:40], image[40:] = 200, 60, 130
    made = three_line_strip(image, box_corners(0, 0, 120, 100), (0.2, 0.4))
    third = STRIP_WIDTH_PX // 3
    assert abs(int(np.median(made[20:30, third + 2 : 2 * third - 2])) - 60) <= 1
    assert abs(int(np.median(made[:, 2 * third + 4 :])) - 130) <= 1


def test_cutting_changes_neither_picture_nor_corners() -> None:
    image, corners = scene(), box_corners(20, 20, 380, 200)
    before = image.copy(), corners.copy()
    cut(image, corners, 88, 24)
    grow(corners, 0.1, 0.1)
    rows(corners)
    assert np.array_equal(image, before[0])
    assert np.array_equal(corners, before[1])
