"""A camera that moves: what stands beside the road accuses nobody, and what drives past it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.synth import street
from roadside.capture.background import BackgroundWatch
from roadside.core.background import Background
from roadside.core.frames import END_OF_TIME_NS
from roadside.core.sightings import VerdictKind
from tests.unit.test_passages import GATE, START_NS, Look, event, gathering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.sightings import Sighting

FPS = 25
SIZE = (1280, 720)
ROOM = 700
"""Pixels of the street beyond each side of a picture: a camera can turn so far."""
ADVERT, CAR = "AB12CDE", "LM43XPF"
BARS = np.tile(np.repeat(np.array([30, 220], np.uint8), 2)[None, :, None], (40, 55, 3))
"""What is read: lettering over the whole length of a plate, evenly lit."""

Image = NDArray[np.uint8]
Sway = Callable[[int], tuple[int, int]]


@pytest.fixture(scope="module")
def empty_street() -> Image:
    """A rendered street without vehicles, wider and higher than what the camera sees."""
    rng = np.random.default_rng(5)
    image = next(iter(street.frames(rng, street.Clip(fps=1), street.build(rng, street.DEMO_VEHICLES))))
    return cv2.copyMakeBorder(image, ROOM, ROOM, ROOM, ROOM, cv2.BORDER_REFLECT)  # type: ignore[return-value]


def view(wide: Image, x: int, y: int) -> Image:
    return wide[ROOM + y : ROOM + y + SIZE[1], ROOM + x : ROOM + x + SIZE[0]]


def with_lorry(image: Image, at_x: int, width: int) -> Image:
    """A lorry with some lettering on its side hides what is behind it, over the whole height of the picture."""
    side = np.random.default_rng(1).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    painted = cv2.resize(side, (width, SIZE[1]), interpolation=cv2.INTER_CUBIC)
    seen = image.copy()
    left, right = max(0, at_x), min(SIZE[0], at_x + width)
    if left < right:
        seen[:, left:right] = painted[:, left - at_x : right - at_x]
    return seen


def backgrounds(pictures: Sequence[Image]) -> list[Background]:
    watch = BackgroundWatch()
    return [watch.note(picture, 1000 + n) for n, picture in enumerate(pictures)]


def told_of(looks: Sequence[Sequence[Look]], grounds: Sequence[Background | None]) -> dict[str, Sighting]:
    """What is told of plates that are read where `looks` says, frame by frame."""
    stage = gathering()
    concluded = []
    for sequence, (seen, ground) in enumerate(zip(looks, grounds, strict=True)):
        for look in seen:
            one = event(look, sequence / FPS, sequence)
            height, width = BARS.shape[:2]
            origin = round(look.x - (width - look.width) / 2), round(look.y - (height - look.width / 4.7) / 2)
            stage.take(replace(one, crop=replace(one.crop, image=BARS, background=ground, origin=origin)))
        at_ns = START_NS + round(sequence / FPS * 1e9)
        stage.looked_at(GATE, at_ns)
        concluded += stage.advance(GATE, at_ns)
    concluded += stage.advance(GATE, END_OF_TIME_NS)
    sightings = [given.sighting for conclusion in concluded for given in conclusion.outputs]
    return {one.plate.text: one for one in sightings if one.plate is not None}


def pan(n: int) -> tuple[int, int]:
    return 3 * n - 300, 0


def pan_and_tilt(n: int) -> tuple[int, int]:
    return 2 * n - 200, n - 100


def shaking(n: int) -> tuple[int, int]:
    x, y = np.random.default_rng(n).integers(-5, 6, 2)
    return int(x), int(y)


def beside_the_road(sway: Sway, frames: int) -> list[list[Look]]:
    """An advert on a wall, and a vehicle that comes nearer, both as a camera that sways sees them."""
    looks: list[list[Look]] = []
    for n in range(frames):
        (x, y), part = sway(n), n / frames
        car = Look(CAR, 300 + 700 * part - x, 350 + 150 * part - y, 60 + 80 * part)
        looks.append([Look(ADVERT, 640.0 - x, 200.0 - y), car])
    return looks


@pytest.mark.parametrize("sway", [pan, pan_and_tilt, shaking])
def test_what_moves_with_the_picture_is_not_told_and_a_vehicle_is(empty_street: Image, sway: Sway) -> None:
    frames = 150
    grounds = backgrounds([view(empty_street, *sway(n)) for n in range(frames)])
    told = told_of(beside_the_road(sway, frames), grounds)
    assert set(told) == {CAR}
    assert told[CAR].verdict.kind is VerdictKind.UNPAID


def test_events_of_an_older_capture_are_judged_as_they_were() -> None:
    assert told_of(beside_the_road(pan, 150), [None] * 150)[ADVERT].verdict.kind is VerdictKind.UNPAID


@pytest.mark.parametrize("faster", [0.004, 0.01, 0.03])
def test_nobody_is_accused_while_the_camera_drives_or_zooms(empty_street: Image, faster: float) -> None:
    """Everything grows away from the middle, as before a vehicle that drives."""
    frames, street_ahead = 100, view(empty_street, 0, 0)
    pictures, looks = [], []
    for n in range(frames):
        size = (1 + faster) ** n
        by = np.array([[size, 0, 640 * (1 - size)], [0, size, 360 * (1 - size)]])
        pictures.append(np.asarray(cv2.warpAffine(street_ahead, by, SIZE), np.uint8))
        x, y, width = 640 + 200 * size, 360 - 60 * size, 60 * size
        looks.append([Look(ADVERT, x, y, width)] if x + width < SIZE[0] else [])
    told = told_of(looks, backgrounds(pictures))
    assert {one.verdict.kind for one in told.values()} <= {VerdictKind.REVIEW}
    for one in told.values():
        assert one.verdict.rule in {"camera-moves", "one-look", "never-moved"}


@pytest.mark.parametrize("width", [300, 640, 800])
def test_a_lorry_that_passes_close_moves_no_background(empty_street: Image, width: int) -> None:
    frames, ahead = 150, view(empty_street, 0, 0)
    places = [-width + 15 * n for n in range(frames)]
    grounds = backgrounds([with_lorry(ahead, x, width) for x in places])
    assert set(grounds) == {Background(0.0, 0.0, 1000)}
    ends = [x + width - 150.0 for x in places]
    looks = [[Look(CAR, end, 500.0, 70 + end / 20)] if 0 < end < SIZE[0] - 140 else [] for end in ends]
    told = told_of(looks, grounds)
    assert {text: one.verdict.kind for text, one in told.items()} == {CAR: VerdictKind.UNPAID}


def test_the_background_is_followed_to_a_few_pixels(empty_street: Image) -> None:
    for n, ground in enumerate(backgrounds([view(empty_street, *pan(n)) for n in range(150)])):
        assert ground.told
        assert ground.x == pytest.approx(-3 * n, abs=5)
        assert ground.y == pytest.approx(0, abs=5)


def test_light_and_noise_move_no_background(empty_street: Image) -> None:
    ahead, rng = view(empty_street, 0, 0).astype(np.float32), np.random.default_rng(2)
    pictures = [
        np.clip(ahead * (0.6 + 0.4 * np.sin(n / 9)) + rng.normal(0, 6, ahead.shape), 0, 255).astype(np.uint8)
        for n in range(-3, 30, 3)
    ]
    assert {(ground.x, ground.y, ground.since_ns) for ground in backgrounds(pictures)} == {(0.0, 0.0, 1000)}


def test_a_picture_without_texture_stands() -> None:
    dark = [np.full((720, 1280, 3), 4 + n % 2, np.uint8) for n in range(10)]
    assert {(ground.x, ground.y, ground.told) for ground in backgrounds(dark)} == {(0.0, 0.0, True)}


def test_another_scene_is_another_origin(empty_street: Image) -> None:
    """A camera that was turned by hand, or another film: the shifts before and after cannot be compared."""
    elsewhere = np.asarray(view(empty_street, 0, 0)[::-1, ::-1])
    grounds = backgrounds([view(empty_street, 0, 0)] * 5 + [elsewhere] * 10)
    assert grounds[-1].since_ns > grounds[0].since_ns
    assert [ground.told for ground in grounds] == [True] * 5 + [False] * 3 + [True] * 7
