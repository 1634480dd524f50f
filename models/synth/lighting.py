"""Light on a scene: exposure, colour of the light, shadows, glare and flash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.canvas import Bgr, Corners, Field, polygon

if TYPE_CHECKING:
    from numpy.random import Generator


def lit(rng: Generator, image: Bgr, corners: Corners, hardness: float) -> Field:
    """The picture under some light, float32 BGR, about 0 to 255 and beyond; `corners` are the plate's."""
    light = image.astype(np.float32)
    height, width = image.shape[:2]
    if rng.random() < 0.45:
        across = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.1), width, dtype=np.float32)
        down = np.linspace(rng.uniform(0.7, 1.1), rng.uniform(0.7, 1.1), height, dtype=np.float32)
        light *= (down[:, None] * across)[..., None]
    if rng.random() < 0.18:
        light *= _shadow_edge(rng, width, height)[..., None]
    if rng.random() < 0.1:
        light *= _overhang(rng, width, height, corners)[..., None]
    if rng.random() < 0.1 * hardness:
        light += _glare(rng, width, height)[..., None]
    if rng.random() < 0.09:
        light *= _flash(rng, width, height, corners)[..., None]
    return _exposed(rng, light, hardness)


def _exposed(rng: Generator, light: Field, hardness: float) -> Field:
    gain = np.exp(rng.normal(0.03, 0.25 * max(hardness, 0.3)))
    balance = np.exp(rng.normal(0, 0.055, 3))
    if rng.random() < 0.08:  # lamps, or a broken balance
        balance *= rng.uniform([0.5, 0.8, 0.9], [1.1, 1.0, 1.2])
    light *= (gain * balance).astype(np.float32)
    if rng.random() < 0.35:  # haze, glass, a shallow curve
        contrast = rng.uniform(0.4, 0.95)
        light = light * np.float32(contrast) + np.float32(rng.uniform(0, 120) * (1 - contrast))
    return light


def _shadow_edge(rng: Generator, width: int, height: int) -> Field:
    """Factors of a shadow that covers one side of a random line."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.arange(width, dtype=np.float32)[None] - np.float32(rng.uniform(0, width))
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(rng.uniform(0, height))
    distance = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    soft = np.clip(distance / np.float32(rng.uniform(1, 0.1 * width + 2)) + 0.5, 0, 1)
    return np.asarray(1 - (1 - rng.uniform(0.3, 0.75)) * soft, np.float32)


def _overhang(rng: Generator, width: int, height: int, corners: Corners) -> Field:
    """Factors of the shadow that the edge above a recessed plate throws on its upper part."""
    factor = np.ones((height, width), np.float32)
    depth = rng.uniform(0.08, 0.6)
    left, right = corners[0] + (corners[3] - corners[0]) * depth, corners[1] + (corners[2] - corners[1]) * depth
    slope = (right[1] - left[1]) / max(right[0] - left[0], 1.0)
    edge = [(-1, left[1] - slope * (left[0] + 1)), (width, left[1] + slope * (width - left[0])), (width, -1), (-1, -1)]
    polygon(factor, edge, (rng.uniform(0.35, 0.8),))
    return np.asarray(cv2.blur(factor, (3, 3)), np.float32)


def _glare(rng: Generator, width: int, height: int) -> Field:
    """What a reflection adds: a round or drawn-out spot."""
    radii = rng.uniform([0.05, 0.1], [0.4, 0.6]) * (width, height)
    x = (np.arange(width, dtype=np.float32)[None] - np.float32(rng.uniform(0, width))) / np.float32(radii[0])
    y = (np.arange(height, dtype=np.float32)[:, None] - np.float32(rng.uniform(0, height))) / np.float32(radii[1])
    return np.asarray(np.float32(rng.uniform(40, 220)) * np.exp(-(x * x + y * y)), np.float32)


def _flash(rng: Generator, width: int, height: int, corners: Corners) -> Field:
    """Factors of a night with flash or headlights: the plate shines, the rest sinks."""
    factor = np.full((height, width), rng.uniform(0.08, 0.5), np.float32)
    polygon(factor, corners, (rng.uniform(0.9, 1.35),), smooth=False)
    return factor
