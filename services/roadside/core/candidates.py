"""From a fused posterior to every plate that it allows: softened beliefs, the search, and exact scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.confusions import codes, folding_matrix
from roadside.core.plates import fold
from roadside.core.poses import independent_looks
from roadside.core.reads import ALPHABET
from roadside.core.vignettes import CandidateQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.confusions import Confusions
    from roadside.core.reads import FusedPlate

SHORTEST, LONGEST = 3, 12
"""Plates shorter or longer than this are no plates of any country."""
LEAST_MISSED, LEAST_INVENTED = 3e-3, 1e-3
"""A sure read of a wrong length was seen once in 305 held-out plates: no count is large enough to deny it."""
LIKELY_HALF = 0.02
"""Half a plate this probable is asked for with whatever the other half is; a few hundred plates share one."""
MOST_HALVES = 300
PLATES_AMONG_LENGTH_ERRORS = 0.05
"""Share of the strings one character longer or shorter than a plate that can be plates themselves."""


@dataclass(frozen=True, slots=True)
class Belief:
    """A posterior that admits that its reader errs."""

    rows: NDArray[np.float64] = field(repr=False)
    """(slots, 36), folded, rows sum to 1, nowhere 0 but in the columns that folding empties."""
    missed: float
    """Probability that a character is missing at any one gap between slots."""
    invented: float
    """Probability that any one slot holds no character of the plate."""
    offered: tuple[tuple[str, float], ...]
    """Folded plates with the probability that the reader itself gave them, best first."""


def soften(plate: FusedPlate, confusions: Confusions, *, floor: float, persistence: float) -> Belief:
    """The posterior of `plate` as it is to be believed.

    With the chance `persistence` all looks of one passage make the same error, so that they tell no
    more than one of them: that part keeps the certainty of a single look. `floor` of the rest is
    replaced by what is known of the reader's errors: however sure it is, a character keeps at least
    `floor` times the share of the held-out reads in which it was taken for the one that was read.
    """
    folded = np.asarray(plate.posterior, dtype=np.float64) @ folding_matrix()
    folded /= np.maximum(folded.sum(axis=1, keepdims=True), 1e-12)
    rows = soften_rows(folded, np.array(float(plate.looks)), confusions.truth_given_read, (floor, persistence))
    offered: dict[str, float] = {}
    for hypothesis in plate.alternatives:
        key = fold(hypothesis.text)
        offered[key] = offered.get(key, 0.0) + float(np.exp(min(hypothesis.log_p, 0.0)))
    total = max(1.0, sum(offered.values()))
    best = sorted(((key, p / total) for key, p in offered.items()), key=lambda pair: -pair[1])
    missed, invented = length_doubts(confusions, floor)
    return Belief(rows, missed, invented, tuple(best))


def soften_rows(
    rows: NDArray[np.float64],
    looks: NDArray[np.float64],
    truth_given_read: NDArray[np.float64],
    doubts: tuple[float, float],
) -> NDArray[np.float64]:
    """`rows` ((..., slots, 36), folded) of passages with (...) looks, as `soften` with doubts (floor, persistence)."""
    floor, persistence = doubts
    # Fusion raises a look that all frames share to a power; this takes the root again.
    single = rows ** (1.0 / independent_looks(looks))[..., None, None]
    single /= single.sum(axis=-1, keepdims=True)
    believed = (1.0 - persistence) * rows + persistence * single
    flat = believed.reshape(-1, len(ALPHABET))  # one product instead of one a passage
    softened: NDArray[np.float64] = (1.0 - floor) * flat + floor * (flat @ truth_given_read)
    return softened.reshape(rows.shape)


def length_doubts(confusions: Confusions, floor: float) -> tuple[float, float]:
    """Chance of a missed character at a gap, and of an invented one in a slot."""
    return max(floor * confusions.missed, LEAST_MISSED), max(floor * confusions.invented, LEAST_INVENTED)


def score(belief: Belief, keys: Sequence[str]) -> NDArray[np.float64]:
    """(len(keys),): the probability of each folded plate under `belief`, summed over all alignments.

    Every slot holds a character of the plate, or none with probability `invented`; at every gap
    any number of characters may be missing, each with probability `missed`.
    """
    result = np.zeros(len(keys))
    by_length: dict[int, list[int]] = {}
    for place, key in enumerate(keys):
        by_length.setdefault(len(key), []).append(place)
    for length, places in by_length.items():
        matrix = np.array([codes(keys[place]) for place in places], dtype=np.intp).reshape(-1, length)
        result[places] = score_codes(belief, matrix)
    return result


def score_codes(belief: Belief, plates: NDArray[np.intp]) -> NDArray[np.float64]:
    """As `score`, for (N, length) columns of ALPHABET."""
    count, length = plates.shape
    slots = len(belief.rows)
    gap = belief.missed / len(ALPHABET)
    leave, real = 1.0 - belief.missed, 1.0 - belief.invented
    state: NDArray[np.float64] = np.zeros((length + 1, count))
    state[0] = 1.0
    for slot in range(slots + 1):
        for place in range(1, length + 1):
            state[place] += gap * state[place - 1]
        state *= leave
        if slot == slots:
            break
        matched = belief.rows[slot][plates].T * real
        following = state * belief.invented
        following[1:] += matched * state[:-1]
        state = following
    final: NDArray[np.float64] = state[length]
    return final


def candidate_query(belief: Belief, *, best: int, bound: float, most_keys: int) -> CandidateQuery:
    """Every reading with a probability over `bound`, as questions that an index answers.

    Plates with a likely half are asked for by that half; those of which both halves are unlikely are
    few, and are spelt out. One character more or less spares one half, and is reached through it.
    """
    slots = len(belief.rows)
    keys = dict.fromkeys(_best_plates(belief, best))
    half = slots // 2
    least = bound / LIKELY_HALF
    first, last = _halves(belief.rows[:half], least), _halves(belief.rows[half:], least)
    heads = {f"{slots}{text}" for p, text in first if p >= LIKELY_HALF}
    tails = {f"{slots}{text}" for p, text in last if p >= LIKELY_HALF}
    spelt, p_spelt = _pairs(first, last, bound, most_keys)
    keys.update(dict.fromkeys(spelt))
    lost_first, lost_last = (1.0 - sum(p for p, _ in found if p >= LIKELY_HALF) for found in (first, last))
    left_out = max(0.0, lost_first * lost_last - p_spelt)
    for slack, chance in ((1, (slots + 1) * belief.missed), (-1, slots * belief.invented)):
        length = slots + slack
        if SHORTEST <= length <= LONGEST:
            before = _halves(belief.rows[: length // 2], LIKELY_HALF / 4)
            behind = _halves(belief.rows[slots - (length - length // 2) :], LIKELY_HALF / 4)
            heads.update(f"{length}{text}" for _, text in before)
            tails.update(f"{length}{text}" for _, text in behind)
            lost = 1.0 - min(sum(p for p, _ in found) for found in (before, behind))
            left_out += chance * lost * PLATES_AMONG_LENGTH_ERRORS
    order = list(keys)
    scores = score(belief, order)
    ranked = tuple(order[place] for place in np.argsort(-scores, kind="stable"))
    return CandidateQuery(ranked, tuple(sorted(heads)), tuple(sorted(tails)), min(1.0, left_out))


def head_bucket(key: str) -> str:
    """The index entry of the first half of a folded plate, with the plate's length."""
    return f"{len(key)}{key[: len(key) // 2]}"


def tail_bucket(key: str) -> str:
    """The index entry of the last half of a folded plate, with the plate's length."""
    return f"{len(key)}{key[len(key) // 2 :]}"


def _best_plates(belief: Belief, count: int) -> list[str]:
    beam: list[tuple[float, str]] = [(1.0, "")]
    for row in belief.rows:
        likely = [(float(row[c]), ALPHABET[c]) for c in np.argsort(-row)[:12]]
        grown = [(p * q, text + c) for p, text in beam for q, c in likely]
        grown.sort(key=lambda pair: -pair[0])
        beam = grown[:count]
    keys = dict.fromkeys(text for _, text in beam)
    keys.update(dict.fromkeys(text for text, _ in belief.offered))
    return [key for key in keys if key]


def _pairs(
    first: list[tuple[float, str]], last: list[tuple[float, str]], bound: float, most: int
) -> tuple[list[str], float]:
    """Plates of two unlikely halves with a probability of at least `bound`, and their probability."""
    left = [(p, text) for p, text in first if p < LIKELY_HALF]
    right = [(p, text) for p, text in last if p < LIKELY_HALF]
    products = np.outer([p for p, _ in left], [p for p, _ in right]).ravel()
    chosen = np.flatnonzero(products >= bound)
    chosen = chosen[np.argsort(-products[chosen])][:most]
    return [left[c // len(right)][1] + right[c % len(right)][1] for c in chosen], float(products[chosen].sum())


def _halves(rows: NDArray[np.float64], threshold: float) -> list[tuple[float, str]]:
    """Texts of `rows` with a probability of at least `threshold`, the best `MOST_HALVES` of them."""
    found: list[tuple[float, str]] = [(1.0, "")]
    for row in rows:
        likely = [(float(row[c]), ALPHABET[c]) for c in np.argsort(-row)]
        grown = []
        for p, text in found:
            for q, character in likely:
                if p * q < threshold:
                    break
                grown.append((p * q, text + character))
        found = sorted(grown, reverse=True)[:MOST_HALVES]
    return found
