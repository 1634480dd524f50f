"""What training shows the nets: plates stay where their boxes say, and the same seed gives the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from models.detector import config as detector
from models.detector.augment import MOST_STRETCHED, copy_paste, cut_view, mirrored, sample, turned, visible
from models.detector.dataset import (
    Picture,
    Pictures,
    ReviewedBoxes,
    listed_name,
    no_boxes,
    read_label_review,
    rendered_plates,
    squashed,
)
from models.detector.pretrained import PREFIX, backbone_state
from models.ocr.augment import degraded, degraded_strip, jitter, motion_kernel
from models.ocr.placing import aslant, centred
from models.synth.posing import cutout
from models.training.photographs import Marked
from models.training.sampling import WeightedSampler
from roadside.core.rectify import box_corners
from roadside.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from models.synth.posing import Cutout

SETTINGS = detector.load().augmentation
SIZE = detector.load().net.size


class OnePicture(Pictures):
    """A source of one picture, in memory."""

    def __init__(self, picture: Picture, rendered: tuple[Cutout, ...] = ()) -> None:
        self.pictures = [picture]
        self.rendered = rendered
        self.negatives = []
        self._by_weight = WeightedSampler([1.0])


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
    view = cut_view(np.random.default_rng(seed), street(), SIZE, SETTINGS)
    assert view.image.shape == (256, 320, 3)
    for box in view.boxes:
        assert (box >= 0).all()
        assert (box <= [*SIZE, *SIZE]).all()
        assert brightness(view.image, box) > 150


def test_the_same_seed_gives_the_same_sample() -> None:
    first, again, other = (
        sample(np.random.default_rng(seed), OnePicture(street()), SIZE, SETTINGS) for seed in (4, 4, 5)
    )
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.boxes, again.boxes)
    assert not np.array_equal(first.image, other.image)


def test_samples_hold_only_plates_that_can_be_learnt() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        view = sample(rng, OnePicture(street()), SIZE, SETTINGS)
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
    for lines in (1, 2, 3):
        for mild, hard in ((False, True), (False, False), (True, False)):
            strip = degraded_strip(rng, grey, box_corners(20, 20, 180, 60), lines, 0.5, mild=mild, hard=hard)
            assert (strip.shape, strip.dtype) == ((48, 176), np.uint8)
    assert centred(grey, box_corners(20, 20, 180, 60), 1).shape == (48, 176)


def test_mild_corners_stay_nearer() -> None:
    corners = box_corners(20, 20, 180, 60)
    far = {
        mild: np.mean([np.abs(jitter(np.random.default_rng(n), corners, mild=mild) - corners) for n in range(200)])
        for mild in (True, False)
    }
    assert 0 < far[True] < far[False] < 20


def test_hard_strips_have_lost_more_than_others_and_mild_ones_are_never_hard() -> None:
    stripes = np.zeros((48, 176), np.uint8)
    stripes[:, ::4], stripes[:, 1::4] = 255, 255

    def sharpness(*, mild: bool, hard: bool) -> float:
        seen = (degraded(np.random.default_rng(n), stripes, mild=mild, hard=hard) for n in range(80))
        return float(np.mean([np.abs(np.diff(one.astype(float), axis=1)).mean() for one in seen]))

    assert sharpness(mild=False, hard=True) < 0.85 * sharpness(mild=False, hard=False)
    assert sharpness(mild=True, hard=True) == sharpness(mild=True, hard=False)


def test_a_plate_seen_aslant_lies_whole_in_its_picture_where_its_corners_say() -> None:
    grey = np.full((90, 240), 40, np.uint8)
    grey[30:60, 60:180] = 240
    angles = []
    for seed in range(40):
        picture, corners = aslant(np.random.default_rng(seed), grey, box_corners(60, 30, 180, 60))
        height, width = picture.shape
        assert (corners >= 0).all()
        assert (corners <= (width, height)).all()
        inside = np.zeros(picture.shape, np.uint8)
        cv2.fillConvexPoly(inside, np.round(corners).astype(np.int32), 1)
        assert picture[inside == 1].mean() > 225
        assert picture[inside == 0].mean() < 60
        across = corners[1] - corners[0]
        angles.append(abs(float(np.degrees(np.arctan2(across[1], across[0])))))
    assert 3 < np.median(angles) < 14
    assert max(angles) < 45


def test_motion_blur_keeps_the_light() -> None:
    for seed in range(10):
        assert motion_kernel(np.random.default_rng(seed)).sum() == pytest.approx(1)


def test_a_picture_is_squashed_to_rgb_of_the_inputs_shape() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[..., 0] = 200
    image[:, 100:] = 40
    small = squashed(image, (64, 32))
    assert small.shape == (32, 64, 3)
    assert small[5, 5].tolist() == [0, 0, 200]
    assert small[5, 60].tolist() == [40, 40, 40]


# --- Copy-paste, hard negatives, ignored regions ------------------------------------------------


def plate(width: int, height: int) -> Cutout:
    """A flat plate of one colour that the street does not have."""
    return cutout(np.full((height, width, 3), (0, 180, 0), np.uint8), box_corners(0, 0, width, height))


def greens(image: np.ndarray) -> np.ndarray:
    return (image[..., 1].astype(int) - image[..., 2] > 40) & (image[..., 1] > 60)


def test_a_pasted_plate_covers_the_old_one_and_its_box_follows() -> None:
    before, changed = street(), 0
    kept = before.image.copy()
    for seed in range(30):
        after = copy_paste(np.random.default_rng(seed), before, [plate(300, 66)])
        assert np.array_equal(before.image, kept), "the picture itself stays"
        if np.array_equal(after.image, before.image):
            assert np.array_equal(after.boxes, before.boxes)
            continue
        changed += 1
        rows, columns = np.nonzero(greens(after.image))
        drawn = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert drawn == pytest.approx(after.boxes[0].tolist(), abs=2.5)
        assert (after.image[205:215, 160:240].max(-1) < 250).all(), "nothing of the old plate shines through"
    assert 10 < changed < 30


def test_a_pasted_plate_is_as_bright_as_the_one_that_it_covers() -> None:
    levels = []
    for light in (110, 255):
        scene = street()
        scene.image[200:220, 150:250] = light
        pictures = [copy_paste(np.random.default_rng(seed), scene, [plate(300, 66)]).image for seed in range(8)]
        levels.append(np.median([image[greens(image), 1].mean() for image in pictures if greens(image).any()]))
    assert levels[0] < 0.6 * levels[1]


def test_plates_of_another_shape_and_plates_too_small_are_left() -> None:
    square = [plate(100, 100)]
    small = Picture(street().image, np.array([[150, 200, 165, 203]], np.float32))
    wide = [plate(300, 66)]
    for seed in range(10):
        rng = np.random.default_rng(seed)
        assert np.array_equal(copy_paste(rng, small, wide).image, small.image)
        tall = Picture(street().image, np.array([[150, 150, 250, 230]], np.float32))
        assert np.array_equal(copy_paste(rng, tall, wide).boxes, tall.boxes), f"over {MOST_STRETCHED} times as high"
    covered = [copy_paste(np.random.default_rng(seed), tall, square).boxes for seed in range(10)]
    assert any(not np.array_equal(boxes, tall.boxes) for boxes in covered)


def test_a_plate_at_the_edge_can_be_covered() -> None:
    image = street().image
    for box in ([-6, -4, 60, 12], [350, 285, 410, 306]):
        scene = Picture(image, np.array([box], np.float32))
        for seed in range(10):
            assert copy_paste(np.random.default_rng(seed), scene, [plate(300, 66)]).image.shape == image.shape


def test_views_show_pasted_plates_as_often_as_the_settings_say() -> None:
    pool = (plate(300, 66),)
    seen = [
        greens(cut_view(np.random.default_rng(seed), street(), SIZE, SETTINGS, pool).image).sum() > 20
        for seed in range(200)
    ]
    assert SETTINGS.copy_paste * 0.4 < np.mean(seen) < SETTINGS.copy_paste * 1.2  # three plates in ten stay as they are
    assert not any(
        greens(cut_view(np.random.default_rng(seed), street(), SIZE, SETTINGS).image).any() for seed in range(20)
    )


def test_rendered_plates_are_flat_and_of_many_shapes() -> None:
    drawn = rendered_plates(np.random.default_rng(0), 12)
    assert len(drawn) == 12
    shapes = {round(float(np.ptp(one.outline[:, 0]) / np.ptp(one.outline[:, 1])), 1) for one in drawn}
    assert len(shapes) > 1
    for one in drawn:
        assert one.image.shape[:2] == one.cover.shape
        assert one.outline[0] == pytest.approx([one.outline[3][0], one.outline[1][1]], abs=0.01)
    again = rendered_plates(np.random.default_rng(0), 12)
    assert all(np.array_equal(one.image, other.image) for one, other in zip(drawn, again, strict=True))
    assert rendered_plates(np.random.default_rng(0), 0) == ()


def luring() -> Picture:
    """The street with a green sign that looks like a plate, far from the plate, and a red region to ignore."""
    scene = street()
    scene.image[40:50, 20:60] = (0, 180, 0)
    scene.image[100:110, 340:380] = (0, 0, 200)
    ignored, negatives = np.array([[340, 100, 380, 110]], np.float32), np.array([[20, 40, 60, 50]], np.float32)
    return Picture(scene.image, scene.boxes, ignored, negatives)


def test_some_cut_views_are_around_a_hard_negative() -> None:
    seen = {}
    for share in (0.0, 1.0):
        changed = {"hard_negatives": share, "whole": 0.0, "turned": 0.0, "narrowest_px": 200.0}
        settings = SETTINGS.model_copy(update=changed)
        views = [cut_view(np.random.default_rng(seed), luring(), SIZE, settings) for seed in range(40)]
        seen[share] = np.mean([greens(view.image).any() for view in views])
    assert seen[1.0] == 1
    assert seen[0.0] < 0.8


def test_lettering_is_drawn_beside_plates_as_often_as_the_settings_say() -> None:
    """The street is smooth but for its plate: strokes are what else has edges."""
    bare = SETTINGS.model_copy(update={"mosaic": 0.0, "copy_paste": 0.0, "turned": 0.0, "whole": 1.0})
    seen = {}
    for share in (0.0, 1.0):
        settings = bare.model_copy(update={"lettering": share})
        views = [sample(np.random.default_rng(seed), OnePicture(street()), SIZE, settings) for seed in range(12)]
        seen[share] = np.median([cv2.Canny(cv2.GaussianBlur(view.image, (0, 0), 1), 60, 160).mean() for view in views])
    assert seen[1.0] > 1.5 * seen[0.0]


def test_photographs_without_a_plate_are_drawn_as_often_as_the_settings_say(tmp_path: Path) -> None:
    green = tmp_path / "negative.png"
    cv2.imwrite(str(green), np.full((90, 120, 3), (0, 180, 0), np.uint8))
    plated = tmp_path / "plated.png"
    cv2.imwrite(str(plated), street().image)
    marked = [Marked(plated, "own", street().boxes, ())]
    pictures = Pictures(marked, {"own": 1.0}, negatives=[green])
    settings = SETTINGS.model_copy(update={"without_plates": 1.0, "mosaic": 0.0, "lettering": 0.0})
    for seed in range(8):
        view = sample(np.random.default_rng(seed), pictures, SIZE, settings)
        assert view.image.shape[:2] == (SIZE[1], SIZE[0])
        assert not len(view.boxes)
    drawn = [len(pictures.draw(np.random.default_rng(seed), 0.5).boxes) for seed in range(40)]
    assert 8 < drawn.count(0) < 32
    assert len(pictures.draw(np.random.default_rng(0)).boxes) == 1
    none = Pictures(marked, {"own": 1.0})
    assert len(none.draw(np.random.default_rng(0), 1.0).boxes) == 1


def test_an_ignored_region_moves_with_the_picture() -> None:
    for seed in range(30):
        view = cut_view(np.random.default_rng(seed), luring(), SIZE, SETTINGS)
        for region in view.ignored:
            x1, y1, x2, y2 = np.round(region).astype(int)
            if x2 - x1 > 6 and y2 - y1 > 3 and not _is_a_plate(view.image[y1:y2, x1:x2]):
                red = view.image[y1:y2, x1:x2, 2].astype(int) - view.image[y1:y2, x1:x2, 1]
                assert red.mean() > 60


def _is_a_plate(part: np.ndarray) -> bool:
    """What a cut has left too little of is ignored too; in the street it is white."""
    return bool(part[..., 1].mean() > 90)


def test_hard_negatives_and_ignored_regions_turn_with_the_picture() -> None:
    for seed in range(10):
        after = turned(np.random.default_rng(seed), luring())
        assert greens(after.image)[
            int(after.hard_negatives[0, 1:4:2].mean()), int(after.hard_negatives[0, 0:3:2].mean())
        ]
        x, y = int(after.ignored[0, 0:3:2].mean()), int(after.ignored[0, 1:4:2].mean())
        assert int(after.image[y, x, 2]) - int(after.image[y, x, 1]) > 60


def test_reviewed_labels_change_what_is_learnt_of_a_picture(tmp_path: Path) -> None:
    table = "path\tx1\ty1\tx2\ty2\tkind\n" + "".join(
        f"images/own/a.png\t{x}\t10\t{x + 40}\t20\t{kind}\n"
        for x, kind in ((10, "plate"), (60, "ignored"), (110, "hard_negative"), (160, "hard_negative"))
    )
    (tmp_path / "review.tsv").write_text(table, encoding="utf-8")
    reviews = read_label_review(tmp_path / "review.tsv")
    review = reviews["images/own/a.png"]
    assert (review.plates.tolist(), review.ignored.tolist()) == ([[10, 10, 50, 20]], [[60, 10, 100, 20]])
    assert review.hard_negatives[:, 0].tolist() == [110, 160]
    assert listed_name(tmp_path / "images" / "own" / "a.png") == "images/own/a.png"


def test_a_box_of_no_known_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "review.tsv").write_text("path\tx1\ty1\tx2\ty2\tkind\na.png\t1\t2\t3\t4\tlure\n", encoding="utf-8")
    with pytest.raises(SourceError, match="plate or ignored or hard_negative, not 'lure'"):
        read_label_review(tmp_path / "review.tsv")


def test_a_picture_of_the_list_has_its_review(tmp_path: Path) -> None:
    name = next(
        name for name, review in read_label_review().items() if len(review.hard_negatives) and not len(review.plates)
    )
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), street().image)
    other = path.with_name("never_listed.jpg")
    cv2.imwrite(str(other), street().image)
    pictures = Pictures(
        [Marked(one, "own", street().boxes, ()) for one in (path, other)], {"own": 1.0}, rendered=2, seed=0
    )
    listed, unlisted = pictures.pictures
    review: ReviewedBoxes = read_label_review()[name]
    assert np.array_equal(listed.hard_negatives, review.hard_negatives)
    assert np.array_equal(listed.boxes, street().boxes)
    assert np.array_equal(unlisted.hard_negatives, no_boxes())
    assert len(pictures.rendered) == 2


def test_a_pretrained_norm_is_folded_into_its_convolution() -> None:
    rng = np.random.default_rng(0)
    constants = {f"{PREFIX}Conv/weights": rng.standard_normal((3, 3, 3, 8)).astype(np.float32)}
    for name, value in (("gamma", 2.0), ("beta", 1.0), ("moving_mean", 0.5), ("moving_variance", 4 - 1e-3)):
        constants[f"{PREFIX}Conv/BatchNorm/{name}"] = np.full(8, value, np.float32)
    state = backbone_state(constants, 0)
    assert state["stem.convolution.weight"].shape == (8, 3, 3, 3)
    assert state["stem.convolution.weight"][2, 1, 0, 2] == pytest.approx(constants[f"{PREFIX}Conv/weights"][0, 2, 1, 2])
    assert state["stem.convolution.bias"] == pytest.approx(np.full(8, 0.5))
