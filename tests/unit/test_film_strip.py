"""The film strip of a passage: bounded, in order, and only where the plate is kept."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.reads import ALPHABET, PlacedRead, Read
from roadside.core.sightings import PictureKind
from roadside.registry.film_strip import CELL_HEIGHT_PX, CELL_WIDTH_PX, MOST_BYTES, MOST_CELLS, film_strip


def placed(number: int, image: np.ndarray | None = None) -> PlacedRead:
    if image is None:
        image = np.full((40, 160, 3), 10 * number, np.uint8)
    crop = Crop(CameraId("gate"), number * 10**8, number, Detection(Box(0, 0, 160, 40), 0.9), image)
    text = f"AB{number:02d}CDE"
    return PlacedRead(crop, Read(text, text, "UK", number / 100, (), np.zeros((0, len(ALPHABET)), np.float32)))


def pixels(data: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found


def test_reads_stand_in_the_order_of_time_each_in_its_part() -> None:
    made = film_strip([placed(7), placed(3), placed(20)], 0)
    assert made is not None
    picture, shown = made
    assert picture.kind is PictureKind.STRIP
    assert [(s.text, s.captured_at_ns) for s in shown] == [
        ("AB03CDE", 3 * 10**8),
        ("AB07CDE", 7 * 10**8),
        ("AB20CDE", 20 * 10**8),
    ]
    strip = pixels(picture.data)
    assert strip.shape == (3 * CELL_HEIGHT_PX, CELL_WIDTH_PX, 3)
    middles = [int(strip[CELL_HEIGHT_PX * i + CELL_HEIGHT_PX // 2, CELL_WIDTH_PX // 2, 0]) for i in range(3)]
    assert middles == pytest.approx([30, 70, 200], abs=4)


@pytest.mark.parametrize("best", [0, 5, 17, 49, 99])
def test_of_many_reads_twelve_are_kept_the_best_first_and_last_among_them(best: int) -> None:
    made = film_strip([placed(number) for number in range(100)], best)
    assert made is not None
    texts = [s.text for s in made[1]]
    assert len(texts) == MOST_CELLS == len(set(texts))
    assert {"AB00CDE", "AB99CDE", f"AB{best:02d}CDE"} <= set(texts)
    assert len(pixels(made[0].data)) == MOST_CELLS * CELL_HEIGHT_PX


def test_even_noise_stays_under_the_bound() -> None:
    rng = np.random.default_rng(1)
    noise = [placed(i, rng.integers(0, 256, (90, 300, 3), np.uint8)) for i in range(MOST_CELLS)]
    made = film_strip(noise, 0)
    assert made is not None
    assert len(made[0].data) <= MOST_BYTES


@pytest.mark.parametrize("shape", [(1, 500, 3), (500, 1, 3), (300, 300, 3), (1, 1, 3)])
def test_any_shape_has_its_place(shape: tuple[int, int, int]) -> None:
    made = film_strip([placed(0), placed(1, np.zeros(shape, np.uint8))], 0)
    assert made is not None
    assert pixels(made[0].data).shape == (2 * CELL_HEIGHT_PX, CELL_WIDTH_PX, 3)


def test_one_read_is_no_film() -> None:
    assert film_strip([placed(0)], 0) is None
    assert film_strip([placed(0), placed(1, np.zeros((0, 0, 3), np.uint8))], 0) is None
