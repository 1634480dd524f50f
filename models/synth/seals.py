"""Seals between the groups of a plate: inspection stickers, coats of arms, holograms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.synth.canvas import Bgr, Colour, disc, polygon
from models.synth.noise import clamp

if TYPE_CHECKING:
    from numpy.random import Generator

_RED: Colour = (50, 40, 190)
_PALE: Colour = (205, 208, 208)
# The inspection stickers change their colour every year.
_STICKERS: tuple[Colour, ...] = (
    (60, 60, 190), (60, 130, 230), (150, 90, 40), (80, 160, 60), (60, 200, 230), (140, 140, 140), (90, 90, 160),
)  # fmt: skip


def seal(rng: Generator, image: Bgr, kind: str, place: tuple[float, float], size: float) -> None:
    """Whatever stands between groups, centred at `place` (x, y pixels); `size` is its room in pixels. In place."""
    {"cz": _czech, "de": _german, "checker": _croatian, "pl": _polish}.get(kind, _crest)(rng, image, place, size)


def _czech(rng: Generator, image: Bgr, place: tuple[float, float], size: float) -> None:
    """The technical inspection's hexagon (in front a place without it) above the emission's or a blank disc."""
    x, y = place
    if rng.random() < 0.75:
        colour = (60, 50, int(rng.integers(150, 200))) if rng.random() < 0.85 else _STICKERS[int(rng.integers(7))]
        _hexagon(image, (x, y - size * 0.36), size * 0.27, colour)
        if rng.random() < 0.8:
            disc(image, (x, y - size * 0.36), size * 0.12, (205, 205, 215))
    _disc(rng, image, (x, y + size * 0.36), size * 0.27, (195, 203, 203) if rng.random() < 0.8 else (120, 150, 90))


def _german(rng: Generator, image: Bgr, place: tuple[float, float], size: float) -> None:
    x, y = place
    _disc(rng, image, (x, y - size * 0.42), size * 0.36, _STICKERS[int(rng.integers(7))])
    _disc(rng, image, (x, y + size * 0.45), size * 0.4, _PALE)
    if rng.random() < 0.6:
        _shield(image, (x, y + size * 0.45), size * 0.2, _STICKERS[int(rng.integers(7))])


def _croatian(rng: Generator, image: Bgr, place: tuple[float, float], size: float) -> None:
    x, y = place
    _shield(image, place, size * 0.4, _RED)
    cell = size * 0.13
    for row in range(-2, 3):
        for column in range(-2, 3):
            if (row + column) % 2 and rng.random() < 0.95:
                corner = np.array([x + (column - 0.5) * cell, y + (row - 0.7) * cell])
                polygon(image, corner + np.array([(0, 0), (cell, 0), (cell, cell), (0, cell)]), (235, 235, 235))


def _polish(rng: Generator, image: Bgr, place: tuple[float, float], size: float) -> None:
    """The rectangular hologram; rarely the round stamp of older plates; often nothing that a camera sees."""
    x, y = place
    kind = rng.random()
    if kind < 0.7:
        half = np.array([size * 0.18, size * 0.26])
        shade = int(rng.integers(120, 225))
        colour = (shade, shade - int(rng.integers(0, 20)), shade - int(rng.integers(0, 30)))
        polygon(image, np.array(place) + half * [(-1, -1), (1, -1), (1, 1), (-1, 1)], colour)
    elif kind < 0.8:
        _disc(rng, image, (x, y + size * rng.uniform(-0.5, 0.5)), size * 0.33, (200, 190, 180))


def _crest(rng: Generator, image: Bgr, place: tuple[float, float], size: float) -> None:
    """A coat of arms, on a white disc on some plates."""
    if rng.random() < 0.5:
        _disc(rng, image, place, size * 0.45, (215, 215, 215))
    _shield(image, place, size * 0.33, _RED)
    _shield(image, (place[0], place[1] + size * 0.1), size * 0.17, (170, 90, 40))


def _disc(rng: Generator, image: Bgr, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    """A round sticker with its rim and, on some, an inner ring."""
    shade = rng.normal(0, 18)
    fill = [clamp(c + shade, 0, 255) for c in colour]
    disc(image, centre, radius, fill)
    disc(image, centre, radius, [c * 0.6 for c in fill], 1)
    if rng.random() < 0.5:
        disc(image, centre, radius / 2, [c * 0.75 for c in fill], 1)


def _hexagon(image: Bgr, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    angles = np.arange(6) * np.pi / 3
    polygon(image, np.array(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), colour)


def _shield(image: Bgr, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    shape = np.array([(-0.8, -1), (0.8, -1), (0.8, 0.2), (0, 1.1), (-0.8, 0.2)])
    polygon(image, shape * radius + centre, colour)
