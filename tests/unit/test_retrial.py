"""What another view would have made of the plates of the last minute."""

from __future__ import annotations

from roadside.core.frames import Box
from roadside.core.outline import Direction, Line, Polygon
from roadside.core.retrial import Found, retry
from roadside.core.view import View

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
