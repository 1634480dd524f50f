"""What moves like no vehicle, and what moves along with a plate: banners, lettering beside a vehicle's own plate.

The errors of corners are drawn, and some draws hide anything: so the same ones are drawn on every day.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from roadside.core.company import has_company
from roadside.core.frames import Box, Crop, Detection
from roadside.core.reads import PlacedRead
from roadside.core.rules import has_words
from roadside.core.showing import Reserve
from roadside.core.sightings import VerdictKind
from roadside.core.sliding import slid
from tests.unit.test_passages import GATE, PICTURE, START_NS, Look, event, gathering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.frames import Corners
    from roadside.core.sightings import Sighting

FOCAL_PX = 1800.0
WIDTH_M, HEIGHT_M = 0.52, 0.11
PLATE = event(Look("AB12CDE", 0, 0), 0.0, 0).read
seeds = st.integers(0, 2**32 - 1)


def box_of(corners: Corners) -> Box:
    xs, ys = zip(*corners, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def shown(corners: Corners, sequence: int, others: Sequence[Box] = ()) -> PlacedRead:
    box = box_of(corners)
    left, top = round(box.x1) - 10, round(box.y1) - 5
    image = np.asarray(cv2.resize(PICTURE, (round(box.width) + 20, round(box.height) + 10)), np.uint8)
    crop = Crop(GATE, START_NS + sequence * 100_000_000, sequence, Detection(box, 0.78, corners), image, (left, top))
    return PlacedRead(replace(crop, others=tuple(others)), PLATE)


def upright(x: float, y: float, width: float) -> Corners:
    height = width * HEIGHT_M / WIDTH_M
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


def unrest(corners: Corners, rng: np.random.Generator) -> Corners:
    """As the corner net finds them: off by 0.7 % of its width."""
    errors = rng.normal(0, 0.007 * math.dist(corners[0], corners[1]), (4, 2)).tolist()
    found = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(corners, errors, strict=True)]
    return found[0], found[1], found[2], found[3]


def seen(aside_m: float, above_m: float, ahead_m: float) -> Corners:
    """A plate that faces down the road, before a pinhole camera that looks straight along it."""

    def pixel(x: float, y: float) -> tuple[float, float]:
        return 960 + FOCAL_PX * x / ahead_m, 540 + FOCAL_PX * y / ahead_m

    left, right = aside_m - WIDTH_M / 2, aside_m + WIDTH_M / 2
    below_m = above_m + HEIGHT_M
    return pixel(left, above_m), pixel(right, above_m), pixel(right, below_m), pixel(left, below_m)


@given(st.floats(90, 170), st.floats(2, 9), st.floats(-0.5, 0.5), st.integers(4, 32), seeds)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_a_banner_that_keeps_its_size_slid(width: float, way: float, slope: float, frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = [width * way * n / (frames - 1) for n in range(frames)]
    banner = [shown(unrest(upright(30 + s, 300 + s * slope, width), rng), n) for n, s in enumerate(steps)]
    assert way < 2.2 or slid(banner)


@given(st.floats(-3.5, 3.5), st.floats(1.0, 6.0), st.floats(5, 16), st.floats(1.3, 2.2), seeds)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_a_vehicle_under_a_camera_did_not_slide(
    aside_m: float, above_m: float, near_m: float, ratio: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(4, 33))
    ahead = [near_m * (1 + (ratio - 1) * (1 - n / (frames - 1))) for n in range(frames)]
    assert not slid([shown(unrest(seen(aside_m, above_m, z), rng), n) for n, z in enumerate(ahead)])


@pytest.mark.parametrize("degrees", [20, 30, 40])
def test_a_vehicle_that_is_seen_from_aside_did_not_slide(degrees: float) -> None:
    """A camera at the edge of the road that looks at the plate from aside, 10 m away, over five widths of way."""
    aside, ahead = 10 * math.sin(math.radians(degrees)), 10 * math.cos(math.radians(degrees))
    road_m = 5 * WIDTH_M / math.tan(math.radians(degrees))
    turn = np.array([[math.cos(a := math.radians(degrees)), -math.sin(a)], [math.sin(a), math.cos(a)]])
    reads = []
    for n in range(20):
        z = ahead + road_m * (0.5 - n / 19)
        corners = []
        for x, y in ((-0.26, 0.0), (0.26, 0.0), (0.26, HEIGHT_M), (-0.26, HEIGHT_M)):
            across, depth = turn @ np.array([aside + x, z])
            corners.append((960 + FOCAL_PX * float(across / depth), 540 + FOCAL_PX * y / float(depth)))
        reads.append(shown((corners[0], corners[1], corners[2], corners[3]), n))
    assert not slid(reads)


def test_what_hardly_moved_did_not_slide() -> None:
    assert not slid([shown(upright(30 + 15.0 * n, 300, 110), n) for n in range(12)])


def beside(plate: Corners, x: float, y: float, size: float) -> Box:
    """What is painted beside a plate, in widths of the plate."""
    (left, top), (right, _), _, _ = plate
    width = right - left
    return Box(left + x * width, top + y * width, left + (x + size) * width, top + (y + size * 0.25) * width)


@given(st.floats(-4, 4), st.floats(-6, -0.8), st.floats(0.4, 2.5), st.sampled_from([1.0, 0.5]), seeds)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_lettering_on_the_vehicle_is_company(x: float, y: float, size: float, often: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = []
    for n in range(14):
        plate = seen(1.2, 2.4, 20 - n)
        noise = rng.normal(0, 0.02, 3)
        other = beside(plate, x + noise[0], y + noise[1], size * (1 + noise[2]))
        frames.append(shown(unrest(plate, rng), n, [other] if n % round(1 / often) == 0 else []))
    assert has_company(frames)
    alone = [replace(read, crop=replace(read.crop, others=())) for read in frames]
    assert not has_company(alone)


@given(st.floats(-7, -3), st.floats(5, 30), st.floats(0.5, 1.5), seeds)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_another_vehicle_is_none(aside_m: float, behind_m: float, speed: float, seed: int) -> None:
    """In the next lane, at its own speed, and at the same one where it is 5 m and more behind."""
    rng = np.random.default_rng(seed)
    frames = []
    for n in range(14):
        other = box_of(unrest(seen(1.2 + aside_m, 4.0, 20 + behind_m - n * speed), rng))
        frames.append(shown(unrest(seen(1.2, 4.0, 20 - n), rng), n, [other]))
    assume(behind_m - 13 * (speed - 1) > 5)
    assume(abs(speed - (20 + behind_m) / 20) > 0.15)  # as far behind as it is faster: it keeps its place in the picture
    assert not has_company(frames)


def test_what_stands_beside_the_road_is_none() -> None:
    frames = [shown(seen(1.2, 2.4, 20 - n), n, [Box(300, 200, 420, 230)]) for n in range(14)]
    assert not has_company(frames)


def test_boxes_that_come_and_go_are_none() -> None:
    rng = np.random.default_rng(4)
    boxes = [Box(x, y, x + 60, y + 15) for x, y in rng.uniform(100, 900, (60, 2))]
    frames = [shown(seen(1.2, 2.4, 20 - n), n, boxes[4 * n : 4 * n + 4]) for n in range(14)]
    assert not has_company(frames)


def judged(*tracks: Sequence[tuple[str, PlacedRead]]) -> dict[str, Sighting]:
    """What is told of plates that nobody has paid for, by their text."""
    stage = gathering()
    for number in range(max(map(len, tracks))):
        for text, placed in (track[number] for track in tracks if number < len(track)):
            told = event(Look(text, 0, 0), 0.0, number)
            assert stage.take(replace(told, crop=placed.crop))
        stage.advance(GATE, START_NS + number * 100_000_000)
    ended = stage.advance(GATE, START_NS + 60_000_000_000)
    sightings = [given.sighting for conclusion in ended for given in conclusion.outputs]
    return {sighting.plate.text: sighting for sighting in sightings if sighting.plate is not None}


def test_of_a_van_with_lettering_neither_text_is_unpaid() -> None:
    plates = [seen(1.2, 2.4, 20 - n) for n in range(14)]
    adverts = [beside(plate, -1.0, -4.0, 1.3) for plate in plates]
    own = [("AB12CDE", shown(p, n, [a])) for n, (p, a) in enumerate(zip(plates, adverts, strict=True))]
    advert = [
        ("LM43XPF", shown(upright(a.x1, a.y1, a.width), n, [box_of(p)]))
        for n, (p, a) in enumerate(zip(plates, adverts, strict=True))
    ]
    found = judged(own, advert)
    assert {text: s.verdict.kind for text, s in found.items()} == {
        "AB12CDE": VerdictKind.REVIEW,
        "LM43XPF": VerdictKind.REVIEW,
    }
    assert {s.verdict.rule for s in found.values()} == {Reserve.COMPANY}
    alone = judged([("AB12CDE", shown(p, n)) for n, p in enumerate(plates)])
    assert alone["AB12CDE"].verdict.kind is VerdictKind.UNPAID


def test_lettering_beside_a_plate_that_cannot_be_read_is_not_unpaid() -> None:
    plates = [seen(1.2, 2.4, 20 - n) for n in range(14)]
    adverts = [beside(plate, -1.0, -4.0, 1.3) for plate in plates]
    advert = [
        ("LM43XPF", shown(upright(a.x1, a.y1, a.width), n, [box_of(p)]))
        for n, (p, a) in enumerate(zip(plates, adverts, strict=True))
    ]
    assert judged(advert)["LM43XPF"].verdict.rule == Reserve.COMPANY


def test_a_banner_that_slides_over_the_picture_is_not_unpaid() -> None:
    banner = [("AB12CDE", shown(upright(30 + 60.0 * n, 300, 110), n)) for n in range(14)]
    verdict = judged(banner)["AB12CDE"].verdict
    assert (verdict.kind, verdict.rule) == (VerdictKind.REVIEW, Reserve.SLID)


def test_the_reserves_have_words() -> None:
    assert all(has_words(reserve.value) for reserve in Reserve)
