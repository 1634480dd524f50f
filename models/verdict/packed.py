"""A registry of millions of plates in memory, each a number: it answers as the one in a database does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.nearness import reach_of
from roadside.core.neighbours import MOST_EDITS, edit_distances
from roadside.core.reads import ALPHABET
from roadside.core.verdict import ANY_COUNTRY
from roadside.core.vignettes import NEVER_NS, RegistryAnswer, Vignette

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from roadside.core.moments import PassageTime
    from roadside.core.vignettes import CandidateQuery

MOST_CHARACTERS = 10
_BITS = 6
_LENGTH_AT = MOST_CHARACTERS * _BITS
_CODE = {character: place + 1 for place, character in enumerate(ALPHABET)}


@dataclass(frozen=True, slots=True)
class PackedRegistry:
    """Folded plates of three to MOST_CHARACTERS characters, all of them paid, of whatever country."""

    forwards: NDArray[np.uint64] = field(repr=False)
    """Length and characters of each plate as one number, in order: plates with one beginning lie together."""
    backwards: NDArray[np.uint64] = field(repr=False)
    """The same with their characters backwards: plates with one end lie together."""

    def __contains__(self, plate: object) -> bool:
        """Whether a plate is held."""
        code = packed(str(plate))
        place = int(np.searchsorted(self.forwards, code))
        return place < len(self.forwards) and bool(self.forwards[place] == code)

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`; every vignette is valid at any time."""
        del passage
        found = {key for key in query.keys if len(key) <= MOST_CHARACTERS and key in self}
        found.update(self._begun(query.heads), self._ended(query.tails))
        for key in query.near:
            reach = reach_of(key)
            near = {*(k for k in reach.keys if k in self), *self._begun(reach.heads), *self._ended(reach.tails)}
            plates = sorted(near)
            within = edit_distances(key, plates) <= MOST_EDITS
            found.update(plate for plate, is_near in zip(plates, within, strict=True) if is_near)
        return RegistryAnswer(tuple(Vignette(p, ANY_COUNTRY, "", 0, NEVER_NS) for p in sorted(found)), ())

    def _begun(self, buckets: Sequence[str]) -> Iterator[str]:
        yield from _texts(_between(self.forwards, buckets, backwards=False))

    def _ended(self, buckets: Sequence[str]) -> Iterator[str]:
        yield from (text[::-1] for text in _texts(_between(self.backwards, buckets, backwards=True)))


def pack(plates: Sequence[NDArray[np.uint8]]) -> PackedRegistry:
    """A registry of (n, length) columns of ALPHABET, each array of one length; double ones count once."""
    forwards = [_packed(columns) for columns in plates]
    numbers = np.unique(np.concatenate(forwards))
    return PackedRegistry(numbers, np.sort(_reversed(numbers)))


def packed(text: str) -> np.uint64:
    """One plate as a number."""
    number = len(text) << _LENGTH_AT
    for place, character in enumerate(text):
        number |= _CODE[character] << (_LENGTH_AT - _BITS * (place + 1))
    return np.uint64(number)


def _packed(columns: NDArray[np.uint8]) -> NDArray[np.uint64]:
    numbers = np.full(len(columns), columns.shape[1] << _LENGTH_AT, np.uint64)
    for place in range(columns.shape[1]):
        numbers |= (columns[:, place].astype(np.uint64) + np.uint64(1)) << np.uint64(_LENGTH_AT - _BITS * (place + 1))
    return numbers


def _reversed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    lengths = (numbers >> np.uint64(_LENGTH_AT)).astype(np.int64)
    turned = numbers & (np.uint64(0xF) << np.uint64(_LENGTH_AT))
    for length in np.unique(lengths).tolist():
        mine = lengths == length
        for place in range(length):
            code = (numbers[mine] >> np.uint64(_LENGTH_AT - _BITS * (place + 1))) & np.uint64(63)
            turned[mine] |= code << np.uint64(_LENGTH_AT - _BITS * (length - place))
    return turned


def _between(numbers: NDArray[np.uint64], buckets: Sequence[str], *, backwards: bool) -> NDArray[np.uint64]:
    """Those of `numbers` (in order) that are in any of the buckets: a length and the first (last) characters."""
    lows, highs = [], []
    for bucket in buckets:
        digits = 2 if bucket[:2] in {"10", "11", "12"} and _is_long(bucket) else 1
        length, text = int(bucket[:digits]), bucket[digits:]
        if length > MOST_CHARACTERS:
            continue
        text = text[::-1] if backwards else text
        low = int(packed(text)) & ((1 << _LENGTH_AT) - 1) | length << _LENGTH_AT
        lows.append(low)
        highs.append(low + (1 << (_LENGTH_AT - _BITS * len(text))))
    if not lows:
        return numbers[:0]
    starts = np.searchsorted(numbers, np.array(lows, np.uint64))
    ends = np.searchsorted(numbers, np.array(highs, np.uint64))
    parts = [numbers[start:end] for start, end in zip(starts, ends, strict=True) if end > start]
    return np.concatenate(parts) if parts else numbers[:0]


def _is_long(bucket: str) -> bool:
    """Whether a bucket that begins with 1 is of a plate with ten characters or more: halves of short ones are short."""
    return len(bucket) - 2 >= int(bucket[:2]) // 2


def _texts(numbers: NDArray[np.uint64]) -> list[str]:
    letters = np.frombuffer(b"\0" + ALPHABET.encode(), np.uint8)
    shifts = np.array([_LENGTH_AT - _BITS * (place + 1) for place in range(MOST_CHARACTERS)], np.uint64)
    codes = ((numbers[:, None] >> shifts) & np.uint64(63)).astype(np.intp)
    texts = np.ascontiguousarray(letters[codes]).view(f"S{MOST_CHARACTERS}").ravel()
    found: list[str] = texts.astype(f"U{MOST_CHARACTERS}").tolist()
    return found
