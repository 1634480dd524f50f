"""How a reader errs: which character it takes for which, how often it drops or invents one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from roadside.core.reads import ALPHABET, FOLDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from roadside.core.joint_errors import JointErrors

_INDEX = {character: place for place, character in enumerate(ALPHABET)}

LOOK_ALIKES = "0D 8B 5S 2Z 6G CG 17 1L 1T 4A VY UV WM MN HN HW EF PR KX 3B 9G 0C 0U 7T 6B JU"
"""Pairs that readers of plates are known to confuse, used until a reader's own counts are given."""


def folding_matrix() -> NDArray[np.float64]:
    """(36, 36): a row of probabilities times it has the columns of O, Q and I moved to 0 and 1."""
    matrix = np.eye(len(ALPHABET))
    for source, target in FOLDED.items():
        matrix[_INDEX[source]] = matrix[_INDEX[target]]
    return matrix


def codes(text: str) -> NDArray[np.intp]:
    """Columns of ALPHABET, one for each character of `text`. Raises KeyError for any other character."""
    return np.array([_INDEX[character] for character in text], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Confusions:
    """A reader's errors on plates that it was not trained on, folded."""

    truth_given_read: NDArray[np.float64] = field(repr=False)
    """(36, 36): row r tells what truly stands where r was read; rows sum to 1."""
    missed: float
    """Characters that were not read, for each character that was."""
    invented: float
    """Characters read where none stands, for each character read."""
    joint: JointErrors | None = None
    """How errors come together; typical where they were not counted."""


def from_counts(counts: NDArray[np.float64], missed: float, invented: float, *, smoothing: float = 0.5) -> Confusions:
    """Confusions of `counts[truth, read]` ((36, 36), folded), never 0 anywhere.

    A pair never seen is believed to occur `smoothing` times, spread over the row by how alike the
    characters look: a short list of held-out reads cannot show that a confusion is impossible.
    """
    fold_to = folding_matrix()
    folded = fold_to.T @ counts @ fold_to
    prior = _look_alike_prior() * smoothing
    evidence = folded.T + prior
    evidence[np.diag_indices(len(ALPHABET))] += smoothing
    return Confusions(evidence / evidence.sum(axis=1, keepdims=True), missed, invented)


def typical() -> Confusions:
    """What is believed of a reader that was never measured: one character in sixty is wrong."""
    return from_counts(np.eye(len(ALPHABET)) * 60.0, missed=0.004, invented=0.004, smoothing=1.0)


def from_json(text: str) -> Confusions:
    """Confusions of the statistics that `models/ocr/confusions.py` writes (docs/verdict.md has the format).

    Raises ValueError where the text is something else.
    """
    try:
        data: Mapping[str, Any] = json.loads(text)
        counts = np.array(data["counts"], dtype=np.float64)
        characters, missed, invented = (float(data[k]) for k in ("characters_read", "missed", "invented"))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not confusion statistics: {error}") from error
    if counts.shape != (len(ALPHABET), len(ALPHABET)) or data.get("alphabet") != ALPHABET:
        raise ValueError(f"not confusion statistics of {len(ALPHABET)} characters")
    return from_counts(counts, (missed + 0.5) / (characters + 1), (invented + 0.5) / (characters + 1))


def slips() -> NDArray[np.float64]:
    """(36, 36): row r tells what stands where r was misread, nothing else being known: look-alikes first, nothing 0."""
    likely = _look_alike_prior() + 0.1 / len(ALPHABET)
    return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float64)


def _look_alike_prior() -> NDArray[np.float64]:
    """(36, 36): half of each row's weight on the characters that look alike, half on all others."""
    alike = np.zeros((len(ALPHABET), len(ALPHABET)))
    for a, b in _pairs(LOOK_ALIKES.split()):
        alike[a, b] = alike[b, a] = 1.0
    others = 1.0 - np.eye(len(ALPHABET))
    for folded in FOLDED:
        others[:, _INDEX[folded]] = 0.0
    total = np.maximum(alike.sum(axis=1, keepdims=True), 1.0)
    prior: NDArray[np.float64] = 0.5 * alike / total + 0.5 * others / others.sum(axis=1, keepdims=True)
    return prior


def _pairs(names: Iterable[str]) -> Iterable[tuple[int, int]]:
    return ((_INDEX[name[0]], _INDEX[name[1]]) for name in names)
