"""Vehicles with plates of two countries, some of them in the registry, and fast look-ups of what is registered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.reads import ALPHABET

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS = "0123456789"
UK_LETTERS = "ABCDEFGHJKLMNPRSTUVWXY"
FORMATS = (
    ("123456789", "ABCEHJKLMPSTUZ", DIGITS + "ABCDEFHJKLMNPRSTUVXYZ", DIGITS, DIGITS, DIGITS, DIGITS),
    (UK_LETTERS, UK_LETTERS, "01256", DIGITS, UK_LETTERS, UK_LETTERS, UK_LETTERS),
)
"""Allowed characters of each slot, folded: Czech plates since 2001 and UK plates since 2001."""
SLOTS = 7


@dataclass(frozen=True, slots=True)
class Format:
    """Plates of one country as dense numbers."""

    code_of: NDArray[np.int64] = field(repr=False)
    """(SLOTS, 36): the place of a character among those allowed in a slot, -1 where it is not allowed."""
    character_of: tuple[NDArray[np.uint8], ...] = field(repr=False)
    """For each slot the columns of ALPHABET that are allowed."""
    strides: NDArray[np.int64] = field(repr=False)
    size: int

    def decode(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(n, SLOTS) columns of ALPHABET."""
        columns = [
            allowed[(numbers // stride) % len(allowed)]
            for allowed, stride in zip(self.character_of, self.strides, strict=True)
        ]
        return np.stack(columns, axis=1)

    def encode(self, plates: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The number of each of (n, SLOTS) plates, -1 where it is no plate of this format."""
        codes = self.code_of[np.arange(SLOTS), plates]
        numbers: NDArray[np.int64] = (codes * self.strides).sum(axis=1)
        numbers[(codes < 0).any(axis=1)] = -1
        return numbers


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every vehicle of one country that uses the road."""

    form: Format
    numbers: NDArray[np.int64] = field(repr=False)
    """(vehicles,) dense plate numbers; the first `registered` of them have a vignette."""
    registered: int
    bits: NDArray[np.uint8] = field(repr=False)

    def is_registered(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each plate number (-1 never) has a vignette."""
        safe = np.maximum(numbers, 0)
        found: NDArray[np.bool_] = (self.bits[safe >> 3] >> (safe & 7).astype(np.uint8)) & 1 > 0
        return found & (numbers >= 0)


def make_format(slots: tuple[str, ...]) -> Format:
    """The format whose slots allow these characters."""
    code_of = np.full((SLOTS, len(ALPHABET)), -1, np.int64)
    for slot, allowed in enumerate(slots):
        for code, character in enumerate(allowed):
            code_of[slot, ALPHABET.index(character)] = code
    sizes = np.array([len(allowed) for allowed in slots], np.int64)
    strides = np.concatenate([np.cumprod(sizes[::-1])[::-1][1:], [1]]).astype(np.int64)
    characters = tuple(np.array([ALPHABET.index(c) for c in allowed], np.uint8) for allowed in slots)
    return Format(code_of, characters, strides, int(np.prod(sizes)))


def make_fleet(slots: tuple[str, ...], registered: int, unregistered: int, rng: np.random.Generator) -> Fleet:
    """A fleet with distinct plates."""
    form = make_format(slots)
    wanted = registered + unregistered
    numbers = np.unique(rng.integers(0, form.size, int(wanted * 1.2) + 100))
    rng.shuffle(numbers)
    numbers = numbers[:wanted]
    bits = np.zeros(form.size // 8 + 1, np.uint8)
    paid = numbers[:registered]
    np.bitwise_or.at(bits, paid >> 3, (1 << (paid & 7)).astype(np.uint8))
    return Fleet(form, numbers, registered, bits)
