"""The benchmark's spoils do what they say, the same each time, and its bounds are exact."""

from __future__ import annotations

import numpy as np
import pytest

from models.verdict.bounds import clopper_pearson
from models.verdict.empirical import error_kind
from models.verdict.passages import CONDITIONS, FRAMES, driven, frames
from models.verdict.spoils import SPOILS, Plate
from models.verdict.subjects import Subject
from roadside.core.extent import doubts_of
from roadside.core.frames import Box, CameraId, Crop, Detection

CORNERS = np.array([[100, 80], [260, 84], [258, 120], [98, 116]], np.float32)


def street() -> np.ndarray:
    """A body with a bright plate of seven dark bars."""
    image = np.full((220, 360, 3), 90, np.uint8)
    image[80:120, 98:260] = 220
    for bar in range(7):
        image[88:112, 112 + 20 * bar : 118 + 20 * bar] = 20
    return image


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_passage_is_the_same_each_time_and_its_frames_differ(condition: str) -> None:
    subject = Subject("street.jpg", "CZ", "1AB2345", CORNERS, street())
    first, second = (list(frames(subject, condition, 7)) for _ in range(2))
    assert len(first) == FRAMES
    for (one, box), (other, same) in zip(first, second, strict=True):
        assert np.array_equal(one, other)
        assert box == same
    assert not np.array_equal(first[0][0], first[1][0])


@pytest.mark.parametrize("condition", [name for name in CONDITIONS if name not in {"clean", "rotation"}])
def test_every_spoil_touches_the_plate(condition: str) -> None:
    image, plate = street(), Plate(CORNERS, 7)
    rng = np.random.default_rng(3)
    spoiling = CONDITIONS[condition](image, plate, rng)
    taken = spoiling.take(spoiling.painted, rng)
    if taken.shape == image.shape:
        assert np.abs(taken[80:120, 100:258].astype(int) - image[80:120, 100:258]).max() > 20
    else:
        assert taken.shape[1] < image.shape[1]


@pytest.mark.parametrize(("condition", "share"), [("one character cut", 0.11), ("two characters cut", 0.22)])
def test_a_cut_takes_its_characters_at_one_end(condition: str, share: float) -> None:
    image = street()
    painted = SPOILS[condition](image, Plate(CORNERS, 7), np.random.default_rng(5)).painted
    changed = np.flatnonzero((painted[85:115, 98:260] != image[85:115, 98:260]).any(axis=(0, 2)))
    reach = (changed.max() - changed.min()) / 160
    assert share < reach < share + 0.1
    assert min(changed.min(), 161 - changed.max()) <= 2


def test_the_box_follows_the_picture_that_is_cut_or_made_smaller() -> None:
    subject = Subject("street.jpg", "CZ", "1AB2345", CORNERS, street())
    plain, tiny = (list(frames(subject, condition, 7)) for condition in ("clean", "0.45 of its size"))
    assert plain[5][1].width == pytest.approx(162, abs=4)
    assert tiny[5][1].width == pytest.approx(0.45 * 162, abs=3)
    for image, box in frames(subject, "picture's edge", 7):
        assert box.x1 < 0 or box.x2 > image.shape[1]


def test_a_vehicle_moves_and_what_is_seen_of_its_plate_does_not() -> None:
    corners = ((40.0, 30.0), (140.0, 30.0), (140.0, 52.0), (40.0, 52.0))
    found = Detection(Box(40, 30, 140, 52), 0.9, corners)
    seen = [Crop(CameraId("c"), 0, n, found, np.zeros((40, 120, 3), np.uint8), (30, 20), (640, 360)) for n in (0, 4)]
    still, moved = (driven(crop, 40.0) for crop in seen)
    assert still.detection == found
    assert moved.detection.box == Box(40, 190, 140, 212)
    assert moved.frame_size == (640, 720)
    for crop in (still, moved):
        assert crop.detection.corners is not None
        assert [(x - crop.origin[0], y - crop.origin[1]) for x, y in crop.detection.corners] == [
            (x - 30, y - 20) for x, y in corners
        ]
        assert doubts_of(crop) == doubts_of(seen[0])


def test_clopper_pearson_is_exact() -> None:
    # Of no hit the upper end is 1 - (alpha / 2)^(1/n); the others as scipy.stats.beta.ppf gives them.
    assert clopper_pearson(0, 80) == (0.0, pytest.approx(1 - 0.025 ** (1 / 80)))
    low, high = clopper_pearson(4, 21)
    assert low == pytest.approx(0.05446, abs=1e-4)
    assert high == pytest.approx(0.41907, abs=1e-4)
    assert clopper_pearson(21, 21)[1] == 1.0


@pytest.mark.parametrize(
    ("read", "truth", "kind"),
    [
        ("1AB2345", "1AB2345", "read right"),
        ("1AB2346", "1AB2345", "1 substituted"),
        ("1AB23", "1AB2345", "2 missed"),
        ("1AB29", "1AB2345", "2 missed and others misread"),
        ("11AB2345", "1AB2345", "1 invented"),
    ],
)
def test_errors_are_named_without_a_plate(read: str, truth: str, kind: str) -> None:
    assert error_kind(read, truth) == kind
