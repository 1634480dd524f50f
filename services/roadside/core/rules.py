"""What decided a verdict: the name of each rule, and what it means in words that need no manual.

One table for everything that names a rule to people: lists, the review, `roadside evidence explain`. Rules that speak
of times, of pictures or of plates like the one that was read are named where they are found, in
`roadside.core.moments`, `roadside.core.extent` and `roadside.core.nearness`; their words are here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """The rules that are no doubt of a picture or a time and no relation of plates, in the order of docs/verdict.md."""

    NO_LIST = "no-list"
    REGISTRY_UNAVAILABLE = "registry-unavailable"
    REGISTRY_STALE = "registry-stale"
    REGISTRY_BEGINS_LATER = "registry-begins-later"
    REGISTRY_ROWS_UNREAD = "registry-rows-unread"
    NOTHING_READ = "nothing-read"
    PAID = "paid"
    EXEMPT = "exempt"
    PAID_READING_POSSIBLE = "paid-reading-possible"
    SPECIAL_SERIES = "special-series"
    """Followed by a hyphen and the series: special-series-diplomatic."""
    NO_KNOWN_PLATE = "no-known-plate"
    READING_UNSURE = "reading-unsure"
    ONE_LOOK = "one-look"
    GRACE_OPEN = "grace-open"
    PARTS_NOT_SEARCHED = "parts-not-searched"
    SECOND_READER_DISAGREES = "second-reader-disagrees"
    NO_PAID_READING = "no-paid-reading"
    READ_BY_PERSON = "read-by-person"


@dataclass(frozen=True, slots=True)
class Words:
    """A rule in plain words."""

    brief: str
    """A few words for a column of a table."""
    sentence: str
    """What was found, and what follows from it."""


_WORDS = {
    "no-list": Words(
        "no list of vignettes",
        "Plates are read here and no list of vignettes is held, so nothing is asked about the vehicle and nothing is "
        "said of it.",
    ),
    "registry-unavailable": Words(
        "the registry did not answer",
        "The registry could not be asked, or holds no list yet. Nothing is said of the vehicle; the registry is asked "
        "again.",
    ),
    "recording-time-unknown": Words(
        "when it was taken is not known",
        "The recording does not say when it was taken, and no vignette is valid now, so nothing is said of the "
        "vehicle. Read it again with --recorded-at and its time.",
    ),
    "clock-too-early": Words(
        "the clock stood in the past",
        "The camera's computer gave a time that is known to be over, so when the vehicle passed is not known "
        "and nothing is said of it.",
    ),
    "clock-jumped": Words(
        "the clock was set",
        "The clock of the camera's computer was set while the vehicle passed or shortly before, so when it "
        "passed is not known for certain and nothing is said of it.",
    ),
    "clock-disagrees": Words(
        "two clocks disagree",
        "The clock of the camera's computer differs from that of the machine that carries the events, so when the "
        "vehicle passed is not known and nothing is said of it.",
    ),
    "clock-not-synchronised": Words(
        "the clock is not synchronised",
        "The system of the camera's computer says that its clock is not synchronised, so when the vehicle passed is "
        "not known for certain and nothing is said of it.",
    ),
    "registry-stale": Words(
        "the registry's list is too old",
        "No vignette was found, but the newest list is older than it may be, so it cannot show that nobody paid since. "
        "The registry is asked again.",
    ),
    "registry-begins-later": Words(
        "the list begins after the passage",
        "No vignette was found, but every vignette of the list begins after the vehicle passed, so it cannot show that "
        "nobody had paid then. The registry is asked again.",
    ),
    "registry-rows-unread": Words(
        "the list has rows that could not be read",
        "No vignette was found, but rows of the list could not be read, and the plate may stand in one of them, so it "
        "cannot show that nobody paid. Once the list is put right the registry is asked again.",
    ),
    "nothing-read": Words(
        "nothing could be read", "There is a plate, but not one character of it could be read. A person has to look."
    ),
    "paid": Words(
        "a vignette is valid", "A vignette that was valid at the time is held for the plate. Nothing is owed."
    ),
    "exempt": Words("the vehicle is exempt", "The registry exempts the plate from paying. Nothing is owed."),
    "paid-reading-possible": Words(
        "may be a plate that paid",
        "The plate may be another one than the best reading, and one that it may be has paid or is exempt. "
        "A person has to tell which it is.",
    ),
    "special-series": Words(
        "a special series: {detail}",
        "The plate belongs to a special series ({detail}). Whether such a vehicle has to pay is not for a list to say, "
        "so a person has to look.",
    ),
    "no-known-plate": Words(
        "no ordinary plate",
        "What was read is no ordinary plate of a format that is given out today, so it may be misread, or no "
        "plate at all. A person has to look.",
    ),
    "reading-unsure": Words(
        "the reading is not sure",
        "No single reading is sure enough: somebody else could be accused. A person has to read the plate.",
    ),
    "one-look": Words(
        "seen too few times",
        "Too few views of the plate were read alike: one place and size accuses nobody, however many frames show it. "
        "A person has to read the plate.",
    ),
    "grace-open": Words(
        "a vignette may still be bought",
        "A vignette bought now would still count for this passage. The registry is asked again when that time is over.",
    ),
    "paid-if-swapped": Words(
        "paid with two letters swapped",
        "A vignette is held for this plate with two neighbouring characters swapped, as people type when they buy one. "
        "A person has to tell whether it is the same vehicle.",
    ),
    "parts-not-searched": Words(
        "the registry was not searched",
        "The registry can only be asked for single plates. Those that this one may be a part of are too many to ask "
        "for, or nobody examined the pictures, so a longer plate was not ruled out. A person has to look.",
    ),
    "second-reader-disagrees": Words(
        "a second reader disagrees",
        "It would be UNPAID, but a second reader, built otherwise, does not read the same plate on the picture. "
        "A person has to read it.",
    ),
    "no-paid-reading": Words(
        "no vignette for any reading",
        "The whole plate was seen and read alike several times, and the registry holds no valid vignette and no "
        "exemption for it, for anything else that it may be, or for a plate like it.",
    ),
    "read-by-person": Words(
        "a person read the plate",
        "A person read the plate on the picture, and the registry was asked for what they read.",
    ),
    "never-moved": Words(
        "it never moved",
        "What was read was not seen to move, as signs, adverts and parked vehicles do not. A person has to look.",
    ),
    "camera-moves": Words(
        "the camera itself moved",
        "The camera moved while the plate was seen, as one in a vehicle does, so what was read may be a sign, an "
        "advert or a parked vehicle. A person has to look.",
    ),
    "reads-disagree": Words(
        "its frames were read differently",
        "A vehicle passed, and its frames do not agree on a plate. A person has to read it.",
    ),
    "slid-without-growing": Words(
        "slid across the picture",
        "What was read went across the picture and kept its size, as a banner that is drawn over the picture does and "
        "vehicles do not. A person has to look.",
    ),
    "another-text-beside-it": Words(
        "other lettering moved with it",
        "Something else that looks like a plate kept its place beside it, as lettering on the same vehicle does, so "
        "which of them is the vehicle's plate is not known. A person has to look.",
    ),
    "plate-at-picture-edge": Words(
        "at the edge of the picture",
        "The plate reaches the edge of the picture, so more characters may stand outside. A person has to look.",
    ),
    "plate-cut-by-crop": Words(
        "cut off in its picture",
        "The plate reaches out of the picture that was cut for it, so characters may be missing. A person has to look.",
    ),
    "plate-unevenly-lit": Words(
        "light and shadow on the plate",
        "The plate is unevenly lit, so characters may be hidden in the shadow or the glare. A person has to look.",
    ),
    "plate-partly-covered": Words(
        "partly covered",
        "A stretch of the plate shows no lettering, so characters may be covered there. A person has to look.",
    ),
    "plate-looks-cut": Words(
        "shorter than plates are",
        "The plate is shorter than plates of one line are, so a part of it may be missing. A person has to look.",
    ),
    "plate-half-hidden": Words(
        "lower than plates are",
        "The plate is lower than plates are, so the upper or lower part of its characters may be hidden. A person has "
        "to look.",
    ),
    "part-of-paid-plate": Words(
        "may be part of a plate that paid",
        "A plate that paid holds all characters that were read, or the other way round, so only a part of it may have "
        "been seen. A person has to compare.",
    ),
    "part-of-exempt-family": Words(
        "may be part of an exempt plate",
        "The plates of an exemption's pattern hold all characters that were read and some more, or one less, so only a "
        "part of an exempt plate may have been seen. A person has to compare.",
    ),
    "near-paid-plate": Words(
        "close to a plate that paid",
        "A plate that paid differs from what was read in one short stretch only. A person has to compare.",
    ),
    "paid-plate-shifted": Words(
        "a plate that paid, one character along",
        "What was read is a plate that paid without a character or two at one of its ends, and with some more at the "
        "other. A person has to compare.",
    ),
    "paid-plate-looks-alike": Words(
        "looks like a plate that paid",
        "A plate that paid differs from what was read only in characters that look like each other. "
        "A person has to compare.",
    ),
    "paid-plate-of-other-length": Words(
        "two errors from a plate that paid",
        "A plate that paid differs from what was read in two places and in the number of its characters. "
        "A person has to compare.",
    ),
    "paid-plate-may-be-misread": Words(
        "may be a misread plate that paid",
        "By how plates were seen to be misread, one or more plates that paid could have been read as this one. "
        "A person has to compare.",
    ),
    "paid-plate-two-errors-away": Words(
        "two characters from a plate that paid",
        "A plate that paid differs from what was read in two characters, and nobody examined the pictures. "
        "A person has to compare.",
    ),
}


UNNAMED = Words("{detail}", "The rule {detail} decided, which this version of the program has no words for.")


def all_words() -> tuple[Words, ...]:
    """The words of every rule, for catalogues of other languages; `{detail}` stands for what a rule's name adds."""
    return (*_WORDS.values(), UNNAMED)


def pattern_of(rule: str) -> tuple[Words, str]:
    """The words of `rule` with `{detail}` left open, and what belongs there."""
    if rule in _WORDS:
        return _WORDS[rule], ""
    family, _, detail = rule.rpartition("-")
    if family in _WORDS and "{detail}" in _WORDS[family].brief:
        return _WORDS[family], detail
    return UNNAMED, rule


def words_of(rule: str) -> Words:
    """`rule` in plain words; of one that this version does not know, its name."""
    words, detail = pattern_of(rule)
    return Words(words.brief.format(detail=detail), words.sentence.format(detail=detail))


def has_words(rule: str) -> bool:
    """Whether `rule` is one that `words_of` knows."""
    return not words_of(rule).sentence.startswith("The rule ")
