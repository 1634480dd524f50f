"""The languages that people can read the console in."""

from __future__ import annotations

import gettext
import io
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from roadside.core.vignettes import NEVER_NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

CATALOGS = Path(__file__).parent / "locale"
SOURCE = "en"
LANGUAGES = {"en": "English", "cs": "Čeština", "de": "Deutsch"}
LEAST_SHARE = 0.001
MOST_ZEROS = 9
"""A billion is as good as never."""
_SECOND_NS = 10**9
_LOCALES = {"en": "en_GB"}
"""Whose dates and numbers are written: here days before months, and 24 hours."""


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The texts of a language; those of the source for the source."""
    if language == SOURCE:
        return gettext.NullTranslations()
    with (CATALOGS / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def preferred(header: str, chosen: str = "") -> str:
    """The language to answer in: the one that was `chosen`, or the best of an Accept-Language header."""
    if chosen in LANGUAGES:
        return chosen
    ranked: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        name, _, quality = part.strip().partition(";q=")
        try:
            ranked.append((float(quality or 1), name.split("-")[0].lower()))
        except ValueError:
            continue
    # Slovak readers are better served by Czech than by English.
    close = {"sk": "cs"}
    wanted = [close.get(name, name) for _, name in sorted(ranked, key=lambda entry: -entry[0])]
    return next((name for name in wanted if name in LANGUAGES), SOURCE)


@dataclass(frozen=True, slots=True)
class Wording:
    """How one reader's language and time zone put things."""

    language: str
    zone: tzinfo

    def say(self, text: str) -> str:
        """The text in the reader's language."""
        return translations(self.language).gettext(text)

    def count(self, one: str, many: str, number: int) -> str:
        """The plural form of a number, which stands in for `%(num)d`."""
        return translations(self.language).ngettext(one, many, number) % {"num": number}

    def moment(self, at_ns: int) -> str:
        """Date and time to the second."""
        return format_datetime(self._local(at_ns), "medium", locale=self._locale)

    def clock(self, at_ns: int) -> str:
        """The time of day to the second."""
        return format_time(self._local(at_ns), "medium", locale=self._locale)

    def day(self, at_ns: int) -> str:
        """The date."""
        return format_date(self._local(at_ns).date(), "medium", locale=self._locale)

    def bounds(self, from_ns: int, to_ns: int) -> tuple[str, str]:
        """The first and the last moment of a validity as a list has them, days where they are whole; empty: none."""
        begins, ends = "", ""
        if from_ns > 0:
            first = self._local(from_ns)
            begins = first.date().isoformat() if not _clock_s(first) else first.isoformat(timespec="seconds")
        if to_ns < NEVER_NS:
            last = self._local(to_ns - _SECOND_NS)
            whole = _clock_s(self._local(to_ns)) == 0
            ends = last.date().isoformat() if whole else last.isoformat(timespec="seconds")
        return begins, ends

    def iso(self, at_ns: int) -> str:
        """For the `datetime` of a page's time."""
        return self._local(at_ns).isoformat(timespec="milliseconds")

    def share(self, value: float) -> str:
        """A probability as a percentage; small ones as one in how many."""
        if 0 < value < LEAST_SHARE:
            many = 10 ** min(MOST_ZEROS, math.ceil(-math.log10(value)) - 1)
            return self.say("under 1 in %(many)s") % {"many": self.number(many)}
        return format_percent(value, "#,##0.#%", locale=self._locale)

    def number(self, value: float) -> str:
        """A number with the separators of the language."""
        return format_decimal(value, locale=self._locale)

    @property
    def _locale(self) -> str:
        return _LOCALES.get(self.language, self.language)

    def _local(self, at_ns: int) -> datetime:
        return datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone(self.zone)


def _clock_s(at: datetime) -> int:
    """Seconds since midnight, by the clock."""
    return at.hour * 3600 + at.minute * 60 + at.second


def names() -> Sequence[tuple[str, str]]:
    """Codes and names of the languages."""
    return tuple(LANGUAGES.items())
