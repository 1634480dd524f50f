"""How the errors of one plate come together, counted on spoilt real plates: what a read may be a misreading of.

A shadow, a strip of tape or a bolt spoils several characters at once, in all frames, and mostly neighbours; a product
of single characters' probabilities says little of two of them. So whole errors are counted: how many characters were
taken for others, missed and invented, and whether they stood together.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from roadside.core.confusions import codes, slips
from roadside.core.reads import ALPHABET, FOLDED_ALPHABET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST_ERRORS = 3
UNSEEN = 0.5
"""Times that a kind of error is believed to have been seen which was not, where nothing was counted."""
LETTERS_WEIGHT = 20.0
"""Misread characters that what looks alike counts for beside those that were counted."""
ANY_LETTER = 0.1
"""Upper estimate that one certain character is read for another, where it is not told which stands for which."""


class Place(StrEnum):
    """Where the errors of a plate are."""

    END = "end"
    """Side by side at an end of it."""
    RUN = "run"
    """Side by side within it."""
    APART = "apart"


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What was done to a plate, whatever its characters."""

    substituted: int
    missed: int
    invented: int
    place: Place

    @property
    def errors(self) -> int:
        """Of all sorts."""
        return self.substituted + self.missed + self.invented

    @property
    def name(self) -> str:
        """As a file has it: 1s2m0i-end is one character misread and two missed, side by side at an end."""
        return f"{self.substituted}s{self.missed}m{self.invented}i-{self.place.value}"


@dataclass(frozen=True, slots=True)
class JointErrors:
    """Counts of whole errors among reads that would accuse, were the registry empty."""

    reads: float
    right: float
    """Of `reads`, those of the true plate."""
    kinds: Mapping[str, float]
    """Of `reads`, by the name of the error's kind."""
    read_given_truth: NDArray[np.float64] = field(repr=False)
    """(36, 36) folded: row t tells what is read where t stands and is misread; rows sum to 1."""
    unseen: float = UNSEEN
    """Times that each kind is believed to have been seen beside those that it was."""

    def probability(self, read: str, plate: str) -> float:
        """How probable it is that `plate` (both folded) is read as `read`, for each time that it is read right.

        0 where more than MOST_ERRORS lie between them, and where it is a single one: of single characters the posterior
        tells, which keeps something for each (`roadside.core.fusion.SLOT_DOUBT`).
        """
        kind = error_kind(read, plate)
        if kind is None or kind.errors == 1:
            return 0.0
        rate = (self.kinds.get(kind.name, 0.0) + self.unseen) / (self.right + self.unseen)
        return rate / _places(kind, len(plate)) * self._letters(kind, read, plate)

    def _letters(self, kind: ErrorKind, read: str, plate: str) -> float:
        """The share of the errors of `kind` at one place that give just these characters."""
        invented = len(FOLDED_ALPHABET) ** -kind.invented
        if kind.missed or kind.invented:
            return float(ANY_LETTER**kind.substituted * invented)
        pairs = [(a, b) for a, b in zip(plate, read, strict=True) if a != b]
        return math.prod(float(self.read_given_truth[codes(a)[0], codes(b)[0]]) for a, b in pairs)


def error_kind(read: str, plate: str) -> ErrorKind | None:
    """What makes `read` of `plate`, in the fewest errors; None where they are alike or more than MOST_ERRORS."""
    shorter = min(len(read), len(plate))
    start = next((i for i in range(shorter) if read[i] != plate[i]), shorter)
    end = next((i for i in range(shorter - start) if read[-1 - i] != plate[-1 - i]), shorter - start)
    said, stands = len(read) - start - end, len(plate) - start - end
    substituted, missed, invented = _fewest(read[start : start + said], plate[start : start + stands])
    errors = substituted + missed + invented
    if not 0 < errors <= MOST_ERRORS:
        return None
    if errors < max(said, stands):
        return ErrorKind(substituted, missed, invented, Place.APART)
    # A doubled character may be either of the two: of a place within and one at an end the end is likelier.
    at_end = not start or not end or read.endswith(plate) or plate.endswith(read)
    return ErrorKind(substituted, missed, invented, Place.END if at_end else Place.RUN)


def from_json(text: str, half: int | None = None) -> JointErrors:
    """What `models/verdict/joint.py` counted, on all vehicles or on one `half` of them.

    Raises ValueError where the text is something else.
    """
    try:
        data: Mapping[str, Any] = json.loads(text)
        halves = [data["halves"][chosen] for chosen in ((0, 1) if half is None else (half,))]
        kinds: dict[str, float] = {}
        counts = slips_of_truth() * LETTERS_WEIGHT
        for part in halves:
            for name, count in part["kinds"].items():
                kinds[name] = kinds.get(name, 0.0) + float(count)
            for truth, read, count in part["substitutions"]:
                counts[codes(truth)[0], codes(read)[0]] += float(count)
        reads, right = (sum(float(part[name]) for part in halves) for name in ("reads", "right"))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"not counts of joint errors: {error}") from error
    return JointErrors(reads, right, kinds, counts / counts.sum(axis=1, keepdims=True), unseen_times(kinds))


def unseen_times(kinds: Mapping[str, float]) -> float:
    """How often each kind of several errors is believed to have been seen beside those that it was.

    All kinds that were not seen are together about as frequent as those that were seen once (Good, The population
    frequencies of species and the estimation of population parameters, 1953); one more is added, for these are few.
    """
    seen = [kinds[name] for name in _OF_SEVERAL if kinds.get(name, 0.0) > 0]
    once = sum(count <= 1.0 for count in seen)
    return min(UNSEEN, (once + 1) / max(1, len(_OF_SEVERAL) - len(seen)))


def typical() -> JointErrors:
    """What is believed of a reader that was never measured: about as the shipped one errs."""
    kinds = {"0s1m0i-end": 7.0, "0s2m0i-end": 3.0, "0s0m1i-end": 1.0, "1s0m0i-run": 4.0, "1s0m0i-end": 2.0}
    return JointErrors(100.0, 80.0, kinds, slips_of_truth())


def slips_of_truth() -> NDArray[np.float64]:
    """(36, 36): what is read where a character stands, nothing else being known: look-alikes first, itself never."""
    likely = slips()
    likely[np.diag_indices(len(ALPHABET))] = 0.0
    return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float64)


_OF_SEVERAL = tuple(
    kind.name
    for s, m, i in product(range(MOST_ERRORS + 1), repeat=3)
    for kind in (ErrorKind(s, m, i, place) for place in Place)
    if 1 < kind.errors <= MOST_ERRORS
)
"""The names of all kinds of two and three errors."""


def _fewest(read: str, plate: str) -> tuple[int, int, int]:
    """Substituted, missed and invented characters of a cheapest alignment (Levenshtein)."""
    row = [(i, 0, i, 0) for i in range(len(plate) + 1)]
    for i, said in enumerate(read, start=1):
        above, row = row, [(i, 0, 0, i)]
        for j, stands in enumerate(plate, start=1):
            wrong = int(said != stands)
            cost, substituted, missed, invented = above[j - 1]
            row.append(
                min(
                    (cost + wrong, substituted + wrong, missed, invented),
                    (row[j - 1][0] + 1, row[j - 1][1], row[j - 1][2] + 1, row[j - 1][3]),
                    (above[j][0] + 1, above[j][1], above[j][2], above[j][3] + 1),
                )
            )
    return row[-1][1:]


def _places(kind: ErrorKind, length: int) -> int:
    """In how many places of a plate of `length` characters such an error can be."""
    if kind.place is Place.END:
        return 2
    if kind.place is Place.RUN:
        return max(1, length - kind.errors - 1)
    return max(1, math.comb(length, kind.errors))
