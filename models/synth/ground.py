"""The ground of the street: asphalt, markings, kerbs, paving, grass and the shadows on it, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from models.synth.canvas import Bgr, Field
    from models.synth.view import View

ROAD_HALF_M = 3.6
HAZE = np.array([228, 220, 208], np.float32)
HAZE_M = 210.0
_KERB_M = 0.16
_STRIP_ROWS = 48


@dataclass(frozen=True, slots=True)
class Shadows:
    """What throws shadows: walls left of the street as (x, near, far, height) and trees as (x, z), metres."""

    walls: Sequence[tuple[float, float, float, float]]
    trees: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Ground:
    """A street's surface between two walls."""

    walls: tuple[float, float]
    """x of the left-hand and right-hand houses, metres."""
    end_m: float
    shadows: Shadows
    grain: tuple[Field, ...]
    """Tiles of unit normal noise for the textures, fine to coarse, and two for leaves."""

    def paint(self, canvas: Bgr, view: View) -> None:
        """Cover all of `canvas` that sees the ground, in place, a strip of rows at a time."""
        top = max(0, int(view.horizon()))
        x, z = view.ground()
        for row in range(top, view.height, _STRIP_ROWS):
            rows = slice(row, min(row + _STRIP_ROWS, view.height))
            side, far = x[rows], z[rows]
            seen = np.isfinite(far) & (far > 0) & (far < self.end_m) & (side > self.walls[0]) & (side < self.walls[1])
            if seen.any():
                colour = self._colour(np.where(seen, side, 0), np.where(seen, far, 1), view)
                canvas[rows][seen] = np.clip(colour, 0, 255).astype(np.uint8)[seen]

    def _colour(self, side: Field, far: Field, view: View) -> Field:
        pixel = far / np.float32(view.focal_px)  # metres across a pixel
        along = pixel * far / np.float32(view.y)  # and along the street
        fine, middle, coarse = (
            _tiled(tile, side, far, size) * np.clip(1.3 - pixel * 8 / size, 0.05, 1)
            for tile, size in zip(self.grain, (0.07, 0.5, 3.5), strict=False)
        )
        tracks = np.exp(-(((np.abs(np.abs(side) - 1.75) - 0.75) / 0.28) ** 2))
        asphalt = 98 + 20 * fine + 7 * middle + 10 * coarse - 8 * tracks
        road = asphalt[..., None] * np.array([1.0, 0.99, 0.975], np.float32)
        gutter = np.exp(-(((np.abs(side) - ROAD_HALF_M + 0.08) / 0.12) ** 2))
        road = _marked(road, side, (far, along), pixel, middle) * (1 - 0.35 * gutter)[..., None]
        joints = np.maximum(_lines(side, 0.6, pixel), _lines(far, 0.6, along))
        paving = ((150 + 16 * fine + 12 * middle + 12 * coarse) * (1 - 0.3 * joints))[..., None]
        grass = np.array([52, 104, 88], np.float32) * (0.85 + 0.45 * fine + 0.3 * middle)[..., None]
        distance = np.abs(side)
        ground = _over(road, paving * np.array([0.95, 0.985, 1.0], np.float32), _step(distance, ROAD_HALF_M, pixel))
        ground = _over(ground, grass, _step(-side, 6.4, pixel) * (1 - _step(-side, 8.8, pixel)))
        kerb = _step(distance, ROAD_HALF_M, pixel) * (1 - _step(distance, ROAD_HALF_M + _KERB_M, pixel))
        ground = _over(ground, np.full_like(ground, 176), kerb)
        shade = 0.52 * self._shade(side, far)[..., None] * np.array([0.9, 1.0, 1.06], np.float32)
        return _over(ground * (1 - shade), np.broadcast_to(HAZE, ground.shape), 1 - np.exp(-far / HAZE_M))

    def _shade(self, side: Field, far: Field) -> Field:
        """Shadows, 0 to 1: of the left-hand houses, and dappled of the trees."""
        shade = np.zeros_like(side)
        for x, near, end, height in self.shadows.walls:
            edge = np.clip((np.float32(x + (height + 1.2) * 0.54) - side) / 0.25 + 0.5, 0, 1)
            shifted = far - np.float32(1.1) * (side - np.float32(x))
            shade = np.maximum(
                shade, edge * np.clip((shifted - near) / 0.3, 0, 1) * np.clip((end - shifted) / 0.3, 0, 1)
            )
        leaves = _tiled(self.grain[3], side, far, 0.3) + 0.7 * _tiled(self.grain[4], side, far, 0.9)
        for x, z in self.shadows.trees:
            if abs(float(far.min()) - z) > 12 and abs(float(far.max()) - z) > 12 and not far.min() < z < far.max():
                continue
            reach = np.sqrt(((side - np.float32(x + 2.9)) / 2.6) ** 2 + ((far - np.float32(z + 3.0)) / 3.0) ** 2)
            crown = 0.9 * np.clip((1.05 - reach) * 2.2 + 0.5 * leaves, 0, 1)
            trunk = 0.8 * np.clip(1.2 - np.abs(far - z - (side - x) * np.float32(1.1)) / 0.22, 0, 1)
            shade = np.maximum(shade, np.maximum(crown, trunk * ((side > x) & (side < x + 2.5))))
        return np.asarray(shade, np.float32)


def ground(rng: Generator, walls: tuple[float, float], end_m: float, shadows: Shadows) -> Ground:
    """A ground with its own grain."""
    tiles = tuple(rng.standard_normal((256, 256)).astype(np.float32) * np.float32(0.5) for _ in range(5))
    return Ground(walls, end_m, shadows, tiles)


def _over(below: Field, above: Field, share: Field) -> Field:
    cover = share[..., None]
    return np.asarray(below * (1 - cover) + above * cover, np.float32)


def _marked(road: Field, side: Field, far: tuple[Field, Field], pixel: Field, worn: Field) -> Field:
    """The road with a broken centre line and lines along the kerbs; `far` is z and the length of a pixel along it."""
    phase = np.mod(far[0], 9.0)
    dash = _step(phase, 0.0, far[1]) * (1 - _step(phase, 4.0, far[1]))
    paint = (1 - _step(np.abs(side), 0.075, pixel)) * dash
    paint = np.maximum(paint, 1 - _step(np.abs(np.abs(side) - ROAD_HALF_M + 0.45), 0.05, pixel))
    return _over(road, np.full_like(road, 214), paint * np.clip(0.82 + 0.4 * worn, 0, 1))


def _step(value: Field, edge: float, pixel: Field) -> Field:
    """0 below `edge`, 1 above, softened over about a pixel."""
    return np.asarray(np.clip((value - np.float32(edge)) / np.maximum(pixel, 1e-4) + 0.5, 0, 1), np.float32)


def _lines(value: Field, spacing: float, pixel: Field) -> Field:
    """Joints of 24 mm every `spacing` metres, fading where they are too fine to see."""
    distance = np.abs(np.mod(value + spacing / 2, np.float32(spacing)) - np.float32(spacing / 2))
    sharp = np.clip((np.float32(0.012) - distance) / np.maximum(pixel, 1e-4) + 0.5, 0, 1)
    return np.asarray(sharp * np.clip(1.2 - pixel * 4 / np.float32(spacing), 0, 1), np.float32)


def _tiled(tile: Field, side: Field, far: Field, cell_m: float) -> Field:
    """Smooth noise on the ground, about -1 to 1, with cells of `cell_m` metres."""
    across = np.mod(side / np.float32(cell_m), 255).astype(np.float32)
    along = np.mod(far / np.float32(cell_m), 255).astype(np.float32)
    return np.asarray(cv2.remap(tile, across, along, cv2.INTER_LINEAR), np.float32)
