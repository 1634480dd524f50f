"""The corner net's geometry, and the net itself on rendered plates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.synth.plates import Options, render_sample
from roadside.adapters.models.tflite import TfliteCornerNet
from roadside.assembly.models import open_corner_finder
from roadside.core.corners import (
    REGION_HEIGHT_PX,
    REGION_WIDTH_PX,
    bounding_box,
    checked,
    needs_second_look,
    place,
    plate_probability,
    region,
    region_picture,
    weighed,
)
from roadside.core.frames import Box
from roadside.core.rectify import box_corners
from roadside.errors import ModelError

SHIPPED = Path(__file__).parents[2] / "models" / "shipped" / "detector"
boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.floats(-50, 900),
    st.floats(-50, 900),
    st.floats(8, 500),
    st.floats(4, 200),
)


@given(boxes)
def test_no_offsets_mean_the_box_itself(box: Box) -> None:
    corners = place(np.zeros(8, np.float32), box)
    assert np.allclose(corners, box_corners(box.x1, box.y1, box.x2, box.y2), atol=1e-3)
    assert not needs_second_look(corners, box)
    assert checked(corners, box) is not None


@given(boxes)
def test_the_region_reaches_over_the_box_on_every_side(box: Box) -> None:
    seen = region(box)
    assert seen.x1 < box.x1 < box.x2 < seen.x2
    assert seen.y1 < box.y1 < box.y2 < seen.y2


@given(boxes)
def test_the_region_picture_has_its_size_wherever_the_region_lies(box: Box) -> None:
    image = np.zeros((1000, 1000, 3), np.uint8)
    inner = Box(max(0, min(box.x1, 980)), max(0, min(box.y1, 980)), 990, 990)
    assert region_picture(image, region(inner)).shape == (REGION_HEIGHT_PX, REGION_WIDTH_PX)


@pytest.mark.parametrize(
    "corners",
    [
        [[0, 0], [100, 0], [0, 30], [100, 30]],  # crossed
        [[0, 0], [5, 0], [5, 2], [0, 2]],  # a speck
        [[-300, -300], [400, -300], [400, 300], [-300, 300]],  # far too large
        [[0, 0], [np.nan, 0], [100, 30], [0, 30]],
    ],
)
def test_implausible_corners_are_refused(corners: list[list[float]]) -> None:
    assert checked(np.array(corners, np.float32), Box(0, 0, 100, 30)) is None


def test_a_close_look_moves_the_score_towards_what_it_says() -> None:
    assert weighed(0.5, None) == 0.5
    assert weighed(0.5, 0.5) == pytest.approx(0.5)
    assert weighed(0.5, 0.05) < 0.5 < weighed(0.5, 0.99)
    assert plate_probability(np.zeros(8, np.float32)) is None
    assert plate_probability(np.array([0] * 8 + [0.0], np.float32)) == 0.5
    assert plate_probability(np.array([9] * 8 + [200.0], np.float32)) == pytest.approx(1.0)


def test_the_shipped_net_comes_nearer_to_the_corners_than_the_box() -> None:
    """Around boxes as loose as a detector's, its corners are on average much nearer to the truth than the box's."""
    finder = open_corner_finder(SHIPPED)
    rng = np.random.default_rng(11)
    of_box, of_net = [], []
    for _ in range(60):
        sample = render_sample(rng, Options(width_px=(90.0, 250.0), hardness=0.5))
        box = _loose(bounding_box(sample.corners), rng)
        found = finder.find(sample.image, box)
        height = np.linalg.norm(sample.corners[3] - sample.corners[0])
        straight = box_corners(box.x1, box.y1, box.x2, box.y2)
        of_box.append(np.abs(straight - sample.corners).mean() / height)
        of_net.append(np.abs((straight if found is None else np.array(found)) - sample.corners).mean() / height)
    assert np.mean(of_net) < 0.12
    assert np.mean(of_net) < 0.6 * np.mean(of_box)


def _loose(box: Box, rng: np.random.Generator) -> Box:
    """`box` moved and stretched by a twentieth of its width and a tenth of its height (standard deviation)."""
    dx, dw = rng.normal(0, 0.05 * box.width, 2)
    dy, dh = rng.normal(0, 0.10 * box.height, 2)
    return Box(box.x1 + dx - dw, box.y1 + dy - dh, box.x2 + dx + dw, box.y2 + dy + dh)


def test_a_model_of_another_shape_is_refused() -> None:
    with pytest.raises(ModelError, match="no corner net"):
        TfliteCornerNet(SHIPPED / "detect.tflite")
