"""Outlines drawn on a camera's picture: polygons and lines in fractions of its width and height, once it is upright."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Point = tuple[float, float]
"""(x, y): 0, 0 is the picture's upper left corner, 1, 1 its lower right."""

MOST_POINTS = 64
LEAST_AREA = 1e-4
"""Of a polygon, of the picture's: a hundredth of each side. Less is a slip of the mouse."""
LEAST_LENGTH = 0.01
"""Of a line, and of the distance between it and the point that says which side is which."""


class Direction(StrEnum):
    """Which way a vehicle crossed the line of its camera."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Polygon:
    """Part of a picture."""

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        """Raises ValueError for what is no polygon inside the picture."""
        if not 3 <= len(self.points) <= MOST_POINTS:
            raise ValueError(f"a polygon has 3 to {MOST_POINTS} points, not {len(self.points)}")
        check_inside(self.points)
        if _crosses_itself(self.points):
            raise ValueError("the polygon's sides cross: name its corners one after another, all the way round")
        if abs(_signed_area(self.points)) < LEAST_AREA:
            raise ValueError("the polygon has no area: its points lie in a line")

    def holds(self, point: Point) -> bool:
        """Whether `point` lies inside, by the even-odd rule: a ray to the right leaves it an odd number of times."""
        x, y = point
        crossings = 0
        for (x1, y1), (x2, y2) in _sides(self.points):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                crossings += 1
        return crossings % 2 == 1


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the road, and which side of it is inside."""

    start: Point
    end: Point
    inwards: Point
    """Some point on the side that vehicles are on once they have come in."""

    def __post_init__(self) -> None:
        """Raises ValueError for a line without length, or where it is not clear which side is inside."""
        check_inside((self.start, self.end, self.inwards))
        length = math.dist(self.start, self.end)
        if length < LEAST_LENGTH:
            raise ValueError("the line has no length: give two points that are apart")
        if abs(_turn(self.start, self.end, self.inwards)) / length < LEAST_LENGTH:
            raise ValueError("inwards lies on the line: give a point on the side that vehicles come in to")

    def crossed(self, path: Sequence[Point]) -> Direction | None:
        """Which way `path` goes over the line on the whole; None where it does not, or comes back."""
        inside = math.copysign(1.0, _turn(self.start, self.end, self.inwards))
        net = sum(self._step(before, after, inside) for before, after in pairwise(path))
        return None if net == 0 else Direction.IN if net > 0 else Direction.OUT

    def _step(self, before: Point, after: Point, inside: float) -> int:
        """1 for a step over the line inwards, -1 for one outwards; a point on the line counts as outside."""
        if not steps_over(before, after, self.start, self.end, inside):
            return 0
        return 1 if _turn(self.start, self.end, after) * inside > 0 else -1


def steps_over(before: Point, after: Point, start: Point, end: Point, side: float = 1.0) -> bool:
    """Whether a step goes over the line from `start` to `end`; a point on it is not on the `side`, of 1 and -1."""
    was, is_now = (_turn(start, end, p) * side > 0 for p in (before, after))
    # The line's ends must lie on different sides of the step, or it went past the end of the line.
    return was != is_now and _turn(before, after, start) * _turn(before, after, end) <= 0


def _turn(a: Point, b: Point, c: Point) -> float:
    """Twice the signed area of a triangle: positive where c lies to the right of a to b, as y counts downwards."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _sides(points: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return pairwise((*points, points[0]))


def _signed_area(points: Sequence[Point]) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in _sides(points)) / 2


def check_inside(points: Sequence[Point]) -> None:
    """Raises ValueError for points that are not in the picture."""
    if any(not (0 <= value <= 1) for point in points for value in point):  # NaN is not, either
        raise ValueError("points are fractions of the picture's width and height, each from 0 to 1")


def _crosses_itself(points: Sequence[Point]) -> bool:
    sides = list(_sides(points))
    count = len(sides)
    return any(
        _cross(*sides[i], *sides[j])
        for i in range(count)
        for j in range(i + 2, count)
        if (i, j) != (0, count - 1)  # neighbours: they share a corner
    )


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0
