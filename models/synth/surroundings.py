"""What lies around a plate in a picture: paintwork, bumpers, grilles, recesses, or a piece of a given photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from models.synth.canvas import Bgr, Corners, polygon, resized
from models.synth.noise import soft_noise, weighted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

Paint = NDArray[np.float32]
"""(3,) blue, green, red, 0 to 255."""

# Car paints by rough share on European roads: grey, black, white, silver, blue, red, green, beige, yellow.
_PAINTS = {
    (95, 92, 90): 24, (28, 27, 26): 22, (225, 226, 226): 14, (165, 165, 163): 14, (110, 60, 30): 12, (40, 30, 140): 8,
    (50, 70, 35): 3, (130, 160, 175): 2, (30, 180, 220): 1,
}  # fmt: skip


def surroundings(rng: Generator, width: int, height: int, corners: Corners, backgrounds: Sequence[Bgr]) -> Bgr:
    """A background (height, width, 3) for a plate at `corners`; half are cut from `backgrounds`, if there are any."""
    if len(backgrounds) and rng.random() < 0.5:
        return _cutting(rng, backgrounds[int(rng.integers(len(backgrounds)))], width, height)
    paint = np.array(weighted(rng, _PAINTS)) * rng.uniform(0.6, 1.2) + rng.normal(0, 8, 3)
    colour = np.clip(paint, 5, 245).astype(np.float32)
    scene = _paintwork(rng, width, height, colour)
    tilt = float(np.arctan2(corners[1, 1] - corners[0, 1], corners[1, 0] - corners[0, 0]))
    for _ in range(int(rng.integers(1, 4))):
        _crease(rng, scene, tilt, colour)
    if rng.random() < 0.35:
        _grille(rng, scene, tilt)
    if rng.random() < 0.45:
        scene = _recess(rng, scene, corners)
    if rng.random() < 0.2:
        _clutter(rng, scene)
    return scene


def _cutting(rng: Generator, photograph: Bgr, width: int, height: int) -> Bgr:
    rows, columns = photograph.shape[:2]
    scale = max(width / columns, height / rows) * rng.uniform(1.0, 1.5)
    cut_w, cut_h = max(1, min(columns, int(width / scale))), max(1, min(rows, int(height / scale)))
    x, y = int(rng.integers(columns - cut_w + 1)), int(rng.integers(rows - cut_h + 1))
    return resized(np.ascontiguousarray(photograph[y : y + cut_h, x : x + cut_w]), (width, height), cv2.INTER_LINEAR)


def _paintwork(rng: Generator, width: int, height: int, paint: Paint) -> Bgr:
    """Paint under a sky: bright and dark bands with soft reflections."""
    knots = rng.uniform(0.55, 1.25, (int(rng.integers(3, 7)), 1)).astype(np.float32)
    profile = resized(knots, (1, height), cv2.INTER_CUBIC)
    shine = 0.75 + 0.5 * soft_noise(rng, (height, width), rng.uniform(0.15, 0.6))
    return np.clip((profile * shine)[..., None] * paint, 0, 255).astype(np.uint8)


def _band(scene: Bgr, tilt: float, span: tuple[float, float], colour: Paint) -> None:
    """A band across the whole scene, parallel to the plate; `span` is its top and thickness in the middle."""
    width, rise = scene.shape[1], np.tan(tilt) * scene.shape[1] / 2
    top, low = span[0], span[0] + max(span[1], 0.7)
    polygon(scene, [(-1, top - rise), (width, top + rise), (width, low + rise), (-1, low - rise)], colour.tolist())


def _crease(rng: Generator, scene: Bgr, tilt: float, paint: Paint) -> None:
    """An edge of a panel: a dark gap, a bright reflection, or another material below it."""
    height = scene.shape[0]
    y, kind = rng.uniform(-0.1, 1.1) * height, rng.random()
    if kind < 0.4:
        _band(scene, tilt, (y, rng.uniform(0.01, 0.05) * height), paint * np.float32(rng.uniform(0.1, 0.5)))
    elif kind < 0.65:
        _band(scene, tilt, (y, rng.uniform(0.01, 0.06) * height), np.minimum(paint * np.float32(1.3) + 40, 255))
    elif kind < 0.85:
        _band(scene, tilt, (y, height * rng.uniform(0.1, 1.2)), np.full(3, rng.uniform(15, 60), np.float32))
    else:
        _band(scene, tilt, (y, height * rng.uniform(0.1, 0.5)), paint * np.float32(rng.uniform(0.6, 0.95)))


def _grille(rng: Generator, scene: Bgr, tilt: float) -> None:
    """Bars before the dark, crossed by others on half of the cars."""
    height, width = scene.shape[:2]
    top, deep = rng.uniform(-0.4, 0.9) * height, rng.uniform(0.2, 0.6) * height
    bar = rng.uniform(20, 120) if rng.random() < 0.75 else rng.uniform(120, 200)
    _band(scene, tilt, (top, deep), np.full(3, rng.uniform(5, 35), np.float32))
    pitch = max(2.5, rng.uniform(0.06, 0.2) * height)
    thick = pitch * rng.uniform(0.15, 0.45)
    for y in np.arange(top, top + deep, pitch):
        _band(scene, tilt, (float(y), thick), np.full(3, bar, np.float32))
    if rng.random() < 0.5:
        step, lean = pitch * rng.uniform(0.8, 3), rng.uniform(-0.2, 0.2) * pitch
        for x in np.arange(rng.uniform(0, step), width, step):
            end = (round(x + lean), round(top + deep))
            cv2.line(scene, (round(x), round(top)), end, (bar, bar, bar), 1, cv2.LINE_AA)


def _recess(rng: Generator, scene: Bgr, corners: Corners) -> Bgr:
    """The darker (or lighter) hollow a plate is mounted in."""
    centre, extent = corners.mean(axis=0), np.ptp(corners, axis=0)
    hollow = centre + (corners - centre) * rng.uniform([1.05, 1.1], [1.35, 1.7]) + rng.normal(0, 0.04, 2) * extent
    shade = rng.uniform(0.3, 0.9) if rng.random() < 0.8 else rng.uniform(1.1, 1.4)
    factor = np.full(scene.shape, 100, np.uint8)
    polygon(factor, hollow, [100 * shade] * 3)
    return np.asarray(cv2.multiply(scene, factor, scale=0.01), np.uint8)


def _clutter(rng: Generator, scene: Bgr) -> None:
    """Lamps, badges, passers-by: a few patches, mostly grey."""
    height, width = scene.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.uniform(0.03, 0.2) * width) + 1, int(rng.uniform(0.05, 0.3) * height) + 1)
        colour = rng.integers(0, 256, 3).tolist() if rng.random() < 0.25 else [int(rng.integers(0, 256))] * 3
        line = -1 if rng.random() < 0.6 else 2
        cv2.ellipse(scene, centre, axes, rng.uniform(0, 180), 0, 360, colour, line, cv2.LINE_AA)
