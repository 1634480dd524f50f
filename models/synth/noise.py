"""Cheap randomness: weighted picks, smooth fields and cached grain."""

from __future__ import annotations

from bisect import bisect
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator

    from models.synth.canvas import Field

Key = TypeVar("Key")


def weighted(rng: Generator, shares: Mapping[Key, float]) -> Key:
    """A key of `shares`, by share of any positive scale (Generator.choice takes 60 us for this, too long here)."""
    ladder = list(accumulate(shares.values()))
    return list(shares)[min(bisect(ladder, rng.random() * ladder[-1]), len(ladder) - 1)]


def clamp(value: float, low: float, high: float) -> float:
    """`value` within low..high; np.clip costs ten times as much on a number."""
    return min(max(float(value), low), high)


def soft_noise(rng: Generator, shape: tuple[int, int], grain: float) -> Field:
    """A smooth random field (H, W) in 0..1; `grain` is the size of its cells as a share of the width, about."""
    cells = max(2, round(1 / max(grain, 1e-3)))
    rows = max(2, round(cells * shape[0] / shape[1]) + 1)
    seeds = rng.random((min(rows, shape[0]), min(cells, shape[1])), dtype=np.float32)
    return np.asarray(cv2.resize(seeds, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=1)
def _grain_tile() -> Field:
    """Unit normal noise (1024, 2048), the same in every run: cuts of it are cheaper than fresh noise."""
    return np.random.default_rng(1).standard_normal((1024, 2048), dtype=np.float32)


def grain(rng: Generator, shape: tuple[int, int]) -> Field:
    """Unit normal noise (H, W), cut from a tile at a random place; raises ValueError beyond 1023 x 2047."""
    tile = _grain_tile()
    if shape[0] >= tile.shape[0] or shape[1] >= tile.shape[1]:
        raise ValueError(f"no noise tile for {shape}")
    y = int(rng.integers(tile.shape[0] - shape[0]))
    x = int(rng.integers(tile.shape[1] - shape[1]))
    return tile[y : y + shape[0], x : x + shape[1]]
