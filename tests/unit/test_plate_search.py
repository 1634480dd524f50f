"""Where a detector net is shown a picture, whatever net it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.core.detect import Candidates, Search, SearchPolicy
from roadside.core.frames import Box
from roadside.detector.finder import PlateFinder
from roadside.detector.search import PlateSearch, squash
from roadside.detector.sweep import SweepingFinder

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = (320, 256)


class RedNet:
    """Finds one plate: what is red in the picture that it is shown; it remembers the pictures."""

    input_size = SIZE
    plate_classes = frozenset({1})

    def __init__(self, score: float = 0.9) -> None:
        self.score = score
        self.looks = 0

    def look(self, picture: NDArray[np.uint8]) -> Candidates:
        assert picture.shape == (SIZE[1], SIZE[0], 3)
        assert picture.dtype == np.uint8
        self.looks += 1
        rows, columns = np.nonzero((picture[..., 0] > 128) & (picture[..., 2] < 128))
        if not len(rows):
            return Candidates(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32))
        box = [rows.min() / SIZE[1], columns.min() / SIZE[0], (rows.max() + 1) / SIZE[1], (columns.max() + 1) / SIZE[0]]
        other = [0.0, 0.0, 1.0, 1.0]
        return Candidates(
            np.array([other, box], np.float32), np.array([0, 1]), np.array([0.99, self.score], np.float32)
        )


def street(box: Box, width: int = 1280, height: int = 1024) -> NDArray[np.uint8]:
    image = np.zeros((height, width, 3), np.uint8)
    image[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2), 2] = 255
    return image


LARGE, SMALL = Box(200, 200, 600, 320), Box(1100, 800, 1140, 812)


def test_a_large_sure_plate_takes_one_look_and_its_box_is_in_pixels_of_the_picture() -> None:
    net = RedNet()
    (found,) = PlateSearch(net).detect(street(LARGE))
    assert net.looks == 1
    assert found.score == pytest.approx(0.9)
    assert (found.box.x1, found.box.y1, found.box.x2, found.box.y2) == pytest.approx((200, 200, 600, 320), abs=5)


@pytest.mark.parametrize(("search", "looks"), [(Search.FAST, 1), (Search.AUTO, 5), (Search.TILES, 5)])
def test_a_small_plate_is_looked_for_in_tiles_as_the_search_says(search: Search, looks: int) -> None:
    net = RedNet()
    found = PlateSearch(net, 0.3, SearchPolicy(search=search)).detect(street(SMALL))
    assert net.looks == looks
    assert len(found) == 1


def test_a_plate_under_the_least_score_is_none() -> None:
    assert PlateSearch(RedNet(0.29), 0.3).detect(street(LARGE)) == ()


def test_a_finder_without_a_corner_net_gives_boxes_alone() -> None:
    (found,) = PlateFinder(RedNet()).detect(street(LARGE))
    assert found.corners is None


def test_a_corner_net_places_corners_and_weighs_the_score() -> None:
    class Corners:
        def offsets(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
            assert picture.shape == (64, 128)
            return np.array([0] * 8 + [-20], np.float32)  # the box itself, and surely no plate

    (kept,) = PlateFinder(RedNet(0.9), Corners(), 0.005).detect(street(LARGE))
    assert kept.corners is not None
    assert kept.corners[0] == pytest.approx((kept.box.x1, kept.box.y1), abs=1)
    assert kept.score < 0.1
    assert PlateFinder(RedNet(0.9), Corners(), 0.3).detect(street(LARGE)) == ()


def test_a_sweep_takes_two_looks_a_frame_and_follows_a_small_plate() -> None:
    net = RedNet()
    sweep = SweepingFinder(PlateFinder(net))
    for number in range(1, 9):
        found = sweep.detect(street(SMALL))
        assert net.looks == 2 * number
        assert len(found) == 1


@pytest.mark.parametrize("size", [(320, 256), (300, 300)])
@pytest.mark.parametrize(
    "picture", [(1920, 1080), (4032, 3024), (3001, 1777), (640, 480), (320, 256), (100, 900), (1, 1)]
)
def test_a_squashed_picture_is_nearly_the_averaged_one(picture: tuple[int, int], size: tuple[int, int]) -> None:
    waves = [np.sin(np.linspace(0, 9, length)) for length in picture]
    grey = np.clip(127 + 60 * (waves[0][None] + waves[1][:, None]), 0, 255).astype(np.uint8)
    image = np.repeat(grey[..., None], 3, 2)
    image[..., 2] //= 2
    kept = image.copy()
    out = np.empty((size[1], size[0], 3), np.uint8)
    squash(image, size, out)
    averaged = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    assert np.array_equal(image, kept), "the picture itself stays"
    assert np.abs(out.astype(int) - averaged).mean() < 1.5


def test_squashing_averages_what_is_much_too_large() -> None:
    board = np.zeros((2048, 2560, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 255  # sampled without averaging it would be black, white or moire
    out = np.empty((256, 320, 3), np.uint8)
    squash(board, (320, 256), out)
    assert np.abs(out.astype(int) - 128).max() <= 1
