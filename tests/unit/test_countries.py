"""Countries by every usual name, and letters as each country writes them."""

# ruff: noqa: RUF001 - letters that only look Latin are what is tried

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.core.countries import COUNTRIES, country_code
from roadside.core.formats import GRAMMARS
from roadside.core.lettering import pattern_key, plate_key, plate_text, spellings
from roadside.core.plates import fold, normalise
from roadside.core.reads import ALPHABET


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("DE", "D DE DEU GER de Deutschland Německo Niemcy"),
        ("UK", "GB UK GBR gb Grossbritannien"),
        ("CZ", "CZ CZE cz Česko ČR Tschechien"),
        ("AT", "A AT AUT Österreich Oesterreich Rakousko"),
        ("SI", "SLO SI SVN Slovinsko"),
        ("ES", "E ES ESP"),
        ("FI", "FIN FI SF"),
        ("MK", "NMK MK MKD"),
        ("IE", "IRL IE"),
        ("RO", "RO ROU"),
        ("XK", "RKS XK"),
        ("US", "USA US"),
        ("", " "),
    ],
)
def test_a_country_has_one_code_whatever_it_is_called(code: str, names: str) -> None:
    assert {country_code(name) for name in names.split() or [names]} == {code}
    assert country_code("Velká Británie") == "UK"


def test_every_country_with_a_grammar_has_a_code_and_a_code_is_its_own_name() -> None:
    assert GRAMMARS.keys() <= COUNTRIES
    assert {country_code(code) for code in COUNTRIES} == COUNTRIES


@pytest.mark.parametrize("name", ["C1", "XQ", "Atlantis", "ABCD", "*", "D\N{CYRILLIC CAPITAL LETTER IE}"])
def test_what_is_no_country_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no country code"):
        country_code(name)


@pytest.mark.parametrize(
    ("text", "country", "key"),
    [
        ("WÜ-AB 123", "DE", "WUAB123"),
        ("WUE-AB 123", "DE", "WUAB123"),
        ("wueab123", "DE", "WUAB123"),
        ("TOEL X 1", "DE", "T0LX1"),
        ("TÖL-X1", "DE", "T0LX1"),
        ("W-UE 123", "DE", "WUE123"),
        ("WUE123", "DE", "WUE123"),
        ("UE-BA 12", "DE", "UEBA12"),
        ("UEBA12", "DE", "UEBA12"),
        ("UEB-A 12", "DE", "UBA12"),
        ("TO-EL 12", "DE", "T0EL12"),
        ("COE-AB 1", "DE", "C0EAB1"),
        ("WUE-AB 123", "AT", "WUEAB123"),
        ("kł 1234ą", "PL", "KL1234A"),
        ("ŽU 123-Đ", "HR", "ZU123D"),
        ("ÅÄÖ 12", "SE", "AA012"),
        ("ØÆ 123", "NO", "0AE123"),
        ("СА 1234 АВ", "BG", "CA1234AB"),
        ("АІ 1234 ВС", "UA", "A11234BC"),
        ("ΙΖΑ-1234", "GR", "1ZA1234"),
        ("Х123УС77", "RU", "X123YC77"),
        ("БГ 123-ВС", "RS", "BG123VS"),
        ("１ＡＢ 2345", "CZ", "1AB2345"),
        ("1AB\N{NO-BREAK SPACE}23\N{ZERO WIDTH SPACE}45", "CZ", "1AB2345"),
        ("1AB\N{EN DASH}2345\N{MIDDLE DOT}", "CZ", "1AB2345"),
    ],
)
def test_letters_are_those_that_the_country_puts_on_its_plates(text: str, country: str, key: str) -> None:
    assert plate_key(text, country) == key


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("1АВ2345", "CZ"),
        ("Ж123УС77", "RU"),
        ("СЖ 1234", "BG"),
        ("ΛΑΑ 1234", "GR"),
        ("1AB§345", "CZ"),
        ("1AB?345", "CZ"),
        ("1AB*345", "CZ"),
        ('1AB"2345', "CZ"),
        ("AE²", "CZ"),
        ("№123", "RU"),
        ("車123", "CZ"),
        ("١٢٣AB", "CZ"),
        ("1AB\x002345", "CZ"),
    ],
)
def test_a_letter_of_no_plate_of_the_country_is_refused_and_never_dropped(text: str, country: str) -> None:
    with pytest.raises(ValueError, match="is no plate"):
        plate_key(text, country)


@given(st.text(ALPHABET + ALPHABET.lower() + " -./", max_size=12))
def test_plain_letters_are_folded_as_everywhere_else(text: str) -> None:
    assert plate_key(text, "CZ") == fold(text)
    assert plate_text(text, "CZ") == normalise(text)
    assert fold(text) in spellings(text)


@given(st.text(max_size=12), st.sampled_from(("", "CZ", "DE", "BG", "RS", "GR")))
def test_no_text_is_more_than_refused(text: str, country: str) -> None:
    try:
        assert set(plate_key(text, country)) <= set(ALPHABET)
        assert set(pattern_key(text, country)) <= {*ALPHABET, "?", "*"}
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    ("typed", "country", "held"),
    [
        ("WÜ AB 123", None, "WUEAB123"),
        ("WUE AB 123", None, "WUAB123"),
        ("WUE AB 123", "DE", "WUAB123"),
        ("KÖ-X 1", None, "K0EX1"),
        ("СА1234АВ", None, "CA1234AB"),
        ("БГ123АВ", None, "BG123AV"),
        ("1ab 2345", None, "1AB2345"),
    ],
)
def test_a_typed_plate_is_every_plate_that_it_may_mean(typed: str, country: str | None, held: str) -> None:
    assert held in spellings(typed, country)


def test_a_typed_plate_that_is_none_anywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="is no plate"):
        spellings("Я1")
