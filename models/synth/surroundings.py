"""What lies around a plate in a picture: paintwork, bumpers, grilles, recesses, or a piece of a given photograph."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.synth.noise import soft_noise, weighted

Bgr = NDArray[np.uint8]

# Car paints by rough share on European roads: grey, black, white, silver, blue, red, green, beige, yellow.
_PAINTS = {
    (95, 92, 90): 24, (28, 27, 26): 22, (225, 226, 226): 14, (165, 165, 163): 14, (110, 60, 30): 12, (40, 30, 140): 8,
    (50, 70, 35): 3, (130, 160, 175): 2, (30, 180, 220): 1,
}  # fmt: skip


def surroundings(
    rng: Generator, width: int, height: int, corners: NDArray[np.float32], backgrounds: Sequence[Bgr]
) -> Bgr:
    """A background (height, width, 3) uint8 BGR fitting a plate at `corners`; photographs are used for half if given."""
    if len(backgrounds) and rng.random() < 0.5:
        return _cutting(rng, backgrounds[int(rng.integers(len(backgrounds)))], width, height)
    paint = np.array(weighted(rng, _PAINTS), np.float32)
    paint = np.clip(paint * rng.uniform(0.6, 1.2) + rng.normal(0, 8, 3), 5, 245)
    scene = _paintwork(rng, width, height, paint)
    tilt = float(np.arctan2(corners[1, 1] - corners[0, 1], corners[1, 0] - corners[0, 0]))
    for _ in range(int(rng.integers(1, 4))):
        _crease(rng, scene, tilt, paint)
    if rng.random() < 0.4:
        _grille(rng, scene, tilt)
    if rng.random() < 0.4:
        _recess(rng, scene, corners)
    if rng.random() < 0.2:
        _clutter(rng, scene)
    return np.clip(scene, 0, 255).astype(np.uint8)


def _cutting(rng: Generator, photograph: Bgr, width: int, height: int) -> Bgr:
    rows, columns = photograph.shape[:2]
    scale = max(width / columns, height / rows) * rng.uniform(1.0, 1.5)
    cut_w, cut_h = max(1, int(width / scale)), max(1, int(height / scale))
    x, y = int(rng.integers(columns - cut_w + 1)), int(rng.integers(rows - cut_h + 1))
    return np.asarray(cv2.resize(photograph[y : y + cut_h, x : x + cut_w], (width, height)), np.uint8)


def _paintwork(rng: Generator, width: int, height: int, paint: NDArray[np.float64]) -> NDArray[np.float32]:
    """Paint under a sky: bright above, dark below, with soft reflections."""
    knots = rng.uniform(0.55, 1.25, int(rng.integers(3, 7))).astype(np.float32)
    profile = cv2.resize(knots[:, None], (1, height), interpolation=cv2.INTER_CUBIC)
    shine = 0.75 + 0.5 * soft_noise(rng, (height, width), rng.uniform(0.15, 0.6))
    scene = (profile * shine)[..., None] * paint.astype(np.float32)
    return np.asarray(scene, np.float32)


def _band(scene: NDArray[np.float32], tilt: float, y: float, thick: float, colour: NDArray[np.float64]) -> None:
    """A band across the whole scene, parallel to the plate."""
    width = scene.shape[1]
    rise = np.tan(tilt) * width / 2
    corners = np.array([(-1, y - rise), (width, y + rise), (width, y + rise + thick), (-1, y - rise + thick)])
    cv2.fillConvexPoly(scene, np.round(corners * 16).astype(np.int32), [float(c) for c in colour], cv2.LINE_AA, 4)


def _crease(rng: Generator, scene: NDArray[np.float32], tilt: float, paint: NDArray[np.float64]) -> None:
    """An edge of a panel: a dark gap or a bright reflection, or another material below it."""
    height = scene.shape[0]
    y = rng.uniform(-0.1, 1.1) * height
    kind = rng.random()
    if kind < 0.4:
        _band(scene, tilt, y, max(1.0, rng.uniform(0.01, 0.05) * height), paint * rng.uniform(0.1, 0.5))
    elif kind < 0.65:
        _band(scene, tilt, y, max(1.0, rng.uniform(0.01, 0.06) * height), np.minimum(paint * 1.3 + 40, 255))
    elif kind < 0.85:
        shade = np.full(3, rng.uniform(15, 60))
        _band(scene, tilt, y, height * rng.uniform(0.1, 1.2), shade)
    else:
        _band(scene, tilt, y, height * rng.uniform(0.1, 0.5), paint * rng.uniform(0.6, 0.95))


def _grille(rng: Generator, scene: NDArray[np.float32], tilt: float) -> None:
    height, width = scene.shape[:2]
    y0 = rng.uniform(-0.4, 0.9) * height
    deep = rng.uniform(0.2, 0.6) * height
    back, bar = rng.uniform(5, 35), rng.uniform(30, 170)
    _band(scene, tilt, y0, deep, np.full(3, back))
    pitch = max(2.5, rng.uniform(0.04, 0.16) * height)
    for y in np.arange(y0, y0 + deep, pitch):
        _band(scene, tilt, y, max(0.7, pitch * rng.uniform(0.15, 0.45)), np.full(3, bar))
    if rng.random() < 0.5:
        step = pitch * rng.uniform(0.8, 3)
        for x in np.arange(rng.uniform(0, step), width, step):
            lean = rng.uniform(-0.2, 0.2) * pitch
            cv2.line(scene, (round(x), round(y0)), (round(x + lean), round(y0 + deep)), (bar, bar, bar), 1, cv2.LINE_AA)


def _recess(rng: Generator, scene: NDArray[np.float32], corners: NDArray[np.float32]) -> None:
    """The darker (or lighter) hollow a plate is mounted in."""
    centre = corners.mean(axis=0)
    grown = (
        centre
        + (corners - centre) * rng.uniform([1.05, 1.1], [1.35, 1.7])
        + rng.normal(0, 0.04, 2) * np.ptp(corners, axis=0)
    )
    factor = rng.uniform(0.3, 0.9) if rng.random() < 0.8 else rng.uniform(1.1, 1.4)
    mask = np.ones(scene.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, np.round(grown * 16).astype(np.int32), float(factor), cv2.LINE_AA, 4)
    scene *= mask[..., None]


def _clutter(rng: Generator, scene: NDArray[np.float32]) -> None:
    """Lamps, badges, hands of passers-by: a few patches of any colour near the edges."""
    height, width = scene.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.uniform(0.03, 0.2) * width) + 1, int(rng.uniform(0.05, 0.3) * height) + 1)
        colour = (
            [float(v) for v in rng.integers(0, 256, 3)] if rng.random() < 0.25 else [float(rng.integers(0, 256))] * 3
        )
        cv2.ellipse(
            scene,
            centre,
            axes,
            float(rng.uniform(0, 180)),
            0,
            360,
            colour,
            -1 if rng.random() < 0.6 else 2,
            cv2.LINE_AA,
        )
