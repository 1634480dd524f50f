"""When a plate is cut another way, whatever net reads it."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.core.ctc import EMPTY
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.reads import Hypothesis
from roadside.ocr.reader import PlateReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.reads import Read


class NoNet:
    """Of a reader that asks no net."""

    countries = ("UK",)
    temperature = 1.0

    def logits(self, strip: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        raise AssertionError(f"asked of {strip.shape}")


class Scripted(PlateReader):
    """A reader whose every look is as sure as the script says; it keeps the strips that it was shown."""

    def __init__(self, sure: Sequence[float], *, extra_cuts: bool) -> None:
        super().__init__(NoNet(), extra_cuts=extra_cuts)
        self._sure = list(sure)
        self.strips: list[NDArray[np.uint8]] = []

    def read_strip(self, grey: NDArray[np.uint8]) -> Read:
        self.strips.append(grey)
        name, sure = f"LOOK{len(self.strips)}", self._sure[len(self.strips) - 1]
        told = (Hypothesis(name, None, math.log(sure)),)
        return replace(EMPTY, raw=name, text=name, confidence=sure, alternatives=told)


def tilted_crop() -> Crop:
    """A plate whose corners lie within a looser box; width over height is over SURELY_ONE_LINE however it is cut."""
    image = np.random.default_rng(0).integers(0, 256, (90, 300, 3), np.uint8)
    corners = ((130.0, 230.0), (370.0, 236.0), (370.0, 280.0), (130.0, 274.0))
    return Crop(CameraId("gate"), 0, 0, Detection(Box(120, 225, 380, 285), 0.9, corners), image, (100, 200))


@pytest.mark.parametrize(
    ("sure", "looks", "taken"),
    [
        ([0.98], 1, "LOOK1"),
        ([0.97, 0.98, 0.5, 0.5, 0.5], 5, "LOOK2"),
        ([0.5, 0.6, 0.7, 0.2, 0.1], 5, "LOOK3"),
        ([0.7, 0.5, 0.6, 0.2, 0.1], 5, "LOOK1"),
        ([0.03], 1, "LOOK1"),
        ([0.031, 0.02, 0.01, 0.9, 0.1], 5, "LOOK4"),
    ],
)
def test_extra_cuts_are_tried_where_unsure(sure: list[float], looks: int, taken: str) -> None:
    reader = Scripted(sure, extra_cuts=True)
    read = reader.read(tilted_crop())
    assert read.raw == taken
    assert len(reader.strips) == looks
    if looks > 1:
        assert read.confidence < max(sure) * 0.8, "no other cut says the same"
    for one, other in itertools.combinations(reader.strips, 2):
        assert not np.array_equal(one, other), "each look cuts the plate another way"


def test_without_corners_the_box_is_not_cut_once_more() -> None:
    crop = tilted_crop()
    boxed = replace(crop, detection=replace(crop.detection, corners=None))
    reader = Scripted([0.5, 0.5, 0.5, 0.5], extra_cuts=True)
    reader.read(boxed)
    assert len(reader.strips) == 4


def test_a_reader_of_a_street_looks_once() -> None:
    reader = Scripted([0.1], extra_cuts=False)
    assert reader.read(tilted_crop()).raw == "LOOK1"
    assert len(reader.strips) == 1


def test_a_doubtful_detection_is_cut_anew_too() -> None:
    crop = tilted_crop()
    doubtful = replace(crop, detection=replace(crop.detection, score=0.31))
    reader = Scripted([0.5, 0.6, 0.5, 0.5, 0.5], extra_cuts=True)
    assert reader.read(doubtful).raw == "LOOK2"


def test_a_plate_of_doubtful_layout_is_cut_anew_as_the_surer_one_only() -> None:
    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    box = Box(150, 250, 350, 350)
    crop = Crop(CameraId("gate"), 0, 0, Detection(box, 0.9), image, (100, 200))
    reader = Scripted([0.3, 0.5, 0.6, 0.7, 0.2, 0.1, 0.1], extra_cuts=True)
    assert reader.read(crop).raw == "LOOK4"
    assert len(reader.strips) == 7, "both layouts once, the surer one thrice more, and its rows cut elsewhere"
    one_line = Scripted([0.5, 0.3, 0.6, 0.7, 0.1], extra_cuts=True)
    assert one_line.read(crop).raw == "LOOK4"
    for one, other in itertools.combinations(reader.strips, 2):
        assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("sure", "score", "taken", "looks"),
    [
        ([0.1, 0.9], 0.6, "LOOK2", 2),
        ([0.19, 0.18], 0.6, "LOOK1", 2),
        ([0.2, 0.9], 0.6, "LOOK1", 1),
        ([0.1, 0.9], 0.49, "LOOK1", 1),
    ],
)
def test_a_high_plate_that_is_not_read_may_have_one_line_between_small_print(
    sure: list[float], score: float, taken: str, looks: int
) -> None:
    """American plates, and others seen from the side; what is hardly a plate is not read in yet another way."""
    image = np.zeros((200, 300, 3), np.uint8)
    image[100:, :, :] = np.random.default_rng(0).integers(0, 256, (100, 300, 3), np.uint8)
    crop = Crop(CameraId("gate"), 0, 0, Detection(Box(150, 250, 330, 370), score), image, (100, 200))
    reader = Scripted(sure, extra_cuts=False)
    assert reader.read(crop).raw == taken
    assert len(reader.strips) == looks
    if looks > 1:
        assert reader.strips[1][:16].mean() < reader.strips[1][32:].mean() / 2, "the whole height is one row"


@pytest.mark.parametrize(("height", "looks"), [(110, 1), (160, 2), (250, 2)])
def test_a_narrow_plate_may_have_three_lines(height: int, looks: int) -> None:
    """Motorcycles have them: width over height is under 1.3."""
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    box = Box(150, 210, 330, 210 + height)
    reader = Scripted([0.5, 0.6], extra_cuts=False)
    read = reader.read(Crop(CameraId("gate"), 0, 0, Detection(box, 0.9), image, (100, 200)))
    assert (read.raw, len(reader.strips)) == (f"LOOK{looks}", looks)


@pytest.mark.parametrize(
    ("two", "three", "taken"),
    [
        (("ABC45", 0.99), ("ABC2345", 0.6), "ABC2345"),
        (("ABC45", 0.99), ("ABC2345", 0.4), "ABC45"),
        (("ABC45", 0.99), ("ABC4523", 0.6), "ABC45"),
        (("AB0C45", 0.99), ("ABOX745", 0.6), "AB0C45"),
        (("A0C45", 0.99), ("AOC2345", 0.6), "AOC2345"),
        (("", 0.3), ("ABC2345", 0.6), "ABC2345"),
    ],
)
def test_three_lines_are_believed_where_two_lack_the_middle_one(
    two: tuple[str, float], three: tuple[str, float], taken: str
) -> None:
    """A cut in two halves goes through the middle line, of which the reader then says nothing."""

    class Rows(Scripted):
        def read_strip(self, grey: NDArray[np.uint8]) -> Read:
            super().read_strip(grey)
            text, sure = (two, three)[len(self.strips) - 1]
            return replace(EMPTY, raw=text, text=text, confidence=sure)

    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    crop = Crop(CameraId("gate"), 0, 0, Detection(Box(150, 210, 330, 400), 0.9), image, (100, 200))
    assert Rows([two[1], three[1]], extra_cuts=False).read(crop).text == taken


def test_a_plate_that_is_unsure_in_alike_characters_alone_is_read_once() -> None:
    """No other cut tells O from 0."""

    class Torn(Scripted):
        def read_strip(self, grey: NDArray[np.uint8]) -> Read:
            read = replace(super().read_strip(grey), text="AB0123")
            alike = (Hypothesis("AB0123", None, math.log(0.5)), Hypothesis("ABO123", None, math.log(0.49)))
            return replace(read, alternatives=alike)

    reader = Torn([0.5, 0.5, 0.5], extra_cuts=True)
    assert reader.read(tilted_crop()).raw == "LOOK1"
    assert len(reader.strips) == 1


def test_a_reader_with_extra_cuts_begins_as_the_other_does() -> None:
    readers = [Scripted([0.99], extra_cuts=extra) for extra in (True, False)]
    for reader in readers:
        reader.read(tilted_crop())
    assert np.array_equal(readers[0].strips[0], readers[1].strips[0])
