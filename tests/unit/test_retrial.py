"""What another view would have made of the plates of the last minute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadside.core.frames import Box
from roadside.core.line_speed import line_speed, seen_of
from roadside.core.outline import Direction, Line, Polygon
from roadside.core.retrial import Found, retry
from roadside.core.view import View
from tests.unit.test_line_speed import LINES, SIZE, drive, track

LEFT = Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
DOWN = Line((0.0, 0.5), (1.0, 0.5), (0.5, 0.9))


def found(x: float, y: float, *, width: float = 100, text: str = "AB12CDE") -> Found:
    return Found(0, Box(x - width / 2, y - 10, x + width / 2, y + 10), (1000, 500), text)


SEEN = (found(200, 100), found(210, 200), found(220, 400), found(800, 100, text="KL56MNP"), found(250, 300, width=30))


def test_everything_is_read_by_default() -> None:
    trial = retry(View(), SEEN)
    assert (trial.read, trial.found, trial.texts) == (5, 5, ("AB12CDE", "KL56MNP"))


def test_each_plate_has_one_fate() -> None:
    trial = retry(View(zones=(LEFT,), least_width_px=50), SEEN)
    assert (trial.read, trial.outside, trial.narrow, trial.masked) == (3, 1, 1, 0)
    assert retry(View(zones=(LEFT,), masks=(LEFT,)), SEEN).masked == 4
    assert trial.texts == ("AB12CDE",)


def test_who_crossed_the_line_and_how() -> None:
    assert retry(View(line=DOWN), SEEN).crossings == (("AB12CDE", Direction.IN),)
    assert retry(View(line=DOWN), SEEN[::-1]).crossings == (("AB12CDE", Direction.OUT),)
    assert retry(View(line=DOWN, zones=(LEFT,)), SEEN[:1]).crossings == ()


def test_nothing_was_found() -> None:
    assert retry(View(), ()).found == 0


def driven(kmh: float, text_from: int = 0) -> list[Found]:
    """A plate that drives towards the camera of `test_line_speed`; its text is read from one frame on."""
    seen = seen_of(track(drive(kmh, 25)))
    boxes = [
        Box(x - s.width_px / 2, y - s.width_px / 8, x + s.width_px / 2, y + s.width_px / 8)
        for s in seen
        for x, y in [s.centre]
    ]
    return [
        Found(s.at_ns, box, SIZE, "AB12CDE" if number >= text_from else "")
        for number, (s, box) in enumerate(zip(seen, boxes, strict=True))
    ]


@pytest.mark.parametrize("text_from", [0, 40])
def test_how_fast_between_two_lines_as_a_track_would_say(text_from: int) -> None:
    expected = line_speed(LINES, track(drive(50.0, 25)))
    (told,) = retry(View(speed=LINES), driven(50.0, text_from)).speeds
    assert told == ("AB12CDE", expected)


def test_who_comes_again_is_another_passage() -> None:
    first = driven(50.0)
    again = [replace(each, at_ns=each.at_ns + 30 * 10**9) for each in driven(30.0)]
    trial = retry(View(speed=LINES), [*first, *again])
    assert trial.texts == ("AB12CDE",)
    assert [round(speed.kmh) for _, speed in trial.speeds] == [50, 30]


def test_nobody_is_measured_without_lines_or_on_the_way_between() -> None:
    assert retry(View(), driven(50.0)).speeds == ()
    assert retry(View(speed=LINES), driven(50.0)[-20:]).speeds == ()


def test_two_plates_in_one_frame_are_two() -> None:
    beside = [
        replace(each, box=Box(each.box.x1 + 300, each.box.y1, each.box.x2 + 300, each.box.y2), text="KL56MNP")
        for each in driven(50.0)
    ]
    mixed = [each for pair in zip(driven(50.0, 30), beside, strict=True) for each in pair]
    assert sorted(text for text, _ in retry(View(speed=LINES), mixed).speeds) == ["AB12CDE", "KL56MNP"]
