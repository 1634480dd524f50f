"""The shapes of vehicles: sections along their length, and what each strip of the surface is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Curve = tuple[tuple[float, float], ...]

PAINT, GLASS, PLASTIC = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Body:
    """A vehicle's shape; curves run from the front (0) to the rear (1) of its length, heights and widths in metres."""

    length: float
    half_width: float
    deck: Curve
    """Height of bonnet, belt line and boot."""
    roof: Curve
    """Height of the glasshouse; nothing where it is below the deck."""
    screen: tuple[float, float]
    """Where the windscreen begins and ends."""
    rear_screen: tuple[float, float]
    pillars: tuple[float, ...]
    axles: tuple[float, float]
    front_plate_y: float = 0.42
    rear_plate_y: float = 0.78
    wheel: float = 0.32
    sill: float = 0.2
    side_glass: tuple[float, float] = (0.3, 0.88)


# Seen from above: half the width, as a share of the widest.
_PLAN: Curve = (
    (0, 0.74), (0.015, 0.82), (0.04, 0.89), (0.1, 0.95), (0.2, 0.98), (0.45, 1.0), (0.8, 0.99), (0.93, 0.95),
    (0.975, 0.9), (0.99, 0.85), (1, 0.78),
)  # fmt: skip

BODIES: dict[str, Body] = {
    "hatchback": Body(
        4.1, 0.88, ((0, 0.66), (0.03, 0.76), (0.22, 0.93), (0.3, 0.96), (0.95, 1.0), (1, 0.94)),
        ((0.22, 0.9), (0.27, 0.97), (0.44, 1.42), (0.52, 1.47), (0.7, 1.46), (0.87, 1.38), (0.985, 1.0), (1, 0.9)),
        (0.24, 0.455), (0.86, 0.985), (0.57, 0.79), (0.19, 0.82),
    ),
    "saloon": Body(
        4.7, 0.9, ((0, 0.62), (0.03, 0.72), (0.24, 0.9), (0.3, 0.93), (0.8, 0.98), (0.97, 0.98), (1, 0.9)),
        ((0.26, 0.88), (0.3, 0.94), (0.45, 1.38), (0.55, 1.43), (0.68, 1.41), (0.84, 1.02), (0.9, 0.9)),
        (0.27, 0.46), (0.7, 0.845), (0.55, 0.71), (0.18, 0.8), side_glass=(0.33, 0.78),
    ),
    "estate": Body(
        4.7, 0.9, ((0, 0.64), (0.03, 0.74), (0.22, 0.92), (0.28, 0.95), (0.97, 1.0), (1, 0.92)),
        ((0.23, 0.9), (0.27, 0.96), (0.42, 1.42), (0.55, 1.47), (0.8, 1.46), (0.92, 1.4), (0.99, 1.0), (1, 0.9)),
        (0.245, 0.43), (0.915, 0.99), (0.53, 0.72), (0.18, 0.79), side_glass=(0.3, 0.93),
    ),
    "suv": Body(
        4.5, 0.94, ((0, 0.84), (0.03, 0.95), (0.2, 1.08), (0.28, 1.1), (0.96, 1.14), (1, 1.06)),
        ((0.22, 1.0), (0.26, 1.1), (0.4, 1.6), (0.5, 1.66), (0.8, 1.65), (0.9, 1.58), (0.985, 1.14), (1, 1.0)),
        (0.235, 0.415), (0.895, 0.985), (0.54, 0.75), (0.19, 0.81), 0.55, 0.92, 0.36, 0.3,
    ),
    "van": Body(
        5.0, 0.98, ((0, 0.86), (0.02, 1.0), (0.16, 1.16), (0.2, 1.18), (0.99, 1.2), (1, 1.15)),
        ((0.14, 1.1), (0.17, 1.2), (0.3, 1.85), (0.36, 1.94), (0.98, 1.96), (1, 1.9)),
        (0.155, 0.315), (2.0, 2.0), (0.42,), (0.17, 0.79), 0.52, 0.95, 0.34, 0.26, side_glass=(0.2, 0.41),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mesh:
    """Quads of a vehicle in its own axes: x to both sides of its middle, y up, z from the front (0) to the rear."""

    quads: Points
    """(n, 4, 3) metres."""
    normals: Points
    """(n, 3), outwards, unit length."""
    materials: NDArray[np.int64]
    """(n,) PAINT, GLASS or PLASTIC."""


def half_width(body: Body, share: float | Points) -> Points:
    """Half the width of the body at a share of its length, metres."""
    return np.asarray(_along(_PLAN, share) * body.half_width)


def _along(curve: Curve, share: float | Points) -> Points:
    return np.interp(share, [p[0] for p in curve], [p[1] for p in curve])


def mesh(body: Body, stations: int = 44) -> Mesh:
    """The surface of `body`, both sides, closed at the ends."""
    ends = np.array([0, 0.006, 0.015, 0.028, 0.05]) if stations > 20 else np.array([0, 0.02])
    shares = np.unique(np.concatenate([ends, 1 - ends, np.linspace(0, 1, stations), body.screen, body.rear_screen[:1]]))
    shares = shares[shares <= 1.0]
    sections = np.stack([_section(body, float(share)) for share in shares])  # (stations, points, 3)
    quads, materials = [], []
    for i in range(len(shares) - 1):
        middle = float(shares[i] + shares[i + 1]) / 2
        for j in range(sections.shape[1] - 1):
            quads.append([sections[i, j], sections[i + 1, j], sections[i + 1, j + 1], sections[i, j + 1]])
            materials.append(_material(body, middle, j))
    for section in (sections[0], sections[-1]):
        floor = section * [0, 1, 1]  # the end caps, in strips to the middle plane
        quads += [[section[j], section[j + 1], floor[j + 1], floor[j]] for j in range(len(section) - 1)]
        materials += [PLASTIC if j == 0 else PAINT for j in range(len(section) - 1)]
    right = np.array(quads)
    both = np.concatenate([right, right * [-1, 1, 1]])
    centre = np.array([0, 0.55, body.length / 2])
    return Mesh(both, _normals(both, centre), np.array(materials * 2))


def _normals(quads: Points, centre: Points) -> Points:
    """Outward unit normals; those of the flat ends lean outwards, so that light runs off them."""
    normal = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    from_centre = quads.mean(axis=1) - centre
    outwards = (from_centre * [1, 1, 0.2] * normal).sum(axis=1)
    normal *= np.where(outwards < 0, -1, 1)[:, None]
    ends = np.abs(normal[:, 2]) > 0.98
    normal[ends] = normal[ends] * [0, 0, 1] + from_centre[ends] * [0.3, 0.5, 0]
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9))


def _section(body: Body, share: float) -> Points:
    """The right half of the outline at a share of the length, from the sill to the middle of the roof, (10, 3)."""
    width, deck = float(half_width(body, share)), float(_along(body.deck, share))
    roof = max(float(_along(body.roof, share)) if body.roof[0][0] <= share else 0.0, deck)
    glass = roof - deck
    risen = min(1.0, glass / 0.25)
    rail = width * (0.93 - 0.24 * min(glass, 0.6))
    low = body.sill + 0.06 * max(0.0, 1 - min(share, 1 - share) / 0.04)
    points = [
        (width * 0.9, low),
        (width * 0.975, low + 0.09),
        (width, 0.5 * (low + deck)),
        (width * 0.985, deck - 0.09),
        (width * 0.945, deck),
        (width * 0.92, deck + 0.02),
        ((1 - risen) * width * 0.87 + risen * rail, deck + 0.9 * glass + 0.025),
        ((1 - risen) * width * 0.8 + risen * (rail - 0.06), deck + 0.985 * glass + 0.03),
        ((1 - risen) * width * 0.42 + risen * rail * 0.5, roof + 0.035),
        (0.0, roof + 0.04),
    ]
    return np.array([(x, y, share * body.length) for x, y in points])


def _material(body: Body, share: float, strip: int) -> int:
    if strip == 0:
        return PLASTIC
    inside = body.side_glass[0] < share < body.side_glass[1]
    if strip == 5 and inside and all(abs(share - pillar) > 0.012 for pillar in body.pillars):
        return GLASS
    screens = (body.screen, body.rear_screen)
    if strip >= 7 and any(start < share < end for start, end in screens):
        return GLASS
    return PAINT
