"""Real reads of real plates, moved onto plates of a simulated fleet: the errors stay, the characters change.

A sequence is what the product fused of the frames of a spoilt real vehicle: its text, its posterior, its alternatives,
how many looks agreed, what the pictures showed. Aligned to the true plate, each slot of its posterior keeps its
probabilities and gets other characters: the true one becomes that of the new plate in the same place; the one that was
read instead becomes one that looks as much or as little like the new true one, a digit where it was a digit; the
others change places accordingly. What was missed stays missed; what was invented stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.confusions import LOOK_ALIKES, codes, folding_matrix
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET, FOLDED_ALPHABET, FusedPlate, Hypothesis

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

_ALIKE = {frozenset(pair) for pair in LOOK_ALIKES.split()}


@dataclass(frozen=True, slots=True)
class Sequence:
    """What was fused of the frames of one spoilt real vehicle."""

    vehicle: int
    half: int
    condition: str
    frames: int
    country: str
    """Of the vehicle."""
    truth: str
    """Its plate, folded."""
    plate: FusedPlate = field(repr=False)

    @property
    def right(self) -> bool:
        """Whether the true plate was read."""
        return fold(self.plate.text) == self.truth


Swaps = list["NDArray[np.intp] | None"]


class Transplant:
    """A sequence, ready to be moved onto many plates."""

    def __init__(self, sequence: Sequence) -> None:
        self.sequence = sequence
        self._read = fold(sequence.plate.text)
        self._places = aligned(self._read, sequence.truth)
        self._rows = np.asarray(sequence.plate.posterior, np.float64) @ folding_matrix()
        others = ((h, fold(h.text)) for h in sequence.plate.alternatives if h.text)
        self._others = [(h, text, aligned(text, sequence.truth)) for h, text in others]

    def swaps(self, plate: str, rng: Generator) -> Swaps:
        """For each character that was read how characters change where its vehicle has the folded `plate`."""
        truth = self.sequence.truth
        return [
            _exchange(truth[place], character, plate[place], rng) if place is not None else None
            for character, place in zip(self._read, self._places, strict=True)
        ]

    def text(self, swaps: Swaps) -> str:
        """What is read then."""
        return "".join(_changed(c, swap) for c, swap in zip(self._read, swaps, strict=True))

    def fused(self, swaps: Swaps, plate: str, country: str) -> FusedPlate:
        """All that is fused of such a vehicle of `country`: a country that was read right stays right."""
        source, home = self.sequence.plate, self.sequence.country
        moved = self._rows.copy()
        for slot, swap in enumerate(swaps[: len(moved)]):
            if swap is not None:
                moved[slot][swap] = self._rows[slot]
        by_place = {p: swap for p, swap in zip(self._places, swaps, strict=True) if p is not None and swap is not None}
        others = tuple(
            Hypothesis(self._other(text, places, by_place, plate), country, h.log_p) for h, text, places in self._others
        )
        text = self.text(swaps)
        return replace(
            source,
            text=text,
            raw=text,
            country=country if source.country == home else source.country,
            posterior=moved.astype(np.float32),
            alternatives=others,
            countries=tuple((country if name == home else name, p) for name, p in source.countries),
        )

    def _other(self, text: str, places: list[int | None], swaps: dict[int, NDArray[np.intp]], plate: str) -> str:
        """A further reading of the plate."""
        moved = []
        for character, place in zip(text, places, strict=True):
            if place is None or place in swaps:
                moved.append(_changed(character, swaps[place] if place is not None else None))
            else:
                moved.append(plate[place] if character == self.sequence.truth[place] else character)
        return "".join(moved)


def aligned(read: str, truth: str) -> list[int | None]:
    """For each character of `read` the place of the true plate that it was read from; None where it was invented."""
    costs = np.zeros((len(read) + 1, len(truth) + 1), int)
    costs[:, 0], costs[0, :] = np.arange(len(read) + 1), np.arange(len(truth) + 1)
    for i, a in enumerate(read, 1):
        for j, b in enumerate(truth, 1):
            costs[i, j] = min(costs[i - 1, j] + 1, costs[i, j - 1] + 1, costs[i - 1, j - 1] + (a != b))
    places: list[int | None] = [None] * len(read)
    i, j = len(read), len(truth)
    while i and j:
        if costs[i, j] == costs[i - 1, j - 1] + (read[i - 1] != truth[j - 1]):
            i, j = i - 1, j - 1
            places[i] = j
        elif costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return places


def _exchange(truth: str, read: str, plate: str, rng: Generator) -> NDArray[np.intp]:
    """(36,): the new column of each column of ALPHABET where `truth` stood, `read` was read and `plate` is to stand."""
    moved = np.arange(len(ALPHABET))
    _swap(moved, truth, plate)
    if read != truth:
        _swap(moved, ALPHABET[int(moved[codes(read)[0]])], _error(truth, read, plate, rng))
    return moved


def _swap(moved: NDArray[np.intp], one: str, other: str) -> None:
    """Whatever became `one` becomes `other`, and the other way round."""
    a, b = codes(one + other)
    at_a, at_b = moved == a, moved == b
    moved[at_a], moved[at_b] = b, a


def _error(truth: str, read: str, plate: str, rng: Generator) -> str:
    """What is read of `plate` where `read` was read of `truth`: as alike, and a digit or a letter as the other was."""
    alike = frozenset(truth + read) in _ALIKE
    choices = [c for c in FOLDED_ALPHABET if c != plate and (frozenset(c + plate) in _ALIKE) == alike]
    same = read.isdigit() == truth.isdigit()
    fitting = [c for c in choices if (c.isdigit() == plate.isdigit()) == same]
    pool = fitting or choices or [c for c in FOLDED_ALPHABET if c != plate]
    return pool[int(rng.integers(len(pool)))]


def _changed(character: str, swap: NDArray[np.intp] | None) -> str:
    return character if swap is None else ALPHABET[int(swap[codes(character)[0]])]
