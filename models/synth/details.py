"""What is fixed to a vehicle's body: lamps, grilles, bumpers, seams, mirrors, wheels, as polygons in its own axes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.synth.bodies import Body, Curve, half_width

if TYPE_CHECKING:
    from models.synth.canvas import Colour

Points = NDArray[np.float64]

_BLACK: Colour = (24, 23, 22)
_TRIM: Colour = (48, 46, 45)
_CHROME: Colour = (200, 200, 198)
_LAMP: Colour = (246, 243, 238)
_RED: Colour = (45, 36, 160)
PLATE_M = (0.52, 0.112)


@dataclass(frozen=True, slots=True)
class Patch:
    """A filled polygon (n, 3) metres, or an open line where `line_m` is over 0."""

    points: Points
    colour: Colour
    line_m: float = 0.0


@lru_cache(maxsize=16)
def front(body: Body) -> tuple[Patch, ...]:
    """Grille, lamps and bumper."""
    edge = _height(body.deck, 0.015)
    w = body.half_width
    patches = [
        _sheet(body, [(-0.62, 0.3), (0.62, 0.3), (0.56, 0.5), (-0.56, 0.5)], edge, _BLACK),
        _sheet(body, [(-0.5, 0.66), (0.5, 0.66), (0.46, 0.9), (-0.46, 0.9)], edge, _BLACK),
        *(
            _sheet(body, [(-0.49, y), (0.49, y), (0.48, y + 0.022), (-0.48, y + 0.022)], edge, _TRIM)
            for y in (0.7, 0.76, 0.82)
        ),
        _sheet(body, [(-0.07, 0.74), (0.07, 0.74), (0.07, 0.86), (-0.07, 0.86)], edge, _CHROME),
        _sheet(body, [(-0.86, 0.26), (0.86, 0.26), (0.8, 0.2), (-0.8, 0.2)], edge, _TRIM),
    ]
    for side in (-1, 1):
        lamp = [(0.53, 0.72), (0.56, 0.88), (0.8, 0.97), (0.955, 0.99), (0.95, 0.82), (0.8, 0.73)]
        patches += [
            _sheet(body, [(side * x, y) for x, y in lamp], edge, (120, 118, 116)),
            _sheet(
                body,
                [(side * (0.78 + (x - 0.78) * 0.8), 0.85 + (y - 0.85) * 0.72) for x, y in lamp],
                edge,
                (205, 203, 200),
            ),
            _disc(np.array([side * 0.68 * w, 0.82 * edge, _front_z(body, 0.68 * w) - 0.03]), 0.05, _LAMP),
            _disc(np.array([side * 0.72 * w, 0.42 * edge, _front_z(body, 0.72 * w) - 0.02]), 0.045, (150, 150, 148)),
        ]
    return tuple(patches)


@lru_cache(maxsize=16)
def rear(body: Body) -> tuple[Patch, ...]:
    """Tail lamps, bumper, the seam of the tailgate and the hollow of the plate; mirrored in z by the caller."""
    edge = _height(body.deck, 0.98)
    patches = [
        _sheet(body, [(-0.9, 0.24), (0.9, 0.24), (0.86, 0.42), (-0.86, 0.42)], edge, _TRIM, rear=True),
        _sheet(body, [(-0.74, 0.47), (0.74, 0.47), (0.74, 0.485), (-0.74, 0.485)], edge, _BLACK, rear=True),
        _sheet(body, [(-0.09, 0.9), (0.09, 0.9), (0.09, 0.94), (-0.09, 0.94)], edge, _CHROME, rear=True),
    ]
    if body.rear_screen[0] > 1:
        patches += _van_doors(body)
    for side in (-1, 1):
        lamp = [(0.66, 0.74), (0.7, 0.97), (0.95, 1.0), (0.99, 0.72)]
        inner = [(0.72, 0.82), (0.73, 0.9), (0.93, 0.92), (0.95, 0.81)]
        reflector = [(0.62, 0.3), (0.8, 0.3), (0.8, 0.33), (0.62, 0.33)]
        patches += [
            _sheet(body, [(side * x, y) for x, y in lamp], edge, _RED, rear=True),
            _sheet(body, [(side * x, y) for x, y in inner], edge, (90, 85, 205), rear=True),
            _sheet(body, [(side * x, y) for x, y in reflector], edge, (40, 30, 130), rear=True),
        ]
    return tuple(patches)


def _van_doors(body: Body) -> list[Patch]:
    """Two doors with windows, where there is no tailgate."""
    z, top = body.length + 0.008, _height(body.roof, 0.99)
    seam = Patch(np.array([(0.0, 0.5, z), (0.0, top - 0.05, z)]), _BLACK, 0.014)
    windows = []
    for side in (-1, 1):
        for inset, tone in ((0.0, (24, 23, 22)), (0.03, (70, 64, 58))):
            x0, x1, y0, y1 = 0.08 + inset, 0.62 - inset, 1.24 + inset, top - 0.22 - inset
            box = [(x0, y0), (x1, y0), (x1 - 0.03, y1), (x0, y1)]
            windows.append(Patch(np.array([(side * x, y, z) for x, y in box]), tone))
    return [seam, *windows]


def hollow(body: Body) -> Patch:
    """The dark recess around the rear plate."""
    y, z = body.rear_plate_y, body.length + 0.012
    box = [(-0.36, y - 0.09), (0.36, y - 0.09), (0.36, y + 0.1), (-0.36, y + 0.1)]
    return Patch(np.array([(px, py, z) for px, py in box]), (40, 39, 38))


def plate_corners(body: Body, *, at_front: bool) -> Points:
    """The plate's corners (4, 3) as its reader sees them: top left, top right, bottom right, bottom left."""
    half, high = PLATE_M[0] / 2, PLATE_M[1] / 2
    y, z = (body.front_plate_y, -0.03) if at_front else (body.rear_plate_y, body.length + 0.03)
    return np.array([(-half, y + high, z), (half, y + high, z), (half, y - high, z), (-half, y - high, z)])


@lru_cache(maxsize=64)
def mirrors(body: Body, paint: Colour) -> tuple[Patch, ...]:
    """The outside mirrors in the vehicle's paint, as seen from the front or the rear."""
    z, x = body.length * (body.screen[0] + 0.07), body.half_width
    foot = _height(body.deck, body.screen[0] + 0.07) + 0.07
    shape = [(-0.1, -0.05), (0.1, -0.055), (0.14, 0.03), (0.1, 0.085), (-0.05, 0.07)]
    tone = (round(paint[0] * 0.7), round(paint[1] * 0.7), round(paint[2] * 0.7))
    return tuple([Patch(np.array([(s * (x + a), foot + b, z) for a, b in shape]), tone) for s in (-1, 1)])


@lru_cache(maxsize=16)
def screen(body: Body) -> tuple[Patch, ...]:
    """The windscreen: the sky in it, the driver and the seats behind it, wipers."""

    def at(x: float, up: float) -> tuple[float, float, float]:
        share = body.screen[0] + (body.screen[1] - body.screen[0]) * up
        glass = _height(body.roof, share) - _height(body.deck, share)
        risen = min(1.0, max(glass, 0.0) / 0.25)
        rail = (
            float(half_width(body, share)) * ((1 - risen) * 0.8 + risen * (0.93 - 0.24 * min(glass, 0.6)))
            - 0.06 * risen
        )
        return x * rail, _height(body.roof, share) + 0.046 - 0.01 * abs(x), share * body.length

    patches = []
    for step in range(12):
        low, high = 0.1 + step * 0.074, 0.1 + (step + 1) * 0.074 + 0.005
        shade = 36 + 62 * (step / 11) ** 2
        strip = [at(-0.95, low), at(0, low), at(0.95, low), at(0.95, high), at(0, high), at(-0.95, high)]
        patches.append(Patch(np.array(strip), (round(shade * 1.1), round(shade), round(shade * 0.9))))
    for x, tone in ((-0.42, 38), (0.44, 30)):
        seat = [
            (-0.3, 0.12),
            (0.3, 0.12),
            (0.27, 0.44),
            (0.1, 0.47),
            (0.11, 0.62),
            (0.05, 0.68),
            (-0.05, 0.68),
            (-0.11, 0.62),
            (-0.1, 0.47),
            (-0.27, 0.44),
        ]
        patches += [
            Patch(np.array([at(x + a * 0.8, b) for a, b in piece]), (tone, tone, tone))
            for piece in (seat[:4] + seat[8:], seat[3:9])
        ]
    dash = [at(-0.9, 0.06), at(0, 0.03), at(0.9, 0.06), at(0.88, 0.15), at(0, 0.13), at(-0.88, 0.15)]
    patches.append(Patch(np.array(dash), (58, 54, 50)))
    patches += [Patch(np.array([at(x, 0.06), at(x + 0.62, 0.1)]), _BLACK, 0.022) for x in (-0.78, -0.06)]
    return tuple(patches)


def _height(curve: Curve, share: float) -> float:
    return float(np.interp(share, [p[0] for p in curve], [p[1] for p in curve]))


@lru_cache(maxsize=16)
def flank(body: Body) -> tuple[Patch, ...]:
    """Door seams and handles on the right-hand side (positive x)."""
    x, deck = body.half_width + 0.006, _height(body.deck, 0.5)
    seams = [body.side_glass[0] + 0.02, *body.pillars[:2]]
    patches = [
        Patch(np.array([(x, body.sill + 0.1, s * body.length), (x, deck - 0.02, s * body.length)]), _BLACK, 0.012)
        for s in seams
    ]
    handles = [p * body.length - 0.28 for p in body.pillars[:2]]
    patches += [Patch(np.array([(x, deck - 0.13, z), (x, deck - 0.13, z + 0.2)]), _TRIM, 0.03) for z in handles]
    return tuple(patches)


def wheel(body: Body, axle: float, turned: float) -> list[Patch]:
    """Arch, tyre, rim and spokes at the right-hand side; `turned` is the wheel's angle in radians."""
    centre = np.array([body.half_width + 0.004, body.wheel, axle * body.length])
    r = body.wheel
    spokes = [
        _side_polygon(
            centre,
            [(0.1 * r, a - 0.5), (0.62 * r, a - 0.13), (0.62 * r, a + 0.13), (0.1 * r, a + 0.5)],
            (176, 175, 173),
        )
        for a in turned + np.arange(5) * 2 * np.pi / 5
    ]
    return [
        _side_disc(centre + np.array([0, 0.02, 0]), r * 1.17, _BLACK, half=True),
        _side_disc(centre, r, (30, 29, 29)),
        _side_disc(centre, r * 0.66, (92, 91, 90)),
        _side_disc(centre, r * 0.6, (46, 45, 45)),
        *spokes,
        _side_disc(centre, r * 0.14, (150, 149, 148)),
    ]


@lru_cache(maxsize=16)
def tyres(body: Body) -> tuple[Patch, ...]:
    """The treads under the bumpers, seen from the front or the rear."""
    w, r = body.half_width, body.wheel
    patches = []
    for z in (body.axles[0] * body.length - 0.8 * r, body.axles[1] * body.length + 0.8 * r):
        for side in (-1, 1):
            box = [(0.7, 0.0), (0.95, 0.0), (0.95, 1.3 * r), (0.7, 1.3 * r)]
            patches.append(Patch(np.array([(side * x * w, y, z) for x, y in box]), (26, 25, 25)))
    return tuple(patches)


def _front_z(body: Body, x: float) -> float:
    shares = np.linspace(0, 0.2, 40)
    return float(np.interp(abs(x), half_width(body, shares), shares * body.length, left=0.0))


def _rear_z(body: Body, x: float) -> float:
    shares = np.linspace(1, 0.8, 40)
    return float(np.interp(abs(x), half_width(body, shares), shares * body.length, left=body.length))


def _sheet(body: Body, outline: list[tuple[float, float]], edge: float, colour: Colour, *, rear: bool = False) -> Patch:
    """A polygon laid on the front or rear: x in half widths, y in heights of the bonnet's edge."""
    w = body.half_width
    place = _rear_z if rear else _front_z
    off = 0.012 if rear else -0.012
    return Patch(np.array([(x * w, y * edge, place(body, x * w) + off) for x, y in outline]), colour)


def _disc(centre: Points, radius: float, colour: Colour) -> Patch:
    angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    return Patch(centre + radius * ring, colour)


def _side_disc(centre: Points, radius: float, colour: Colour, *, half: bool = False) -> Patch:
    angles = np.linspace(-0.25, np.pi + 0.25, 18) if half else np.linspace(0, 2 * np.pi, 28, endpoint=False)
    ring = np.stack([np.zeros_like(angles), np.sin(angles), np.cos(angles)], axis=1)
    return Patch(centre + radius * ring, colour)


def _side_polygon(centre: Points, polar: list[tuple[float, float]], colour: Colour) -> Patch:
    return Patch(centre + np.array([(0, r * np.sin(a), r * np.cos(a)) for r, a in polar]), colour)
