"""From a flat plate to a photograph of it: pose, surroundings, light and camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.synth import camera, lighting, posing
from models.synth.surroundings import surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from models.synth.canvas import Bgr, Corners
    from models.synth.posing import Cutout


def photograph(
    rng: Generator, plate: Cutout, width_px: float, hardness: float, backgrounds: Sequence[Bgr] = ()
) -> tuple[Bgr, Corners]:
    """A picture (H, W, 3) with the plate about `width_px` wide and 10 to 40 % margin, and its corners in pixels."""
    if rng.random() < 0.14 * hardness:
        plate = posing.bowed(rng, plate)
    posed = posing.pose(rng, plate.outline, width_px, hardness)
    low, high = posed.min(axis=0), posed.max(axis=0)
    extent = high - low
    # The height alone would make a thin margin around a long plate: it counts half, the width the rest.
    room = 0.5 * (np.maximum(extent[0] * np.array([0.35, 0.25]), extent) + extent)
    origin = low - room * rng.uniform(0.1, 0.4, 2)
    width, height = np.ceil(high + room * rng.uniform(0.1, 0.4, 2) - origin).astype(int).tolist()
    corners = (posed - origin).astype(np.float32)
    scene = surroundings(rng, width, height, corners, backgrounds)
    scene = posing.composited(scene, plate, corners, shadow=0.5 if rng.random() < 0.5 else 0.0)
    return camera.taken(rng, lighting.lit(rng, scene, corners, hardness), width_px, hardness), corners
