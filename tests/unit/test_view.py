from __future__ import annotations

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.outline import Direction, Line, Polygon
from roadside.core.reads import PlacedRead, Read, Track
from roadside.core.schedule import Schedule, Span
from roadside.core.view import ROTATIONS, Flip, View
from roadside.core.view_table import TableFault, parse_view, view_table

LEFT_HALF = Polygon(((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
ACROSS = Line((0, 0.5), (1, 0.5), inwards=(0.5, 0.9))

fractions = st.floats(0, 1).map(lambda x: round(x, 4))
points = st.tuples(fractions, fractions)


@st.composite
def polygons(draw: st.DrawFn) -> Polygon:
    """Triangles: three points always go round without crossing."""
    corners = draw(st.lists(points, min_size=3, max_size=3))
    try:
        return Polygon(tuple(corners))
    except ValueError:
        assume(False)
        raise


@st.composite
def lines(draw: st.DrawFn) -> Line:
    try:
        return Line(draw(points), draw(points), draw(points))
    except ValueError:
        assume(False)
        raise


spans = st.builds(Span, st.integers(0, 1439), st.integers(0, 1440))
schedules = st.builds(
    Schedule,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.lists(spans, min_size=1, max_size=3).map(tuple),
)
views = st.builds(
    View,
    rotation=st.sampled_from(ROTATIONS),
    flip=st.sampled_from(Flip),
    zones=st.lists(polygons(), max_size=2).map(tuple),
    masks=st.lists(polygons(), max_size=2).map(tuple),
    line=st.none() | lines(),
    least_width_px=st.integers(0, 500).map(float),
    motion_gate=st.booleans(),
    schedule=st.none() | schedules,
)


@given(views)
def test_a_view_is_what_its_table_says(view: View) -> None:
    assert parse_view(view_table(view)) == view


def test_the_default_view_leaves_a_picture_as_it_is() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    assert View().shown(image) is image
    assert view_table(View()) == {}


@pytest.mark.parametrize(
    ("view", "corner"),
    [
        (View(), (0, 0)),
        (View(rotation=90), (0, 3)),
        (View(rotation=180), (3, 5)),
        (View(rotation=270), (5, 0)),
        (View(flip=Flip.HORIZONTAL), (0, 5)),
        (View(flip=Flip.VERTICAL), (3, 0)),
        (View(rotation=90, flip=Flip.HORIZONTAL), (0, 0)),
    ],
)
def test_the_upper_left_corner_goes_where_the_view_turns_it(view: View, corner: tuple[int, int]) -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    image[0, 0] = 255
    shown = view.shown(image)
    assert tuple(np.argwhere(shown.any(axis=2))[0]) == corner
    assert shown.shape == ((6, 4, 3) if view.rotation in {90, 270} else (4, 6, 3))


@given(st.sampled_from(ROTATIONS), st.sampled_from(Flip), polygons())
def test_masks_are_black_and_nothing_else_is(rotation: int, flip: Flip, mask: Polygon) -> None:
    image = np.full((48, 64, 3), 200, np.uint8)
    shown = View(rotation=rotation, flip=flip, masks=(mask,)).shown(image)
    height, width = shown.shape[:2]
    assert (image == 200).all(), "the camera's own picture is not written to"
    assert set(np.unique(shown)) <= {0, 200}
    x, y = (sum(p[axis] for p in mask.points) / 3 for axis in (0, 1))
    outline = np.array([(p[0] * width, p[1] * height) for p in mask.points], np.float32)
    # A sliver may pass beside the middle of the pixel that its centre lies in.
    assume(cv2.pointPolygonTest(outline, (x * width, y * height), True) >= 1.0)
    assert not shown[min(height - 1, round(y * height)), min(width - 1, round(x * width))].any()


def test_a_mask_is_of_the_picture_as_it_is_shown() -> None:
    image = np.full((40, 80, 3), 200, np.uint8)
    shown = View(rotation=90, masks=(LEFT_HALF,)).shown(image)
    assert shown.shape == (80, 40, 3)
    assert not shown[:, :19].any()
    assert shown[:, 22:].all()


def test_only_plates_in_a_zone_and_wide_enough_are_read() -> None:
    view = View(zones=(LEFT_HALF,), least_width_px=60)
    left, right, small = Box(100, 50, 200, 80), Box(700, 50, 800, 80), Box(100, 50, 150, 80)
    found = [Detection(box, 0.9) for box in (left, right, small)]
    assert [d.box for d in view.wanted(found, (1000, 500))] == [left]
    assert view.wanted(found[:1], (250, 500)) == (), "its centre is in the right half of a narrower picture"
    assert View(least_width_px=60).wanted(found, (1000, 500)) == tuple(found[:2])


@given(polygons(), st.tuples(st.floats(-1, 2), st.floats(-1, 2)))
def test_what_is_in_a_polygon_is_within_its_bounds(polygon: Polygon, point: tuple[float, float]) -> None:
    for axis in (0, 1):
        values = [p[axis] for p in polygon.points]
        assert not polygon.holds(point) or min(values) <= point[axis] <= max(values)


@given(lines(), st.lists(points, min_size=2, max_size=8))
def test_the_way_back_is_the_other_direction(line: Line, path: list[tuple[float, float]]) -> None:
    opposite = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN, None: None}
    assert line.crossed(path[::-1]) is opposite[line.crossed(path)]


def test_a_line_tells_in_from_out_and_ignores_what_passes_beside_it() -> None:
    assert ACROSS.crossed([(0.5, 0.1), (0.5, 0.4), (0.5, 0.8)]) is Direction.IN
    assert ACROSS.crossed([(0.5, 0.8), (0.5, 0.1)]) is Direction.OUT
    assert ACROSS.crossed([(0.5, 0.1), (0.5, 0.8), (0.5, 0.1)]) is None, "it came back"
    assert ACROSS.crossed([(0.1, 0.6), (0.9, 0.9)]) is None
    short = Line((0, 0.5), (0.4, 0.5), inwards=(0.2, 0.9))
    assert short.crossed([(0.6, 0.1), (0.6, 0.9)]) is None, "past the end of the line"
    assert short.crossed([(0.2, 0.1), (0.2, 0.9)]) is Direction.IN


def track(*centres: tuple[float, float], size: tuple[int, int] = (1000, 500)) -> Track:
    read = Read("AB12CDE", "AB12CDE", "UK", 0.9, (), np.zeros((0, 36), np.float32))
    reads = []
    for number, (x, y) in enumerate(centres):
        box = Box(x * size[0] - 50, y * size[1] - 10, x * size[0] + 50, y * size[1] + 10)
        pixels = np.zeros((20, 100, 3), np.uint8)
        crop = Crop(CameraId("gate"), number, number, Detection(box, 0.9), pixels, frame_size=size)
        reads.append(PlacedRead(crop, read))
    return Track(CameraId("gate"), "t", tuple(reads))


def test_a_track_has_the_direction_in_which_it_crosses_the_line() -> None:
    view = View(line=ACROSS)
    assert view.direction(track((0.5, 0.2), (0.5, 0.7))) is Direction.IN
    assert view.direction(track((0.5, 0.7), (0.5, 0.2))) is Direction.OUT
    assert view.direction(track((0.5, 0.2), (0.5, 0.3))) is None
    assert View().direction(track((0.5, 0.2), (0.5, 0.7))) is None


@pytest.mark.parametrize(
    ("local", "state"),
    [
        ("2026-06-01T06:00", "open"),  # a Monday
        ("2026-06-01T05:59", "closed"),
        ("2026-06-01T21:59", "open"),
        ("2026-06-01T22:00", "closed"),
        ("2026-06-06T12:00", "closed"),  # a Saturday
    ],
)
def test_a_schedule_is_of_days_and_hours(local: str, state: str) -> None:
    schedule = Schedule(frozenset(range(5)), (Span.of("06:00-22:00"),))
    assert View(schedule=schedule).is_open(datetime.fromisoformat(local)) is (state == "open")


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    friday_night = Schedule(frozenset({4}), (Span.of("22:00-06:00"),))
    assert friday_night.is_open(datetime(2026, 6, 5, 23, 0, tzinfo=UTC))
    assert friday_night.is_open(datetime(2026, 6, 6, 5, 59, tzinfo=UTC))
    assert not friday_night.is_open(datetime(2026, 6, 5, 5, 0, tzinfo=UTC))
    assert not friday_night.is_open(datetime(2026, 6, 6, 6, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("table", "path", "said"),
    [
        ({"rotaton": 90}, ("rotaton",), "did you mean rotation"),
        ({"rotation": 45}, ("rotation",), "0, 90, 180, 270"),
        ({"rotation": "90"}, ("rotation",), "whole number"),
        ({"flip": "both"}, ("flip",), "horizontal"),
        ({"zones": [[[0, 0], [1, 1]]]}, ("zones",), "number 1: a polygon has 3"),
        ({"zones": [[[0, 0], [1, 1], [2, 0]]]}, ("zones",), "fractions"),
        ({"zones": [[[0, 0], [1, 1], [1, 0], [0, 1]]]}, ("zones",), "cross"),
        ({"masks": [[[0, 0], [0.5, 0.5], [1, 1]]]}, ("masks",), "no area"),
        ({"masks": [[[0, 0], [float("nan"), 0.5], [1, 0]]]}, ("masks",), "fractions"),
        ({"line": {"start": [0, 0], "end": [1, 1]}}, ("line",), "inwards is missing"),
        ({"line": {"start": [0, 0], "end": [1, 1], "inward": [0, 1]}}, ("line", "inward"), "did you mean inwards"),
        ({"line": {"start": [0, 0], "end": [1, 1], "inwards": [0.5, 0.5]}}, ("line",), "lies on the line"),
        ({"least_width": -1}, ("least_width",), "from 0"),
        ({"motion_gate": 1}, ("motion_gate",), "true or false"),
        ({"schedule": {"days": []}}, ("schedule",), "never be watched"),
        ({"schedule": {"days": ["noday"]}}, ("schedule",), "days are mon"),
        ({"schedule": {"hours": ["25:00-26:00"]}}, ("schedule",), "of one day"),
        ({"schedule": {"hours": ["6-22"]}}, ("schedule",), "06:00-22:00"),
    ],
)
def test_a_wrong_table_is_told_with_its_key_and_the_mend(table: dict, path: tuple[str, ...], said: str) -> None:
    with pytest.raises(TableFault, match=said) as raised:
        parse_view(table)
    assert raised.value.path == path
