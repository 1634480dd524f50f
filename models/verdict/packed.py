"""A registry of millions of plates in memory, each a number: it answers as the one in a database does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.nearness import is_shifted, reach_of
from roadside.core.neighbours import MOST_EDITS, distances
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
_AT_ONCE = 100_000
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

    def texts(self) -> Iterator[list[str]]:
        """All plates, in order, many at a time."""
        for start in range(0, len(self.forwards), _AT_ONCE):
            yield _texts(self.forwards[start : start + _AT_ONCE])

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`; every vignette is valid at any time."""
        del passage
        found = {key for key in query.keys if len(key) <= MOST_CHARACTERS and key in self}
        found.update(_texts(self._begun(query.heads)), _texts(self._ended(query.tails)))
        for key in query.near:
            found.update(_texts(self._near(key)))
        return RegistryAnswer(tuple(Vignette(p, ANY_COUNTRY, "", 0, NEVER_NS) for p in sorted(found)), ())

    def _near(self, key: str) -> NDArray[np.uint64]:
        """Those within `reach_of` the key, at most MOST_EDITS from it or shifted against it."""
        reach = reach_of(key)
        held = [packed(k) for k in reach.keys if len(k) <= MOST_CHARACTERS and k in self]
        parts = (self._begun(reach.heads), self._ended(reach.tails), np.array(held, np.uint64))
        numbers = np.unique(np.concatenate(parts))
        lengths = (numbers >> np.uint64(_LENGTH_AT)).astype(np.intp)
        within = np.zeros(len(numbers), bool)
        for length in np.unique(lengths).tolist():
            mine = lengths == length
            characters = _characters(numbers[mine], length)
            near = distances(key, characters) <= MOST_EDITS
            far = np.flatnonzero(~near)
            near[far] = [is_shifted(key, text) for text in _texts(numbers[mine][far])]
            within[mine] = near
        return np.asarray(numbers[within])

    def _begun(self, buckets: Sequence[str]) -> NDArray[np.uint64]:
        return _between(self.forwards, buckets, backwards=False)

    def _ended(self, buckets: Sequence[str]) -> NDArray[np.uint64]:
        return _reversed(_between(self.backwards, buckets, backwards=True))


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


def _characters(numbers: NDArray[np.uint64], size: int) -> NDArray[np.uint8]:
    """(n, size): ASCII codes of the first characters of each, 0 behind its end."""
    letters = np.frombuffer(b"\0" + ALPHABET.encode(), np.uint8)
    shifts = np.array([_LENGTH_AT - _BITS * (place + 1) for place in range(size)], np.uint64)
    return np.ascontiguousarray(letters[((numbers[:, None] >> shifts) & np.uint64(63)).astype(np.intp)])


def _texts(numbers: NDArray[np.uint64]) -> list[str]:
    texts = _characters(numbers, MOST_CHARACTERS).view(f"S{MOST_CHARACTERS}").ravel()
    found: list[str] = texts.astype(f"U{MOST_CHARACTERS}").tolist()
    return found
