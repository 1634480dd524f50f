"""Drawing by weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator


class WeightedSampler:
    """Places 0 to N - 1, each drawn as often as its weight says, on any positive scale."""

    def __init__(self, weights: Sequence[float]) -> None:
        shares = np.asarray(weights, np.float64)
        self._cumulated = np.cumsum(shares / shares.sum())

    def draw(self, rng: Generator) -> int:
        """A place."""
        return min(int(np.searchsorted(self._cumulated, rng.random())), len(self._cumulated) - 1)
