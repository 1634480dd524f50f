import re

import numpy as np
import pytest

from models.synth import formats

PATTERNS = {
    "UK": r"[A-Z]{2}\d{2}[A-Z]{3}|[A-Z]\d{1,3}[A-Z]{3}|[A-Z]{3}\d{1,3}[A-Z]|[A-Z]{1,3}\d{1,4}|\d{1,4}[A-Z]{1,3}",
    "CZ": r"[0-9A-FH-NPR-VX-Z]{7,8}|[A-Z]{3}\d{4}",
    "SK": r"[A-Z]{2}(\d{3}[A-Z]{2}|[A-Z]{5}|[A-Z]{4}\d)",
    "DE": r"[A-Z]{1,3}([A-Z]{1,2}\d{1,4}[EH]?|\d{1,5})",
    "PL": r"[A-Z]{2,3}[0-9A-Z]{4,5}|[A-Z]\d[A-Z]{5}",
    "NL": r"[0-9A-Z]{6}",
    "ES": r"\d{4}[B-DF-HJ-NP-TV-Z]{3}|[A-Z]{1,2}\d{4}[A-Z]{1,2}",
    "IT": r"[A-Z]{2}\d{3}[A-Z]{2}",
}


@pytest.mark.parametrize("country", formats.COUNTRIES)
def test_groups_spell_the_text(country: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        plate = formats.of_country(rng, country)
        assert "".join(plate.groups) == plate.text
        assert len(plate.joints) == len(plate.groups) - 1
        assert re.fullmatch(r"[A-Z0-9]{1,9}", plate.text), plate
        assert plate.country == country


@pytest.mark.parametrize("country", PATTERNS)
def test_registrations_follow_the_grammar(country: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(500):
        plate = formats.of_country(rng, country)
        assert re.fullmatch(PATTERNS[country], plate.text), plate


def test_czech_plates_lack_the_letters_that_are_not_used() -> None:
    rng = np.random.default_rng(3)
    drawn = [formats.of_country(rng, "CZ") for _ in range(1000)]
    assert not set("GOQW") & set("".join(plate.text for plate in drawn if plate.style != "old"))


def test_countries_come_by_weight() -> None:
    rng = np.random.default_rng(4)
    drawn = [formats.sample(rng, {"UK": 3, "CZ": 1}).country for _ in range(1000)]
    assert drawn.count("UK") == pytest.approx(750, abs=60)
    assert set(drawn) == {"UK", "CZ"}
