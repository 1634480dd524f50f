"""What training shows the nets: plates stay where their boxes say, and the same seed gives the same picture."""

from __future__ import annotations

import numpy as np
import pytest

from models.detector import config as detector
from models.detector.augment import cut_view, mirrored, sample, turned, visible
from models.detector.dataset import Picture, Pictures, squashed
from models.detector.pretrained import PREFIX, backbone_state
from models.ocr.augment import jitter, motion_kernel, spoilt_strip
from models.ocr.dataset import centred
from roadside.core.rectify import box_corners

SETTINGS = detector.load().augmentation


class OnePicture(Pictures):
    """A source of one picture, in memory."""

    def __init__(self, picture: Picture) -> None:
        self.pictures = [picture]
        self._cumulated = np.ones(1)


def street() -> Picture:
    """A dark street with one bright plate."""
    image = np.full((300, 400, 3), 40, np.uint8)
    image[200:220, 150:250] = 255
    return Picture(image, np.array([[150, 200, 250, 220]], np.float32))


def brightness(image: np.ndarray, box: np.ndarray) -> float:
    x1, y1, x2, y2 = np.round(box).astype(int)
    return float(image[y1:y2, x1:x2].mean())


@pytest.mark.parametrize("seed", range(25))
def test_a_view_keeps_the_plate_in_its_box(seed: int) -> None:
    view = cut_view(np.random.default_rng(seed), street(), (320, 320), SETTINGS)
    assert view.image.shape == (320, 320, 3)
    for box in view.boxes:
        assert (box >= 0).all()
        assert (box <= 320).all()
        assert brightness(view.image, box) > 150


def test_the_same_seed_gives_the_same_sample() -> None:
    first, again, other = (
        sample(np.random.default_rng(seed), OnePicture(street()), 320, SETTINGS) for seed in (4, 4, 5)
    )
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.boxes, again.boxes)
    assert not np.array_equal(first.image, other.image)


def test_samples_hold_only_plates_that_can_be_learnt() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        view = sample(rng, OnePicture(street()), 320, SETTINGS)
        sizes = view.boxes[:, 2:] - view.boxes[:, :2]
        assert (sizes[:, 0] >= 6).all()
        assert view.image.dtype == np.uint8


def test_a_plate_that_a_cut_leaves_half_is_ignored() -> None:
    boxes = np.array([[10, 10, 50, 30], [-20, 10, 20, 30], [-100, 0, 1, 10]], np.float32)
    seen, ignored = visible(boxes, (100, 100))
    assert seen.tolist() == [[10, 10, 50, 30]]
    assert ignored.tolist() == [[0, 10, 20, 30]]


def test_mirroring_twice_changes_nothing() -> None:
    boxes = np.array([[10, 10, 50, 30]], np.float32)
    assert mirrored(boxes, 100).tolist() == [[50, 10, 90, 30]]
    assert np.array_equal(mirrored(mirrored(boxes, 100), 100), boxes)


def test_a_turned_picture_keeps_the_plate_in_its_box() -> None:
    for seed in range(20):
        after = turned(np.random.default_rng(seed), street())
        assert brightness(after.image, after.boxes[0]) > 120


def test_a_strip_of_any_plate_has_the_readers_size() -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (80, 200), np.uint8)
    for lines in (1, 2):
        for mild in (False, True):
            strip = spoilt_strip(rng, grey, box_corners(20, 20, 180, 60), lines, 0.5, mild=mild)
            assert (strip.shape, strip.dtype) == ((48, 176), np.uint8)
    assert centred(grey, box_corners(20, 20, 180, 60), 1).shape == (48, 176)


def test_mild_corners_stay_nearer() -> None:
    corners = box_corners(20, 20, 180, 60)
    far = {
        mild: np.mean([np.abs(jitter(np.random.default_rng(n), corners, mild=mild) - corners) for n in range(200)])
        for mild in (True, False)
    }
    assert 0 < far[True] < far[False] < 20


def test_motion_blur_keeps_the_light() -> None:
    for seed in range(10):
        assert motion_kernel(np.random.default_rng(seed)).sum() == pytest.approx(1)


def test_a_picture_is_squashed_to_rgb() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[..., 0] = 200
    assert squashed(image, 32)[5, 5].tolist() == [0, 0, 200]


def test_a_pretrained_norm_is_folded_into_its_convolution() -> None:
    rng = np.random.default_rng(0)
    constants = {f"{PREFIX}Conv/weights": rng.standard_normal((3, 3, 3, 8)).astype(np.float32)}
    for name, value in (("gamma", 2.0), ("beta", 1.0), ("moving_mean", 0.5), ("moving_variance", 4 - 1e-3)):
        constants[f"{PREFIX}Conv/BatchNorm/{name}"] = np.full(8, value, np.float32)
    state = backbone_state(constants, 0)
    assert state["stem.convolution.weight"].shape == (8, 3, 3, 3)
    assert state["stem.convolution.weight"][2, 1, 0, 2] == pytest.approx(constants[f"{PREFIX}Conv/weights"][0, 2, 1, 2])
    assert state["stem.convolution.bias"] == pytest.approx(np.full(8, 0.5))
