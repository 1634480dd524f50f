"""Vignettes as they are sold: plates in blocks of a hundred numbers, of the countries that use the road."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from models.synth import formats
from models.verdict.background import HELD, HELD_ELSEWHERE, SHARES
from models.verdict.packed import MOST_CHARACTERS, pack
from roadside.core.confusions import codes
from roadside.core.plates import fold

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.verdict.packed import PackedRegistry

SAMPLES = 2_000
"""Plates of a country that its numbers are drawn from..."""
HEAD = 3
"""... so many characters of one of them, for districts are no mixture, the others each of another."""
MOST_HELD = 0.7
BASE = 1_000_000
"""Vignettes at which the shares of a block are those of `models.verdict.background`; they grow with the root of it."""


@dataclass(frozen=True, slots=True)
class Series:
    """Plates of one country with letters and digits in the same places."""

    country: str
    samples: NDArray[np.uint8] = field(repr=False)
    """(n, length) columns of ALPHABET, folded."""
    digits: tuple[int, ...]
    """The last two places of digits: the numbers of a block."""

    def draw(self, count: int, rng: Generator) -> NDArray[np.uint8]:
        """(count, length) plates."""
        rows = rng.integers(0, len(self.samples), (count, self.samples.shape[1]))
        rows[:, :HEAD] = rows[:, :1]
        return np.take_along_axis(self.samples, rows, axis=0)


def all_series(rng: Generator) -> dict[str, list[tuple[Series, float]]]:
    """The series of each country, with the share of its plates that they are."""
    found: dict[str, list[tuple[Series, float]]] = {}
    for country in SHARES:
        groups: dict[str, list[str]] = defaultdict(list)
        for _ in range(SAMPLES):
            text = fold(formats.of_country(rng, country).text)
            if 4 <= len(text) <= MOST_CHARACTERS:
                groups["".join("D" if c.isdigit() else "L" for c in text)].append(text)
        kept = {shape: texts for shape, texts in groups.items() if len(texts) >= SAMPLES // 200}
        total = sum(map(len, kept.values()))
        found[country] = [(_series(country, shape, texts), len(texts) / total) for shape, texts in kept.items()]
    return found


def issued(size: int, seed: int, series: dict[str, list[tuple[Series, float]]]) -> PackedRegistry:
    """A registry of about `size` vignettes. All that a smaller one of the same seed holds a larger one holds, too."""
    total = sum(SHARES.values())
    kinds = [(country, one, share) for country, some in series.items() for one, share in some]
    parts = [
        _blocks(one, round(size * SHARES[country] / total * share), held(country, size), (seed, number))
        for number, (country, one, share) in enumerate(kinds)
    ]
    return pack(parts)


def held(country: str, size: int) -> float:
    """Share of a block's numbers that have a vignette."""
    return min(MOST_HELD, HELD.get(country, HELD_ELSEWHERE) * math.sqrt(size / BASE))


def _series(country: str, shape: str, texts: list[str]) -> Series:
    digits = tuple(place for place, kind in enumerate(shape) if kind == "D")[-2:]
    return Series(country, np.array([codes(text) for text in texts], np.uint8), digits)


def _blocks(series: Series, wanted: int, share: float, seed: tuple[int, int]) -> NDArray[np.uint8]:
    """About `wanted` plates: the first blocks of an endless row of them, and of each the numbers that come first."""
    numbers = 10 ** len(series.digits)
    count = max(1, round(wanted / max(1.0, numbers * share)))
    beginnings = series.draw(count, np.random.default_rng((*seed, 0)))
    if not series.digits:
        return beginnings
    turns = np.random.default_rng((*seed, 1)).random((count, numbers), np.float32)
    block, number = np.nonzero(turns < share)
    plates = beginnings[block]
    for place, digit in zip(reversed(series.digits), range(len(series.digits)), strict=True):
        plates[:, place] = number // 10**digit % 10
    return plates
