"""Registered plates that the one that was read may be a part of, or a misreading of in more than one place.

One cause, a shadow, a bolt, a strip of tape, spoils several characters at once, and mostly neighbours; so the errors of
one plate are not independent, and a product of the characters' probabilities says little of two of them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import combinations, product
from typing import TYPE_CHECKING

from roadside.core.candidates import LONGEST
from roadside.core.confusions import LOOK_ALIKES
from roadside.core.neighbours import edit_distances, near_halves, transpositions
from roadside.core.reads import FOLDED_ALPHABET
from roadside.core.vignettes import CandidateQuery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_MISSED = 3
"""Characters that a fragment may lack, or have too many; of 608 false accusations on spoilt real plates all but five
lacked so many or fewer."""
SHORTEST_KEY = 3
LEAST_KEPT = 4
MOST_SHIFTED = 2
"""Characters that are read at one end where there are none (a band and its letter, a crest), and that are cut off at
the other."""
_DIGITS, _LETTERS, _BOTH = FOLDED_ALPHABET[:10], FOLDED_ALPHABET[10:], "01"
_ALIKE = {c: "".join(pair.replace(c, "", 1) for pair in LOOK_ALIKES.split() if c in pair) for c in FOLDED_ALPHABET}


class Relation(StrEnum):
    """How a registered plate may be the one that was read."""

    SWAPPED = "paid-if-swapped"
    """They differ in two neighbours that changed places: no reader sees them so, people type them so."""
    PART = "part-of-paid-plate"
    """One holds all characters of the other in their order."""
    FAMILY = "part-of-exempt-family"
    """It would be of an exempt family with one to three characters more, or one less."""
    STRETCH = "near-paid-plate"
    """They differ in one stretch, in the number of its characters too."""
    SHIFTED = "paid-plate-shifted"
    """All but one or two characters at an end of either stand beside each other: they were cut off, and at the other
    end some were read that are none."""
    ALIKE = "paid-plate-looks-alike"
    """They differ in two or three characters, each of which looks like the other."""
    LENGTH = "paid-plate-of-other-length"
    """They differ in two places, and in the number of characters."""
    JOINT = "paid-plate-may-be-misread"
    """By the counts of joint errors such plates together are too probable: `roadside.core.joint_errors`."""
    TWO_ERRORS = "paid-plate-two-errors-away"
    """They differ in two characters, a digit for a digit or a letter for a letter."""


def relation(read: str, plate: str) -> Relation | None:
    """How the registered `plate` may be what was `read` (both folded), short of being one character from it."""
    if read == plate:
        return None
    if is_part(read, plate) or is_part(plate, read):
        return Relation.PART
    if len(read) != len(plate):
        if is_shifted(read, plate):
            return Relation.SHIFTED
        if _one_stretch(read, plate):
            return Relation.STRETCH
        return Relation.LENGTH if edit_distances(read, [plate], 2)[0] <= 2 else None
    return _of_one_length(read, plate)


def _of_one_length(read: str, plate: str) -> Relation | None:
    wrong = [(a, b) for a, b in zip(read, plate, strict=True) if a != b]
    if plate in transpositions(read):
        return Relation.SWAPPED
    if is_shifted(read, plate):
        return Relation.SHIFTED
    if 2 <= len(wrong) <= MOST_MISSED and all(b in _ALIKE.get(a, "") for a, b in wrong):
        return Relation.ALIKE
    if len(wrong) == 2 and all(b in _of_a_kind(a) for a, b in wrong):
        return Relation.TWO_ERRORS
    return None


def is_part(part: str, whole: str) -> bool:
    """Whether `whole` holds the characters of `part` in their order and one to MOST_MISSED more."""
    if not 0 < len(whole) - len(part) <= MOST_MISSED:
        return False
    rest = iter(whole)
    return all(character in rest for character in part)


def is_shifted(read: str, plate: str) -> bool:
    """Whether one to MOST_SHIFTED characters of either, at opposite ends, are all that the other does not have."""
    return any(
        len(plate) == len(core) + lost and (plate.startswith(core) if at_start else plate.endswith(core))
        for core, lost, at_start in _cores(read)
    )


@lru_cache(maxsize=64)
def _cores(read: str) -> tuple[tuple[str, int, bool], ...]:
    """What is left of `read` without its end, how many more characters a plate has, and whether they come after it."""
    found = []
    for added, lost in product(range(1, MOST_SHIFTED + 1), repeat=2):
        least = LEAST_KEPT - (added == lost == 1)
        if len(read) - added >= least and len(read) - added + lost <= LONGEST:
            found += [(read[added:], lost, True), (read[:-added], lost, False)]
    return tuple(found)


def cores(read: str) -> tuple[str, ...]:
    """What a plate that is SHIFTED against the folded `read` has in common with it, each once."""
    return tuple(dict.fromkeys(core for core, _, _ in _cores(read)))


def may_be_unread(plate: str, unread: Sequence[str], edits: int) -> bool:
    """Whether the folded `plate` may be one of the `unread` rows of a list.

    Those are folded plates, or pieces of plates where a row was cut; of an empty one nothing is known, and it may be
    any. So many `edits` are allowed between them.
    """
    if not unread:
        return False
    if "" in unread or bool((edit_distances(plate, unread, edits) <= edits).any()):
        return True
    return any(len(piece) >= LEAST_KEPT and is_part(piece, plate) for piece in unread)


def near_family(read: str, pattern: str) -> bool:
    """Whether the folded `read` lacks one to MOST_MISSED characters of the family `pattern` (folded), or has one more.

    Two characters that the pattern names must be there; one is enough where one character is missing.
    """
    if any(fnmatchcase(read[:place] + read[place + 1 :], pattern) for place in range(len(read))):
        return any(c not in "?*" for c in pattern)
    body, end = pattern.removesuffix("*"), "*" if pattern.endswith("*") else ""
    for missed in range(1, min(MOST_MISSED, len(body)) + 1):
        for kept in combinations(body, len(body) - missed):
            if sum(c != "?" for c in kept) >= min(missed, 2) and fnmatchcase(read, "".join(kept) + end):
                return True
    return False


def nearness_query(read: str) -> CandidateQuery:
    """What to ask a registry for every plate with a `relation` to the folded `read`.

    One that can only be asked for single plates is asked for those that the read may hold and more, and for swapped
    neighbours; what is longer than the read it cannot tell.
    """
    keys = dict.fromkeys((*transpositions(read), *_parts_of(read), *_shifted(read)))
    return CandidateQuery(tuple(keys), (), (), 0.0, near=(read,))


def look_alikes(read: str) -> Iterator[str]:
    """The folded plates that differ from `read` in two or three characters, each of which looks like the other."""
    for count in range(2, MOST_MISSED + 1):
        for places in combinations(range(len(read)), count):
            for others in product(*(_ALIKE.get(read[place], "") for place in places)):
                characters = list(read)
                for place, other in zip(places, others, strict=True):
                    characters[place] = other
                yield "".join(characters)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where an index finds every plate with a `relation` to a read, and every one at most two errors from it."""

    keys: tuple[str, ...]
    heads: tuple[str, ...]
    """Buckets of `roadside.core.candidates.head_bucket`; they hold plates that are farther away as well."""
    tails: tuple[str, ...]
    """The same of `tail_bucket`."""


def reach_of(read: str) -> Reach:
    """Where to look for plates like the folded `read`.

    Three errors are looked for where one cause makes them: a stretch, missing or added characters, look-alikes. Any
    three would be in ten times as many buckets, and not one of 720 spoilt passages that would have accused had three
    apart (models/shipped/joint_errors.json).
    """
    heads, tails = map(set, near_halves(read, 2))
    for length, first, last in (*_stretched(read), *_lengthened(read)):
        heads.update(f"{length}{text}" for text in first)
        tails.update(f"{length}{text}" for text in last)
    for core, lost, at_start in _cores(read):
        length = len(core) + lost
        half = length // 2
        (heads if at_start else tails).add(f"{length}{core[:half] if at_start else core[half - length :]}")
    keys = dict.fromkeys((*transpositions(read), *_parts_of(read), *look_alikes(read)))
    return Reach(tuple(keys), tuple(sorted(heads)), tuple(sorted(tails)))


def _stretched(read: str) -> Iterator[tuple[int, list[str], list[str]]]:
    """Lengths, heads and tails of the plates that differ from `read` in one stretch of MOST_MISSED."""
    for start, gone, put in product(range(len(read) + 1), range(MOST_MISSED + 1), range(MOST_MISSED + 1)):
        end = len(read) - start - gone
        if end < 0 or max(gone, put) < MOST_MISSED or start + end <= LEAST_KEPT:
            continue
        length = start + put + end
        half = length // 2
        rest = read[len(read) - end :] if end else ""
        inside, outside = half - start, start + put - half  # characters of the stretch in either half
        if inside <= 0:
            yield length, [read[:half]], []
        elif outside <= 0:
            yield length, [], [rest[len(rest) - (length - half) :]]
        elif inside < outside:
            yield length, [read[:start] + c for c in FOLDED_ALPHABET], []
        else:
            yield length, [], [c + rest for c in FOLDED_ALPHABET]


def _lengthened(read: str) -> Iterator[tuple[int, list[str], list[str]]]:
    """The same of plates that hold `read` and MOST_MISSED more: one of their halves has one of them at most."""
    length = len(read) + MOST_MISSED
    if length > LONGEST:
        return
    half = length // 2
    yield length, _with_one_more(read, half), [text[::-1] for text in _with_one_more(read[::-1], length - half)]


def _with_one_more(read: str, size: int) -> list[str]:
    """Beginnings of `size` characters of `read` as it is, and with one character more."""
    added = [read[:place] + c + read[place : size - 1] for place in range(size) for c in FOLDED_ALPHABET]
    return [text for text in (read[:size], *added) if len(text) == size]


def _shifted(read: str) -> Iterator[str]:
    """The folded plates that are SHIFTED against `read` and lost one character."""
    for core, lost, at_start in _cores(read):
        if lost == 1:
            yield from (core + c if at_start else c + core for c in FOLDED_ALPHABET)


def _parts_of(read: str) -> Iterator[str]:
    for lost in range(1, MOST_MISSED + 1):
        if len(read) - lost < SHORTEST_KEY:
            return
        for kept in combinations(range(len(read)), len(read) - lost):
            yield "".join(read[place] for place in kept)


def _of_a_kind(character: str) -> str:
    """Digits for a digit, letters for a letter; 0 and 1 are both, for O, Q and I are folded into them."""
    kind = FOLDED_ALPHABET if character in _BOTH else _DIGITS if character.isdigit() else _LETTERS + _BOTH
    return kind.replace(character, "")


def _one_stretch(read: str, plate: str) -> bool:
    """Whether the two are alike but for one stretch of at most MOST_MISSED characters in either.

    LEAST_KEPT others must be there, and one more where the stretch is that long: less is the same by chance.
    """
    shorter = min(len(read), len(plate))
    start = next((i for i in range(shorter) if read[i] != plate[i]), shorter)
    end = next((i for i in range(shorter - start) if read[-1 - i] != plate[-1 - i]), shorter - start)
    kept, stretch = start + end, max(len(read), len(plate)) - start - end
    return stretch <= MOST_MISSED and kept >= LEAST_KEPT + (stretch == MOST_MISSED)
