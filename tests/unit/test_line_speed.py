"""Average speed between two lines of one camera."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.line_speed import SpeedLines, crossing, line_speed, seen_of
from roadside.core.motion import Motion
from roadside.core.reads import PlacedRead, Read, Track
from roadside.core.view import View
from roadside.core.view_table import TableFault, parse_view, view_table

SIZE = (1280, 720)
HEIGHT_M, FOCAL_PX = 5.0, 900.0
READ = Read("AB12CDE", "AB12CDE", "UK", 0.9, (), np.zeros((0, 36), np.float32))
PIXELS = np.zeros((1, 1, 3), np.uint8)
S = 10**9


def row_of(away_m: float, above_m: float = 0.0) -> float:
    """Where a camera that looks straight ahead sees a point of the road, as a fraction of the picture's height."""
    return (SIZE[1] / 4 + FOCAL_PX * (HEIGHT_M - above_m) / away_m) / SIZE[1]


LINES = SpeedLines(
    ((0.0, row_of(40.0)), (1.0, row_of(40.0))), ((0.0, row_of(20.0)), (1.0, row_of(20.0))), 20.0, 0.1, HEIGHT_M
)


def track(places: list[tuple[float, float]], above_m: float = 0.5, noise: float = 0.0) -> Track:
    """The plate at these (seconds, metres away)."""
    reads = []
    for number, (at_s, away_m) in enumerate(places):
        y, half = row_of(away_m, above_m) * SIZE[1], FOCAL_PX * 0.26 / away_m
        y += random.gauss(0, noise * 2 * half)
        box = Box(640 - half, y - half / 4, 640 + half, y + half / 4)
        crop = Crop(CameraId("gate"), round(at_s * S), number, Detection(box, 0.9), PIXELS, frame_size=SIZE)
        reads.append(PlacedRead(crop, READ))
    return Track(CameraId("gate"), "t", tuple(reads))


def drive(kmh: float, fps: float = 10.0, start_m: float = 50.0, end_m: float = 10.0) -> list[tuple[float, float]]:
    ms = kmh / 3.6
    return [(n / fps, start_m - ms * n / fps) for n in range(int((start_m - end_m) / ms * fps))]


@pytest.mark.parametrize("kmh", [10.0, 50.0, 90.0, 130.0])
def test_a_plate_drives_as_fast_as_it_does_either_way(kmh: float) -> None:
    for places in (drive(kmh, 25), [(t, 65.0 - z) for t, z in drive(kmh, 25)]):
        speed = line_speed(LINES, track(places))
        assert speed is not None
        assert speed.kmh == pytest.approx(kmh, rel=0.02)
        assert speed.lowest_kmh < kmh < speed.highest_kmh


def test_the_uncertainty_is_that_of_tape_heights_clock_and_crossings() -> None:
    speed = line_speed(LINES, track(drive(50.0, 25)))
    assert speed is not None
    # Bounds over sqrt(3): 0.1 m of 20 m, 0.3 m of 4.5 m of height, twice 0.03 s in 1.3 s; 2u of their root of squares.
    relative = 2 * ((0.1 / 20) ** 2 / 3 + (0.3 / 4.5) ** 2 / 3 + 2 * 0.03**2 / 3 / 1.296**2) ** 0.5
    assert speed.highest_kmh / speed.kmh == pytest.approx(np.exp(relative), rel=0.01)
    assert speed.kmh / speed.lowest_kmh == pytest.approx(speed.highest_kmh / speed.kmh)
    exact = replace(LINES, distance_error_m=0.0, plate_height_error_m=0.0, time_error_s=0.0)
    sure = line_speed(exact, track(drive(50.0, 25)))
    assert sure is not None
    assert sure.highest_kmh - sure.lowest_kmh < 0.3 * (speed.highest_kmh - speed.lowest_kmh)
    slow = line_speed(exact, track(drive(50.0, 4)))
    assert slow is not None
    assert slow.highest_kmh - slow.lowest_kmh > 1.2 * (sure.highest_kmh - sure.lowest_kmh), "fewer frames tell less"


def test_the_interval_holds_the_true_speed_in_nineteen_of_twenty() -> None:
    random.seed(5)
    inside = told = 0
    for _ in range(600):
        kmh, fps = random.uniform(15, 120), random.choice([8.0, 12.5, 25.0])
        start = 50.0 + random.uniform(0, 5)
        jitter = [(t + random.uniform(-0.03, 0.03) / 2, z) for t, z in drive(kmh, fps, start)]
        lines = replace(LINES, distance_m=20.0 + random.uniform(-0.1, 0.1))
        speed = line_speed(lines, track(jitter, above_m=random.uniform(0.2, 0.8), noise=0.03))
        if speed is not None:
            told += 1
            inside += speed.lowest_kmh <= kmh <= speed.highest_kmh
    assert told > 500
    assert inside / told > 0.95


@pytest.mark.parametrize(
    ("places", "why"),
    [
        (drive(50.0, 10, 50.0, 25.0), "it never reached the second line"),
        (drive(50.0, 10, 35.0), "it was first seen behind the first line"),
        (drive(130.0, 4), "two frames between the lines"),
        (drive(700.0, 100), "no vehicle is so fast"),
        ([(0, 45), (1, 39), (2, 41), (3, 39), (4, 30), (5, 25), (6, 19)], "it crossed a line three times"),
        ([(0, 45), (1, 38), (2, 30), (3, 36), (4, 28), (5, 24), (6, 19)], "it went back between them"),
        ([(0, 45), (20, 38), (40, 30), (60, 26), (80, 22), (100, 19)], "it stood on the way"),
        ([(0.0, 45), (0.0, 38)], "two places at one time"),
    ],
)
def test_what_is_not_known_is_no_number(places: list[tuple[float, float]], why: str) -> None:
    assert line_speed(LINES, track(places)) is None, why


def test_nothing_is_told_where_the_camera_moved_or_the_frame_is_not_known() -> None:
    good = track(drive(50.0, 25))
    assert line_speed(LINES, replace(good, motion=Motion.CARRIED)) is None
    bare = tuple(replace(r, crop=replace(r.crop, frame_size=None)) for r in good.reads)
    assert line_speed(LINES, replace(good, reads=bare)) is None
    assert line_speed(replace(LINES, time_error_s=0.5), good) is None, "such a clock cannot tell"
    assert View().speed_of(good) is None, "off unless lines are drawn"
    assert View(speed=LINES).speed_of(good) is not None


def test_a_crossing_is_interpolated_between_two_frames() -> None:
    seen = seen_of(track([(0.0, 41.0), (0.5, 39.0)]))
    line = ((0.0, row_of(40.0, 0.5) * SIZE[1]), (SIZE[0], row_of(40.0, 0.5) * SIZE[1]))
    found = crossing(seen, line)
    assert found is not None
    assert found.at_s == pytest.approx(0.25, abs=0.01)
    assert 0.0 < found.error_s < 0.5 / 12**0.5, "better than anywhere between the two frames"
    assert crossing(seen, ((0.0, 0.0), (SIZE[0], 0.0))) is None


TABLE = {
    "first": [[0.1, 0.4], [0.9, 0.4]],
    "second": [[0.1, 0.8], [0.9, 0.8]],
    "distance_m": 10,
    "camera_height_m": 4.0,
}


def test_a_table_says_the_lines() -> None:
    view = parse_view({"speed": TABLE})
    assert view.speed is not None
    assert view.speed.distance_error_m == pytest.approx(0.2), "2 % where it is not said"
    assert view.speed.plates_distance_m == pytest.approx(10 * 3.5 / 4)
    assert parse_view(view_table(view)) == view
    assert view_table(View()) == {}


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"distance": 10}, ("speed", "distance"), "did you mean distance_m"),
        ({"distance_m": None}, ("speed", "distance_m"), "number"),
        ({"distance_m": 0}, ("speed", "distance_m"), "from 1 to 500"),
        ({"distance_m": float("nan")}, ("speed", "distance_m"), "from 1 to 500"),
        ({"distance_error_m": 11}, ("speed", "distance_error_m"), "as large as the distance"),
        ({"camera_height_m": 1.2}, ("speed", "camera_height_m"), "hardly higher than plates"),
        ({"first": [[0.1, 0.4]]}, ("speed", "first"), "two points"),
        ({"first": [[0.1, 0.4], [1.9, 0.4]]}, ("speed", "first"), "fractions"),
        ({"second": [[0.1, 0.8], [0.1, 0.8]]}, ("speed", "second"), "no length"),
        ({"second": [[0.1, 0.2], [0.9, 0.8]]}, ("speed", "second"), "crosses the first"),
    ],
)
def test_a_wrong_table_is_told_with_its_key(change: dict[str, object], path: tuple[str, ...], said: str) -> None:
    with pytest.raises(TableFault, match=said) as fault:
        parse_view({"speed": {**TABLE, **change}})
    assert fault.value.path == path


def test_what_a_table_lacks_is_named() -> None:
    with pytest.raises(TableFault, match="camera_height_m is missing"):
        parse_view({"speed": {key: value for key, value in TABLE.items() if key != "camera_height_m"}})
