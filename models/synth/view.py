"""A pinhole camera over a street: metres to pixels and back to the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """A camera above x = y = 0 of a street along z; x points right, y up, z away from the camera; metres and pixels."""

    width: int
    height: int
    focal_px: float
    x: float
    y: float
    pitch: float
    """Radians downwards."""
    yaw: float
    """Radians to the left."""

    def scaled(self, factor: int, pad_px: int = 0) -> View:
        """The same view in a picture `factor` times as large, with `pad_px` (of the old pixels) more at every side."""
        width, height = (self.width + 2 * pad_px) * factor, (self.height + 2 * pad_px) * factor
        return View(width, height, self.focal_px * factor, self.x, self.y, self.pitch, self.yaw)

    def turned(self, world: Points) -> Points:
        """World points (n, 3) in the camera's axes: right, up, forward."""
        offset = world - np.array([self.x, self.y, 0.0])
        return np.asarray(offset @ self._axes().T)

    def project(self, world: Points) -> tuple[Points, Points]:
        """Pixels (n, 2) and depths (n,) in metres of world points (n, 3); useless for those nearer than 0.3 m."""
        seen = self.turned(world)
        depth = np.maximum(seen[:, 2], 0.3)
        x = self.width / 2 + self.focal_px * seen[:, 0] / depth
        y = self.height / 2 - self.focal_px * seen[:, 1] / depth
        return np.stack([x, y], axis=1), seen[:, 2]

    def ground(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """World x and z (height, width) float32 of what each pixel sees on the ground; z is inf above the horizon."""
        columns = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal_px
        rows = (self.height / 2 - np.arange(self.height, dtype=np.float32) - 0.5) / self.focal_px
        right, up, forward = (self._axes()[i].astype(np.float32) for i in range(3))
        down = (up[1] * rows + forward[1])[:, None] + right[1] * columns[None]
        reach = np.where(down < -1e-4, np.float32(-self.y) / np.minimum(down, -1e-4), np.float32(np.inf))
        x = reach * (right[0] * columns[None] + (up[0] * rows + forward[0])[:, None]) + np.float32(self.x)
        z = reach * (right[2] * columns[None] + (up[2] * rows + forward[2])[:, None])
        return x.astype(np.float32), z.astype(np.float32)

    def horizon(self) -> float:
        """The row, in pixels, where the ground ends."""
        return self.height / 2 - self.focal_px * math.tan(self.pitch)

    def _axes(self) -> Points:
        return _axes(self.pitch, self.yaw)


@lru_cache(maxsize=16)
def _axes(pitch: float, yaw: float) -> Points:
    """The camera's right, up and forward in the world, as rows."""
    forward = np.array([-math.sin(yaw), -math.sin(pitch), math.cos(pitch) * math.cos(yaw)])
    forward /= np.linalg.norm(forward)
    right = np.cross(np.array([0.0, 1.0, 0.0]), forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])
