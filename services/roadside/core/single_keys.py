"""What a registry that can only be asked for single plates is asked for, in the order in which it matters.

A registry with an index searches everything within three errors of a plate. One behind an interface for single
plates would have to be asked thousands of times for that, so it is asked what the reader's known errors and the
formats of plates leave, and nobody is accused of whom more than that could matter.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.candidates import PLATES_AMONG_LENGTH_ERRORS, score
from roadside.core.confusions import codes
from roadside.core.nearness import MOST_MISSED, cores, look_alikes
from roadside.core.plates import LEAST_CURRENT, every_form, fold
from roadside.core.reads import ALPHABET, FOLDED, FOLDED_ALPHABET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from roadside.core.candidates import Belief
    from roadside.core.plates import Form
    from roadside.core.vignettes import CandidateQuery

LEAST_GIVEN_OUT = 0.2
"""Weight of a format of which the plates are asked for that a read one may be the rest of: older and rarer ones, and
words made to order, have less."""
_KINDS = ("01", FOLDED_ALPHABET[2:10], FOLDED_ALPHABET[10:])
"""Characters that stand for a letter as well as for a digit, once folded, other digits, other letters."""
_COLUMNS = tuple([ALPHABET.index(c) for c in kind] for kind in _KINDS)
MOST_COMPLETED = 20_000
"""Ways to fill the places that a read leaves open, most of which a list of districts then rules out."""
MOST_WHOLES = 1000
"""A plate that may be the rest of more others than this is part of too many to ask for."""


def single_keys(query: CandidateQuery) -> tuple[str, ...]:
    """The folded plates of `query`, the most important first, each once.

    Of a question what is near a plate: its swapped neighbours and parts, what looks like it, and every plate of
    a usual format that it may be the rest of, or would be without an end that is none. Of one about all that a plate
    may be: the best readings, then the best one with one character otherwise, less or more, or some that look alike. Of
    one about certain plates: these.
    """
    if not query.near:
        doubtful = query.keys[:1] if query.heads or query.tails else ()
        return tuple(dict.fromkeys((*query.keys, *itertools.chain.from_iterable(map(_one_off, doubtful)))))
    more = itertools.chain.from_iterable(
        (*look_alikes(read), *itertools.chain.from_iterable(wholes(part) or () for part in (read, *cores(read))))
        for read in query.near
    )
    return tuple(dict.fromkeys((*query.keys, *more)))


def covered(read: str, asked: Iterable[str]) -> bool:
    """Whether `asked` holds every plate of a usual format of which the folded `read` may be the rest."""
    found = wholes(read)
    return found is not None and set(found) <= set(asked)


def unasked(belief: Belief, asked: Sequence[str]) -> float:
    """The probability that the plate is none of `asked`, to the first order in errors of length.

    Of as many characters those strings count that a format of any country allows, no others are plates; of the strings
    that are a character longer or shorter few are plates (as in `roadside.core.candidates.candidate_query`).
    """
    slots = len(belief.rows)
    places = np.arange(slots)
    allowed = _allowed(slots)
    kinds = np.stack([belief.rows[:, columns].sum(axis=1) for columns in _COLUMNS], axis=1)
    possible = float(kinds[places, allowed].prod(axis=1).sum())
    shapes = {tuple(shape) for shape in allowed.tolist()}
    found = (key for key in asked if len(key) == slots and tuple(map(_kind_of, key)) in shapes)
    left_out = max(0.0, possible - sum(float(np.prod(belief.rows[places, codes(key)])) for key in found))
    for slack, chance in ((1, (slots + 1) * belief.missed), (-1, slots * belief.invented)):
        reached = float(score(belief, [key for key in asked if len(key) == slots + slack]).sum())
        left_out += max(0.0, chance - reached) * PLATES_AMONG_LENGTH_ERRORS
    return min(1.0, left_out)


@lru_cache(maxsize=16)
def _allowed(length: int) -> NDArray[np.intp]:
    """(N, length): for each place the kind of its character, an index of _KINDS, in every way that a format allows."""
    shapes: set[tuple[int, ...]] = set()
    for form in every_form():
        if len(form.slots) == length and (form.series or form.weight >= LEAST_CURRENT):
            shapes.update(itertools.product(*(sorted(set(map(_kind_of, slot))) for slot in _folded(form))))
    return np.array(sorted(shapes), np.intp).reshape(-1, length)


def _kind_of(character: str) -> int:
    return next(index for index, kind in enumerate(_KINDS) if character in kind)


@lru_cache(maxsize=256)
def wholes(read: str) -> tuple[str, ...] | None:
    """Every folded plate of a usual format that holds the folded `read` and one to three characters more at its ends.

    None where they are more than MOST_WHOLES.
    """
    found: dict[str, None] = {}
    for form in every_form():
        more = len(form.slots) - len(read)
        if form.series or form.weight < LEAST_GIVEN_OUT or not 0 < more <= MOST_MISSED:
            continue
        for offset in _offsets(form, read):
            free = _free(form, read, offset)
            if math.prod(map(len, free)) > MOST_COMPLETED:
                return None
            found.update(dict.fromkeys(_completed(form, read, offset, free)))
            if len(found) > MOST_WHOLES:
                return None
    return tuple(found)


def _completed(form: Form, part: str, offset: int, free: Sequence[str]) -> Iterator[str]:
    for characters in itertools.product(*free):
        whole = "".join((*characters[:offset], part, *characters[offset:]))
        if _has_code(form, whole):
            yield whole


def _offsets(form: Form, part: str) -> Iterator[int]:
    """Where in the format `part` may stand."""
    slots = _folded(form)
    for offset in range(len(slots) - len(part) + 1):
        if all(c in slot for c, slot in zip(part, slots[offset:], strict=False)):
            yield offset


def _free(form: Form, part: str, offset: int) -> tuple[str, ...]:
    slots = _folded(form)
    return (*slots[:offset], *slots[offset + len(part) :])


def _has_code(form: Form, whole: str) -> bool:
    if form.code is None:
        return True
    start, names = form.code
    length = len(next(iter(names)))
    return whole[start : start + length] in {fold(name) for name in names}


@lru_cache(maxsize=1024)
def _folded(form: Form) -> tuple[str, ...]:
    return tuple("".join(sorted({FOLDED.get(c, c) for c in slot})) for slot in form.slots)


def _one_off(read: str) -> Iterator[str]:
    for place in range(len(read)):
        for character in FOLDED_ALPHABET:
            yield read[:place] + character + read[place + 1 :]
    for place in range(len(read)):
        yield read[:place] + read[place + 1 :]
    for place in range(len(read) + 1):
        for character in FOLDED_ALPHABET:
            yield read[:place] + character + read[place:]
    yield from look_alikes(read)
