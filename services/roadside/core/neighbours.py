"""Plates that nearly are another: where an index finds all of them, and how many errors lie between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roadside.core.candidates import LONGEST, SHORTEST
from roadside.core.reads import FOLDED_ALPHABET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MOST_EDITS = 3
_SHARED_OUT = {1: (0, 0), 2: (0, 1), 3: (1, 1)}
"""Errors that the first and the last half must admit: of three in two halves, one half has at most one. The last half
is the longer one, and fewer plates share it."""


def transpositions(key: str) -> tuple[str, ...]:
    """`key` with each two neighbouring characters swapped; those that stay the same are left out."""
    swapped = (key[:i] + key[i + 1] + key[i] + key[i + 2 :] for i in range(len(key) - 1))
    return tuple(dict.fromkeys(other for other in swapped if other != key))


def near_halves(key: str, edits: int = MOST_EDITS) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Buckets (heads, tails) that hold every plate at most `edits` (1 to MOST_EDITS) away from the folded `key`.

    An edit is a character that is wrong, missing, too much, or swapped with its neighbour. The buckets are those of
    `roadside.core.candidates.head_bucket` and `tail_bucket`; they hold plates that are farther away as well.
    """
    head_edits, tail_edits = _SHARED_OUT[edits]
    heads: set[str] = set()
    tails: set[str] = set()
    for length in range(max(SHORTEST, len(key) - edits), min(LONGEST, len(key) + edits) + 1):
        half = length // 2
        beginnings = {text for text, _ in _beginnings(key, half, head_edits)} | _crossed(key, half, head_edits)
        endings = {text[::-1] for text, _ in _beginnings(key[::-1], length - half, tail_edits)}
        heads.update(f"{length}{text}" for text in beginnings)
        tails.update(f"{length}{text}" for text in endings)
    return tuple(sorted(heads)), tuple(sorted(tails))


def edit_distances(key: str, plates: Sequence[str], most: int = MOST_EDITS) -> NDArray[np.intp]:
    """(len(plates),): the errors between the folded `key` and each plate; `most` + 1 where there are more.

    Optimal string alignment: a wrong, missing or added character and two neighbours swapped are one error each
    (Damerau, A technique for computer detection and correction of spelling errors, 1964).
    """
    result = np.full(len(plates), most + 1, dtype=np.intp)
    by_length: dict[int, list[int]] = {}
    for place, plate in enumerate(plates):
        if abs(len(plate) - len(key)) <= most:
            by_length.setdefault(len(plate), []).append(place)
    for length, places in by_length.items():
        joined = "".join(plates[place] for place in places)
        characters = np.frombuffer(joined.encode("ascii", "replace"), np.uint8).reshape(len(places), length)
        result[places] = distances(key, characters, most)
    return result


def distances(key: str, characters: NDArray[np.uint8], most: int = MOST_EDITS) -> NDArray[np.intp]:
    """As `edit_distances`, for (N, length) ASCII codes of N plates.

    A column of the dynamic programme is two words of bits, the steps up and down from one row to the next (Hyyrö, A
    bit-vector algorithm for computing Levenshtein and Damerau edit distances, 2003): tens of thousands of plates share
    the buckets of one in a large registry.
    """
    count, length = characters.shape
    size = len(key)
    if not size:
        return np.full(count, min(length, most + 1), np.intp)
    where = np.zeros(256, np.uint64)
    for row, character in enumerate(key.encode("ascii", "replace")):
        where[character] |= np.uint64(1 << row)
    one, last_row = np.uint64(1), np.uint64(1 << (size - 1))
    up, down, diagonal, before = (np.full(count, bits, np.uint64) for bits in ((1 << size) - 1, 0, 0, 0))
    errors = np.full(count, size, np.intp)
    for column in range(length):
        same = where[characters[:, column]]
        swapped = ((~diagonal & same) << one) & before
        diagonal = (((same & up) + up) ^ up) | same | down | swapped
        more, fewer = down | ~(diagonal | up), diagonal & up
        errors += (more & last_row).astype(bool)
        errors -= (fewer & last_row).astype(bool)
        more = (more << one) | one
        up, down, before = (fewer << one) | ~(diagonal | more), more & diagonal, same
    return np.minimum(errors, most + 1)


def _beginnings(key: str, size: int, edits: int) -> Iterator[tuple[str, int]]:
    """Texts of `size` characters at most `edits` (0 or 1) from a beginning of `key`, and how much of it each used."""
    if size < 0:
        return
    if len(key) >= size:
        exact = key[:size]
        yield exact, size
        if edits:
            yield from ((other, size) for other in transpositions(exact))
            yield from ((exact[:i] + c + exact[i + 1 :], size) for i in range(size) for c in FOLDED_ALPHABET)
    if not edits:
        return
    if len(key) > size:
        yield from ((key[:i] + key[i + 1 : size + 1], size + 1) for i in range(size + 1))
    if 0 < size <= len(key) + 1:
        yield from ((key[:i] + c + key[i : size - 1], size - 1) for i in range(size) for c in FOLDED_ALPHABET)


def _crossed(key: str, size: int, edits: int) -> set[str]:
    """Beginnings of which the last character has changed places with the first one behind them."""
    return {text + key[used + 1] for text, used in _beginnings(key, size - 1, edits) if used + 1 < len(key)}
