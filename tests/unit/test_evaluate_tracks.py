from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import approaches, streets, weather
from models.evaluate.approaches import KnownPlate
from models.evaluate.fusion_methods import METHODS, Comparison, KnownTrack, compare, majority, right, sign_test, surest
from models.evaluate.tracks import folded_confidence, trusted
from models.synth import formats
from roadside.core.ctc import COLUMN, read_posterior
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.fusion import fuse
from roadside.core.reads import PlacedRead


def said(text: str, sure: float, sequence: int = 0) -> PlacedRead:
    posterior = np.full((len(text), 36), (1 - sure) / 35, np.float32)
    posterior[np.arange(len(text)), [COLUMN[c] for c in text]] = sure
    crop = Crop(CameraId("c"), sequence, sequence, Detection(Box(0, 0, 90, 20), 1.0), np.zeros((20, 90, 3), np.uint8))
    return PlacedRead(crop, read_posterior(posterior, text, 0.9))


def test_each_way_decides_as_its_name_says() -> None:
    reads = (said("AB12CDE", 0.8, 0), said("A812CDE", 0.97, 1), said("AB12CDE", 0.8, 2), said("AB12CDF", 0.7, 3))
    assert {name: decide(reads) for name, decide in METHODS.items()} == {
        "fused": "AB12CDE",
        "best frame": "A812CDE",
        "majority": "AB12CDE",
        "last frame": "AB12CDF",
        "unweighed": "AB12CDE",
    }


def test_of_equally_many_the_surest_frame_decides_and_o_is_0() -> None:
    assert majority((said("AB12CDE", 0.8), said("XY12CDE", 0.9))) == "XY12CDE"
    assert majority((said("AO12CDE", 0.8), said("A012CDE", 0.7), said("XY12CDE", 0.99))) == "AO12CDE"


def test_a_track_without_a_read_is_read_by_none() -> None:
    assert not right(KnownTrack("g", "AB12CDE", ()), surest)
    assert right(KnownTrack("g", "AO12CDE", (said("A012CDE", 0.9),)), surest)


def test_fused_plates_are_counted_by_their_confidence() -> None:
    sure = KnownTrack("g", "AB12CDE", (said("AB12CDE", 0.9999, 0),))
    wrong = KnownTrack("g", "XY12CDE", (said("AB12CDE", 0.9999, 0),))
    never = KnownTrack("g", "AB12CDE", ())
    table = trusted({"mine": [sure, sure, wrong, never], "empty": [never]})
    confidence = folded_confidence(fuse(sure.reads).plate)
    over = "1 of 3" if confidence > 0.99 else "0 of 0"
    assert table.rows == (("mine", "3", f"{abs(confidence - 2 / 3):.3f}", over),)


def test_a_text_torn_between_o_and_0_alone_is_sure_when_folded() -> None:
    posterior = np.full((6, 36), 1e-6, np.float32)
    for slot, character in enumerate("ABC"):
        posterior[slot, COLUMN[character]] = 1
    posterior[3, [COLUMN["O"], COLUMN["0"]]] = 0.5
    posterior[4, COLUMN["2"]] = posterior[5, COLUMN["3"]] = 1
    posterior /= posterior.sum(1, keepdims=True)
    torn = fuse((replace(said("ABC023", 0.9), read=read_posterior(posterior, "ABC023", 0.999)),)).plate
    assert folded_confidence(torn) > 0.98
    assert torn.confidence <= folded_confidence(torn) <= 1


def test_a_duel_counts_where_two_ways_differ() -> None:
    assert compare([True, True, False, False, True], [True, False, True, False, False]) == Comparison(won=2, lost=1)


@pytest.mark.parametrize(("won", "lost", "chance"), [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 2 / 32), (0, 5, 2 / 32)])
def test_the_sign_test_by_hand(won: int, lost: int, chance: float) -> None:
    assert sign_test(won, lost) == pytest.approx(chance)


def test_the_sign_test_is_the_tail_of_a_binomial() -> None:
    tail = sum(math.comb(20, k) for k in range(5)) / 2**20
    assert sign_test(16, 4) == pytest.approx(2 * tail)


@pytest.mark.parametrize("seen_in", weather.ALL)
def test_weather_keeps_the_size_and_is_the_same_again(seen_in: weather.Weather) -> None:
    image = np.full((60, 160, 3), 120, np.uint8)
    one, other = (weather.photograph(np.random.default_rng(3), image, seen_in) for _ in range(2))
    assert one.shape == image.shape
    assert np.array_equal(one, other)
    assert weather.downscaled(image, seen_in).shape[1] == round(160 * seen_in.shrink)


def test_an_approaching_plate_is_where_its_box_says() -> None:
    """A white plate on a dark ground: the box holds what is bright, at the width that was asked for."""
    image = np.full((200, 400, 3), 20, np.uint8)
    image[80:120, 100:280] = 240
    plate = KnownPlate("p", "g", "AB12CDE", image, Box(100, 80, 280, 120))
    for width_px in (30.0, 80.0):
        seen, box = approaches.view(np.random.default_rng(1), plate, width_px)
        assert box.width == pytest.approx(width_px, rel=0.1)
        bright = np.argwhere(seen[..., 0] > 130)
        (y1, x1), (y2, x2) = bright.min(axis=0), bright.max(axis=0) + 1
        assert np.allclose([x1, y1, x2, y2], [box.x1, box.y1, box.x2, box.y2], atol=2)


@pytest.mark.parametrize(("left", "right", "roomy"), [(20, 220, True), (5, 220, False), (20, 298, False)])
def test_a_picture_that_ends_at_its_plate_has_no_surroundings_to_show(left: int, right: int, *, roomy: bool) -> None:
    plate = KnownPlate("p", "g", "AB12CDE", np.zeros((90, 300, 3), np.uint8), Box(left, 20, right, 60))
    assert approaches.has_room(plate) is roomy


def test_a_drawn_fleet_has_plates_that_can_be_spelled() -> None:
    drawn = streets.fleet(11)
    assert drawn == streets.fleet(11)
    assert drawn != streets.fleet(12)
    for vehicle in drawn:
        assert 4 <= len(formats.registration(vehicle.plate, vehicle.country).text) <= 9


def test_a_long_track_is_cut_into_parts_of_one_length() -> None:
    whole = KnownTrack("g", "AB12CDE", tuple(said("AB12CDE", 0.9, i) for i in range(19)))
    assert [len(part.reads) for part in streets.windows(whole, 8)] == [8, 8]
