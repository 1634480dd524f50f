"""Formats by what the law of each country demands; every plate here is invented."""

from __future__ import annotations

import pytest

from roadside.core.formats import GRAMMARS
from roadside.core.plates import LEAST_CURRENT, is_current, may_be_of, resolve, series_of
from roadside.core.special_series import SPECIAL


def weights(text: str, country: str) -> list[float]:
    """Of the ordinary formats that the text fits as it stands."""
    return [form.weight for resolved, form in resolve(text, country) if resolved == text and not form.series]


@pytest.mark.parametrize(
    ("country", "series", "to_order", "never"),
    [
        ("DK", ["BX48213"], ["MIA007", "K4RL", "TRINE", "7SEJL"], ["LANGTORD", "X"]),
        ("SE", ["JNP482", "JNP48D"], ["SV3R1G3", "TUVA", "8ALLAD"], ["FJORTON14", "X"]),
        ("NO", ["DP48213", "EL48213"], ["DR1V3R", "FJELL", "7FJELL"], ["NORDLYS9", "X"]),
        ("LV", ["KD4821", "WH48", "NW4821"], ["R1GA", "JURMALA", "LATVIJA1"], ["DAUGAVPILS", "X"]),
        ("CZ", ["4TE9586", "EL482TK", "EL4T95"], ["KRAK0N0S", "019C0VID"], ["KAUFLAND", "EL123456", "G0LF0000"]),
    ],
)  # fmt: skip
def test_series_and_words_to_order_are_what_the_law_demands(
    country: str, series: list[str], to_order: list[str], never: list[str]
) -> None:
    for text in series:
        assert max(weights(text, country), default=0.0) >= LEAST_CURRENT or country == "CZ", text
    for text in to_order:
        assert weights(text, country), text
    for text in never:
        assert not weights(text, country), text
        assert not is_current(text, country)


@pytest.mark.parametrize("country", ["DK", "SE", "NO", "LV"])
@pytest.mark.parametrize("text", ["BAUHAUS", "PIZZA24", "TAXI", "SALE50", "AB1CD2"])
def test_what_may_be_any_word_is_no_known_plate(country: str, text: str) -> None:
    """Whoever has such a word to order is left to a person: it stands on shops and lorries far more often."""
    assert not is_current(text, country)


@pytest.mark.parametrize("text", ["4TE9586", "BL731XK", "KV46RNE"])
def test_plates_of_others_are_no_words_to_order_of_a_country_that_allows_any(text: str) -> None:
    """Else an exemption of all its plates would free everybody."""
    assert not any(may_be_of(text, country) for country in ("DK", "SE", "NO", "LV"))


SERIES = {
    "UK": ("217D348", "diplomatic"), "CZ": ("217CD34", "diplomatic"), "SK": ("ZZ48213", "diplomatic"),
    "DE": ("Y482137", "army"), "PL": ("W482137", "diplomatic"), "AT": ("WD48213", "diplomatic"),
    "NL": ("CDJ482", "diplomatic"), "FR": ("217CD348", "diplomatic"), "ES": ("R4821BCD", "trailer"),
    "IT": ("EIAB482", "army"), "HU": ("CD482137", "diplomatic"), "RO": ("TC482137", "diplomatic"),
    "HR": ("482137", "police"), "SI": ("P482137", "police"), "IE": ("ZZ48213", "temporary"),
    "BE": ("1QKD482", "trailer"), "PT": ("482CD137", "diplomatic"), "DK": ("BX76482", "diplomatic"),
    "SE": ("DL482F", "diplomatic"), "NO": ("CD48213", "diplomatic"), "FI": ("CD4821", "diplomatic"),
    "CH": ("M48213", "army"), "LT": ("482137", "diplomatic"), "LV": ("CD4821", "diplomatic"),
    "EE": ("CMD4821", "diplomatic"), "BG": ("CC4821", "diplomatic"), "GR": ("DC4821", "diplomatic"),
    "LU": ("CD4821", "diplomatic"), "UA": ("D482137", "diplomatic"),
}  # fmt: skip


def test_every_country_has_special_series_and_an_example_here() -> None:
    assert set(SPECIAL) == set(GRAMMARS)
    assert set(SERIES) == set(GRAMMARS)


@pytest.mark.parametrize("country", SERIES)
def test_a_special_series_is_read_and_named(country: str) -> None:
    text, series = SERIES[country]
    assert series_of(text, country) == series


@pytest.mark.parametrize(
    ("text", "series"), [("HH4821K", "temporary"), ("NRW48213", "state"), ("M034821", "temporary")]
)
def test_german_plates_of_export_and_of_the_lander_are_special(text: str, series: str) -> None:
    assert series_of(text, "DE") == series


@pytest.mark.parametrize("text", ["HHKD482", "HHKD482E", "HHKD482H"])
def test_electric_and_historic_german_plates_are_ordinary(text: str) -> None:
    assert series_of(text, "DE") is None
    assert is_current(text, "DE")
