"""What commands say to people in the language of LC_ALL, LC_MESSAGES or LANG; verdicts keep their names."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from roadside.core.rules import Words, pattern_of, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set counts, as in every program."""
_HEADINGS = {
    "time": "Time",
    "camera": "Camera",
    "plate": "Plate",
    "country": "Country",
    "sure": "Confidence",
    "looks": "Looks",
    "verdict": "Verdict",
    "why": "Reason",
    "way": "Direction",
    "known": "List",
}
"""What the catalogues have for the headings of tables."""


def rule_said(rule: str) -> Words:
    """`rule` in plain words."""
    language = spoken()
    if language == "en":
        return words_of(rule)
    say, (words, detail) = _say(language), pattern_of(rule)
    return Words(say(words.brief).format(detail=detail), say(words.sentence).format(detail=detail))


def headings(names: Sequence[str]) -> tuple[str, ...]:
    """The headings of a table."""
    language = spoken()
    if language == "en":
        return tuple(names)
    return tuple(_say(language)(_HEADINGS.get(name, name)).lower() for name in names)


def spoken() -> str:
    """The language to speak: English where no other is set, known, or its catalogue can be read (extra `console`)."""
    told = next((value for name in VARIABLES if (value := os.environ.get(name))), "")
    return _known(told.partition(".")[0].partition("_")[0].lower())


@cache
def _known(wanted: str) -> str:
    if wanted in {"", "c", "posix", "en"}:
        return "en"
    try:
        from roadside.console.languages import preferred  # noqa: PLC0415 - babel is in an extra, and takes 0.1 s
    except ImportError:
        return "en"
    return preferred(wanted)


@cache
def _say(language: str) -> Callable[[str], str]:
    from roadside.console.languages import translations  # noqa: PLC0415 - as above

    return translations(language).gettext
