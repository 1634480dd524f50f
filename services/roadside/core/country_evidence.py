"""Which country a plate is of: what its text is worth under the formats of each, and what the reader saw of its look.

A reader's head for countries knows those that it was trained on and takes the others for one of them. A text
is evidence too: of two countries whose formats it fits, the one that gives out fewer such texts is likelier, for
among its plates this one is less of a chance. Neither is proof, so that a country is named only where both leave
little doubt.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from roadside.core.formats import GRAMMARS, POLISH_CITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from roadside.core.plates import Form

SURE = 0.9
"""Posterior from which a country is named against what look and format said at first."""
LEAST_SEEN = 1e-3
"""What the reader itself must give a country that is named so: the format alone names none."""
DENIED = 0.2
"""Posterior under which a country is not named, whatever look and format said at first."""
_FLEETS = {
    "UK": 36.0, "DE": 49.0, "FR": 39.0, "IT": 40.0, "ES": 25.0, "PL": 26.0, "NL": 9.0, "RO": 8.0, "UA": 9.0, "CZ": 6.5,
    "BE": 6.0, "PT": 5.6, "GR": 5.6, "AT": 5.2, "SE": 5.0, "CH": 4.7, "HU": 4.1, "NO": 2.9, "BG": 2.9, "DK": 2.8,
    "FI": 2.8, "SK": 2.5, "IE": 2.3, "HR": 1.8, "LT": 1.6, "SI": 1.2, "EE": 0.9, "LV": 0.8, "LU": 0.5,
}  # fmt: skip
"""Millions of cars, rounded (Eurostat, DfT and the national registers, 2022)."""
_SEEN_AS_ITSELF = {
    "PL": 0.98, "UK": 0.95, "NL": 0.95, "DE": 0.95, "ES": 0.9, "HR": 0.9, "FR": 0.8, "CZ": 0.7, "HU": 0.45,
}  # fmt: skip
_OTHERS_SEEN = 0.2
"""How often the head names a country's plates rightly: of those of which there are many photographs, and of others."""
_TAKEN_FOR = {"FI": 0.38, "DE": 0.2, "OT": 0.09, "PL": 0.076, "NL": 0.061, "LV": 0.061, "BE": 0.038, "UK": 0.03}
_TAKEN_ELSE = 0.003
"""What it takes the others for: Hungarian plates, of which it saw no photograph, for Finnish ones more than for any.

Chosen on one half, by text, of 966 plates of photographs: 472 of 493 named rightly, 2 wrongly. Of the other half
440 of 473 are, 28 are unknown and 5 wrong; the head before, with values of its own, had 426, 41 and 6.
"""
_ANY_TEXT = 0.001
"""Share of a country's plates that are in no format here."""
# Dz.U. 2022 poz. 1849, zał. 13: cities have two letters, districts three.
_POLISH_DISTRICTS = 380
_NEW_CITY = 0.02
"""How often two letters are a Polish city that is not listed here."""


def named_country(
    guess: str | None, text: str, fitting: Iterable[Form], looks: Sequence[tuple[str, float]]
) -> str | None:
    """`guess`, what look and format said at first, unless all evidence speaks against it or is sure of another.

    `looks` are countries with their probabilities as the reader saw them; `fitting` are the formats that allow `text`.
    """
    posterior = country_posterior(text, fitting, looks)
    if guess is not None and dict(posterior).get(guess, 1.0) >= DENIED:
        return guess
    country, probability = posterior[0]
    return country if probability >= SURE and dict(looks).get(country, 0.0) >= LEAST_SEEN else None


def country_posterior(
    text: str, fitting: Iterable[Form], looks: Sequence[tuple[str, float]]
) -> tuple[tuple[str, float], ...]:
    """(country, probability), the most probable first, of every country with formats; see `named_country`."""
    says = dict.fromkeys(GRAMMARS, _ANY_TEXT / 36.0 ** len(text))
    for form in fitting:
        says[form.country] += form.weight / _total_weight(form.country) / _size(form) * _polish(form, text)
    seen = _looks(looks)
    weighed = {country: _prior(country) * seen[country] * says[country] for country in GRAMMARS}
    whole = math.fsum(weighed.values())
    ranked = sorted(weighed.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple((country, weight / whole) for country, weight in ranked)


def _polish(form: Form, text: str) -> float:
    """How much likelier than any letters the first two or three are, because they are a Polish city or district."""
    if form.country != "PL" or form.series:
        return 1.0
    letters = [len(slot) for slot in form.slots[:3]]
    if "0" in form.slots[2]:
        return letters[0] * letters[1] / len(POLISH_CITIES) if text[:2] in POLISH_CITIES else _NEW_CITY
    return math.prod(letters) / _POLISH_DISTRICTS


def _looks(looks: Sequence[tuple[str, float]]) -> Mapping[str, float]:
    """How probable it is, of a plate of each country, that the reader sees what it saw."""
    if not looks:
        return dict.fromkeys(GRAMMARS, 1.0)
    seen = dict(looks)
    anyhow = math.fsum(p * _TAKEN_FOR.get(named, _TAKEN_ELSE) for named, p in looks)
    found = {}
    for country in GRAMMARS:
        mine, taken = _SEEN_AS_ITSELF.get(country, _OTHERS_SEEN), _TAKEN_FOR.get(country, _TAKEN_ELSE)
        itself = seen.get(country, 0.0)
        found[country] = mine * itself + (1.0 - mine) / (1.0 - taken) * (anyhow - taken * itself)
    return found


def _prior(country: str) -> float:
    """By the root of the fleet: large countries' cars are more, but this road need not be theirs."""
    return math.sqrt(_FLEETS.get(country, 1.0))


@lru_cache(maxsize=64)
def _total_weight(country: str) -> float:
    return math.fsum(weight for _, weight in GRAMMARS[country].formats) + 0.5


@lru_cache(maxsize=2048)
def _size(form: Form) -> float:
    """How many texts the format allows."""
    size = math.prod(map(len, form.slots))
    if form.code is None:
        return float(size)
    start, names = form.code
    anything = math.prod(len(slot) for slot in form.slots[start : start + len(next(iter(names)))])
    return size / anything * len(names)
