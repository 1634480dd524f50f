"""The skeletons of the 36 plate characters as polylines with rounded corners, in units of the character height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Stroke = tuple[Points, float, bool]
"""Centre line (n, 2) as x, y; thickness; whether it is closed."""

_Corner = tuple[float, float, float]
_ARC_STEPS = 7


@dataclass(frozen=True, slots=True)
class Proportions:
    """What makes one plate face differ from another; lengths in character heights."""

    width: float
    stroke: float
    roundness: float = 0.85
    """Corner radius of bowls, as a share of the largest possible."""
    pointed_m: float = 0.58
    """How far down the middle of M reaches."""
    flagged_one: bool = False
    flat_three: bool = False
    straight_six: bool = False
    stem_four: bool = True
    """The upright of 4 reaches the top."""
    wide_i: bool = False
    """I with serifs."""


def strokes_of(character: str, shape: Proportions) -> tuple[float, list[Stroke]]:
    """Width of the character and its strokes; raises KeyError for anything but A-Z and 0-9."""
    pen = _Pen(shape)
    return _DRAWINGS[character](pen)


class _Pen:
    """Guide lines of a face and the two ways of drawing: rounded paths and clipped diagonals."""

    def __init__(self, shape: Proportions) -> None:
        self.shape = shape
        self.w, self.s = shape.width, shape.stroke
        self.left, self.right = self.s / 2, self.w - self.s / 2
        self.top, self.bottom = self.s / 2, 1 - self.s / 2
        self.slope = self.s * 0.54  # half the horizontal cut through a steep diagonal

    def path(self, *corners: tuple[float, ...], closed: bool = False, weight: float = 1.0) -> Stroke:
        """A polyline whose corners (x, y, rounding) are rounded where a rounding is given."""
        full = [(c[0], c[1], c[2] if len(c) > 2 else 0.0) for c in corners]
        return _fillet(full, self._radius(), closed=closed), self.s * weight, closed

    def _radius(self) -> float:
        return self.shape.roundness * (self.w - self.s) / 2

    def diagonal(self, x0: float, y0: float, x1: float, y1: float, weight: float = 1.0) -> Stroke:
        """A straight stroke prolonged beyond both ends, so that the glyph's box cuts it level."""
        start, end = np.array([x0, y0]), np.array([x1, y1])
        reach = (end - start) * 0.12
        return np.stack([start - reach, end + reach]), self.s * weight, False

    def stem(self, x: float, y0: float = 0.0, y1: float = 1.0) -> Stroke:
        return np.array([[x, y0], [x, y1]]), self.s, False

    def bar(self, y: float, x0: float = 0.0, x1: float | None = None) -> Stroke:
        return np.array([[x0, y], [self.w if x1 is None else x1, y]]), self.s * 0.95, False


def _fillet(corners: list[_Corner], radius: float, *, closed: bool) -> Points:
    points: list[Points] = []
    count = len(corners)
    for i, (x, y, rounding) in enumerate(corners):
        here = np.array([x, y])
        inner = closed or 0 < i < count - 1
        if not inner or rounding <= 0:
            points.append(here[None])
            continue
        before, after = np.array(corners[i - 1][:2]), np.array(corners[(i + 1) % count][:2])
        to_before, to_after = before - here, after - here
        length_before, length_after = np.linalg.norm(to_before), np.linalg.norm(to_after)
        shares = [1.0 if not closed and i == 1 else 0.5, 1.0 if not closed and i == count - 2 else 0.5]
        reach = min(radius * rounding, length_before * shares[0], length_after * shares[1])
        start, end = here + to_before / length_before * reach, here + to_after / length_after * reach
        t = np.linspace(0, np.pi / 2, _ARC_STEPS)[:, None]
        centre = start + end - here
        points.append(centre + (here - end) * np.cos(t) + (here - start) * np.sin(t))
    path = np.concatenate(points)
    following = np.roll(path, -1, axis=0)
    distinct = np.abs(path - following).sum(axis=1) > 1e-6
    if not closed:
        distinct[-1] = True
    return np.asarray(path[distinct])


def _rectangle(p: _Pen, x0: float, y0: float, x1: float, y1: float) -> Stroke:
    return p.path((x0, y0, 1), (x1, y0, 1), (x1, y1, 1), (x0, y1, 1), closed=True)


def _a(p: _Pen) -> tuple[float, list[Stroke]]:
    off = p.s * 0.1
    left = p.diagonal(p.slope, 1, p.w / 2 - off, 0, 0.97)
    right = p.diagonal(p.w - p.slope, 1, p.w / 2 + off, 0, 0.97)
    return p.w, [left, right, p.bar(0.71, p.w * 0.22, p.w * 0.78)]


def _b(p: _Pen) -> tuple[float, list[Stroke]]:
    mid, inner = 0.48, p.right - 0.02
    upper = p.path((0, p.top), (inner, p.top, 1), (inner, mid, 1), (p.left, mid))
    lower = p.path((p.left, mid), (p.right, mid, 1), (p.right, p.bottom, 1), (0, p.bottom))
    return p.w, [p.stem(p.left), upper, lower]


def _c(p: _Pen) -> tuple[float, list[Stroke]]:
    corners = [(p.left, p.top, 1.0), (p.left, p.bottom, 1.0), (p.right, p.bottom, 1.0)]
    return p.w, [p.path((p.right, 0.33), (p.right, p.top, 1), *corners, (p.right, 0.67))]


def _d(p: _Pen) -> tuple[float, list[Stroke]]:
    bowl = p.path((0, p.top), (p.right, p.top, 1), (p.right, p.bottom, 1), (0, p.bottom))
    return p.w, [p.stem(p.left), bowl]


def _e(p: _Pen) -> tuple[float, list[Stroke]]:
    w = p.w * 0.92
    return w, [p.stem(p.left), p.bar(p.top, 0, w), p.bar(0.48, 0, w * 0.9), p.bar(p.bottom, 0, w)]


def _f(p: _Pen) -> tuple[float, list[Stroke]]:
    w = p.w * 0.9
    return w, [p.stem(p.left), p.bar(p.top, 0, w), p.bar(0.5, 0, w * 0.9)]


def _g(p: _Pen) -> tuple[float, list[Stroke]]:
    bar = 0.55
    corners = [(p.left, p.top, 1.0), (p.left, p.bottom, 1.0), (p.right, p.bottom, 1.0)]
    body = p.path((p.right, 0.31), (p.right, p.top, 1), *corners, (p.right, bar), (p.w * 0.5, bar))
    return p.w, [body]


def _h(p: _Pen) -> tuple[float, list[Stroke]]:
    return p.w, [p.stem(p.left), p.stem(p.right), p.bar(0.48)]


def _i(p: _Pen) -> tuple[float, list[Stroke]]:
    if p.shape.wide_i:
        w = p.w * 0.6
        return w, [p.stem(w / 2), p.bar(p.top, 0, w), p.bar(p.bottom, 0, w)]
    return p.s, [p.stem(p.s / 2)]


def _j(p: _Pen) -> tuple[float, list[Stroke]]:
    w = p.w * 0.86
    right = w - p.s / 2
    return w, [p.path((right, 0), (right, p.bottom, 1), (p.left, p.bottom, 1), (p.left, 0.68))]


def _k(p: _Pen) -> tuple[float, list[Stroke]]:
    arm = p.diagonal(p.w - p.slope * 1.2, 0, p.left + p.s * 0.25, 0.6, 0.95)
    leg = p.diagonal(p.w * 0.45, 0.42, p.w - p.slope * 1.1, 1, 0.95)
    return p.w, [p.stem(p.left), (np.clip(arm[0], [p.left, -1], [9, 9]), arm[1], False), _trim(leg)]


def _trim(stroke: Stroke) -> Stroke:
    """Keep a diagonal's first end where the skeleton puts it."""
    start, end = stroke[0]
    return np.stack([start + (end - start) * (0.12 / 1.24), end]), stroke[1], False


def _l(p: _Pen) -> tuple[float, list[Stroke]]:
    w = p.w * 0.92
    return w, [p.path((p.left, 0), (p.left, p.bottom), (w, p.bottom))]


def _m(p: _Pen) -> tuple[float, list[Stroke]]:
    w = p.w * 1.08
    v = p.path((p.left * 0.9, -0.04), (w / 2, p.shape.pointed_m), (w - p.left * 0.9, -0.04), weight=0.85)
    return w, [p.stem(p.left), p.stem(w - p.left), v]


def _n(p: _Pen) -> tuple[float, list[Stroke]]:
    return p.w, [p.stem(p.left), p.stem(p.right), p.diagonal(p.left, 0.04, p.right, 0.96, 0.92)]


def _o(p: _Pen) -> tuple[float, list[Stroke]]:
    return p.w, [_rectangle(p, p.left, p.top, p.right, p.bottom)]


def _p(p: _Pen) -> tuple[float, list[Stroke]]:
    mid = 0.55
    bowl = p.path((0, p.top), (p.right, p.top, 1), (p.right, mid, 1), (0, mid))
    return p.w, [p.stem(p.left), bowl]


def _q(p: _Pen) -> tuple[float, list[Stroke]]:
    tail = np.array([[p.w * 0.55, 0.7], [p.w * 0.98, 0.99]])
    return p.w, [*_o(p)[1], (tail, p.s * 0.9, False)]


def _r(p: _Pen) -> tuple[float, list[Stroke]]:
    mid = 0.53
    bowl = p.path((0, p.top), (p.right, p.top, 1), (p.right, mid, 1), (0, mid))
    leg = p.diagonal(p.w * 0.48, mid, p.w - p.slope, 1)
    return p.w, [p.stem(p.left), bowl, _trim(leg)]


def _s(p: _Pen) -> tuple[float, list[Stroke]]:
    mid = 0.485
    upper = [(p.right, 0.31), (p.right, p.top, 1.0), (p.left, p.top, 1.0), (p.left, mid, 1.0)]
    lower = [(p.right, mid, 1.0), (p.right, p.bottom, 1.0), (p.left, p.bottom, 1.0), (p.left, 0.69)]
    return p.w, [p.path(*upper, *lower)]


def _t(p: _Pen) -> tuple[float, list[Stroke]]:
    return p.w, [p.bar(p.top), p.stem(p.w / 2)]


def _u(p: _Pen) -> tuple[float, list[Stroke]]:
    return p.w, [p.path((p.left, 0), (p.left, p.bottom, 1), (p.right, p.bottom, 1), (p.right, 0))]


def _v(p: _Pen) -> tuple[float, list[Stroke]]:
    off = p.s * 0.1
    left = p.diagonal(p.slope, 0, p.w / 2 - off, 1, 0.97)
    return p.w, [left, p.diagonal(p.w - p.slope, 0, p.w / 2 + off, 1, 0.97)]


def _w(p: _Pen) -> tuple[float, list[Stroke]]:
    w, weight = p.w * 1.12, 0.88
    foot, apex, edge = w * 0.27, 0.27, p.slope * 0.85
    left, right = p.diagonal(edge, 0, foot, 1, weight), p.diagonal(w - edge, 0, w - foot, 1, weight)
    inner = [
        _trim(p.diagonal(w / 2 - side * p.s * 0.12, apex, w / 2 - side * (w / 2 - foot), 1, weight)) for side in (1, -1)
    ]
    return w, [left, right, *inner]


def _x(p: _Pen) -> tuple[float, list[Stroke]]:
    edge = p.slope * 1.1
    return p.w, [p.diagonal(edge, 0, p.w - edge, 1), p.diagonal(p.w - edge, 0, edge, 1)]


def _y(p: _Pen) -> tuple[float, list[Stroke]]:
    edge = p.slope * 1.1
    arms = p.path((edge * 0.8, -0.05), (p.w / 2, 0.52), (p.w - edge * 0.8, -0.05), weight=0.97)
    return p.w, [arms, p.stem(p.w / 2, 0.5)]


def _z(p: _Pen) -> tuple[float, list[Stroke]]:
    edge = p.slope * 1.3
    diagonal = (np.array([[p.w - edge, p.top], [edge, p.bottom]]), p.s * 0.97, False)
    return p.w, [p.bar(p.top), p.bar(p.bottom), diagonal]


def _one(p: _Pen) -> tuple[float, list[Stroke]]:
    if not p.shape.flagged_one:
        return p.s, [p.stem(p.s / 2)]
    w = p.w * 0.62
    return w, [p.stem(w - p.s / 2), p.diagonal(p.s * 0.25, 0.27, w - p.s * 0.45, 0.045, 0.92)]


def _two(p: _Pen) -> tuple[float, list[Stroke]]:
    start = [(p.left, 0.31), (p.left, p.top, 1.0), (p.right, p.top, 1.0)]
    return p.w, [p.path(*start, (p.right, 0.44, 0.9), (p.left * 1.05, p.bottom), (p.w, p.bottom))]


def _three(p: _Pen) -> tuple[float, list[Stroke]]:
    mid = 0.47
    tail = [(p.right, p.bottom, 1.0), (p.left, p.bottom, 1.0), (p.left, 0.7)]
    if p.shape.flat_three:
        top = p.path((0, p.top), (p.w - p.slope * 1.4, p.top), (p.w * 0.42, 0.43))
        return p.w, [top, p.path((p.w * 0.3, 0.43), (p.right, 0.43, 1), *tail)]
    upper = p.path((p.left, 0.29), (p.left, p.top, 1), (p.right, p.top, 1), (p.right, mid, 1), (p.w * 0.36, mid))
    return p.w, [upper, p.path((p.w * 0.36, mid), (p.right, mid, 1), *tail)]


def _four(p: _Pen) -> tuple[float, list[Stroke]]:
    y, upright = 0.73, p.w * 0.76
    if p.shape.stem_four:
        slant = p.path((upright - p.s * 0.1, -0.02), (p.left * 0.95, y), (p.w, y), weight=0.95)
        return p.w, [slant, p.stem(upright)]
    slant = p.path((p.w * 0.6, -0.05), (p.left, y), (p.w, y), weight=0.95)
    return p.w, [slant, p.stem(upright, 0.46)]


def _five(p: _Pen) -> tuple[float, list[Stroke]]:
    mid = 0.42
    tail = [(p.right, mid, 1.0), (p.right, p.bottom, 1.0), (p.left, p.bottom, 1.0), (p.left, 0.71)]
    return p.w, [p.path((p.w * 0.95, p.top), (p.left, p.top), (p.left, mid), *tail)]


def _six(p: _Pen) -> tuple[float, list[Stroke]]:
    mid = 0.42
    if p.shape.straight_six:
        bowl = _rectangle(p, p.left, mid, p.right, p.bottom)
        return p.w, [bowl, p.path((p.left, 0.72), (p.left, 0.5, 0.6), (p.w * 0.68, -0.05))]
    start = [(p.right, 0.3), (p.right, p.top, 1.0), (p.left, p.top, 1.0), (p.left, p.bottom, 1.0)]
    return p.w, [p.path(*start, (p.right, p.bottom, 1.0), (p.right, mid, 1.0), (p.left, mid))]


def _seven(p: _Pen) -> tuple[float, list[Stroke]]:
    return p.w, [p.path((0, p.top), (p.w - p.slope * 1.05, p.top), (p.w * 0.3, 1.06))]


def _eight(p: _Pen) -> tuple[float, list[Stroke]]:
    mid = 0.475
    upper = _rectangle(p, p.left + 0.02, p.top, p.right - 0.02, mid)
    return p.w, [upper, _rectangle(p, p.left, mid, p.right, p.bottom)]


def _nine(p: _Pen) -> tuple[float, list[Stroke]]:
    return p.w, [(np.array([p.w, 1.0]) - points, s, closed) for points, s, closed in _six(p)[1]]


_LETTERS = (_a, _b, _c, _d, _e, _f, _g, _h, _i, _j, _k, _l, _m, _n, _o, _p, _q, _r, _s, _t, _u, _v, _w, _x, _y, _z)
_DIGITS = (_o, _one, _two, _three, _four, _five, _six, _seven, _eight, _nine)
_DRAWINGS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", (*_LETTERS, *_DIGITS), strict=True))
