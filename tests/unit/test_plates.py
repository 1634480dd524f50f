from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.core.country_evidence import country_posterior
from roadside.core.formats import GRAMMARS
from roadside.core.plates import fold, format_plate, normalise, rank_under_grammar, resolve
from roadside.core.reads import ALPHABET, Hypothesis

texts = st.text(ALPHABET, min_size=1, max_size=9)
UK, CZ, PL, DE = ((("UK", 0.95),), (("CZ", 0.95),), (("PL", 0.95),), (("DE", 0.95),))


def said(**shares: float) -> list[Hypothesis]:
    return [Hypothesis(text, None, math.log(p)) for text, p in shares.items()]


def best_under_grammar(
    hypotheses: list[Hypothesis], countries: tuple[tuple[str, float], ...] = ()
) -> tuple[str, str | None, float]:
    best = rank_under_grammar(hypotheses, countries, 1)[0]
    return best.text, best.country, best.log_p


@pytest.mark.parametrize(
    ("text", "normal"),
    [("ab12 cde", "AB12CDE"), ("MÜ-AB 123", "MUAB123"), ("ŠKODA1", "SKODA1"), ("1a2•3456", "1A23456"), ("·", "")],
)
def test_normalising_keeps_letters_and_digits(text: str, normal: str) -> None:
    assert normalise(text) == normal


@given(st.text(max_size=20))
def test_normalising_and_folding_are_done_after_once(text: str) -> None:
    assert set(normalise(text)) <= set(ALPHABET)
    assert normalise(normalise(text)) == normalise(text)
    assert fold(fold(text)) == fold(text)
    assert not set(fold(text)) & set("OQI")


@pytest.mark.parametrize(
    ("text", "country", "shown"),
    [
        ("AB12CDE", "UK", "AB12 CDE"),
        ("A123BCD", "UK", "A123 BCD"),
        ("ABC123D", "UK", "ABC123 D"),
        ("LIZ1234", "UK", "LIZ 1234"),
        ("1A23456", "CZ", "1A2 3456"),
        ("KAREL001", "CZ", "KAREL001"),
        ("EL123AB", "CZ", "EL1 23AB"),
        ("BA123CD", "SK", "BA-123CD"),
        ("MAB1234", "DE", "MAB 1234"),
        ("WA12345", "PL", "WA 12345"),
        ("WAW1A23", "PL", "WAW 1A23"),
        ("W12345A", "AT", "W 12345A"),
        ("12GBD3", "NL", "12-GBD-3"),
        ("AB123CD", "FR", "AB-123-CD"),
        ("1234BCD", "ES", "1234 BCD"),
        ("AB123CD", "IT", "AB 123CD"),
        ("ABC123", "HU", "ABC-123"),
        ("AABC123", "HU", "AA BC-123"),
        ("B123ABC", "RO", "B 123 ABC"),
        ("CJ12ABC", "RO", "CJ 12 ABC"),
        ("ZG1234AB", "HR", "ZG 1234-AB"),
        ("LJAB123", "SI", "LJ AB-123"),
        ("131D12345", "IE", "131-D-12345"),
        ("1ABC234", "BE", "1-ABC-234"),
        ("AA12BB", "PT", "AA-12-BB"),
        ("AB12345", "DK", "AB 12 345"),
        ("ABC12D", "SE", "ABC 12D"),
        ("AB12345", "NO", "AB 12345"),
        ("ABC123", "FI", "ABC-123"),
        ("ZH123456", "CH", "ZH 123456"),
        ("ABC123", "LT", "ABC 123"),
        ("AB1234", "LV", "AB-1234"),
        ("123ABC", "EE", "123 ABC"),
        ("CB1234AB", "BG", "CB 1234 AB"),
        ("ABE1234", "GR", "ABE-1234"),
        ("AB1234", "LU", "AB 1234"),
        ("AA1234BB", "UA", "AA 1234 BB"),
    ],
)
def test_a_plate_is_shown_with_its_country_s_breaks(text: str, country: str, shown: str) -> None:
    assert format_plate(text, country) == shown


def test_every_country_that_was_asked_for_has_a_grammar() -> None:
    wanted = "UK CZ SK DE PL AT NL FR ES IT HU RO HR SI IE BE PT DK SE NO FI CH LT LV EE BG GR LU UA"
    assert set(wanted.split()) == set(GRAMMARS)
    assert all(max(weight for _, weight in grammar.formats) == 1 for grammar in GRAMMARS.values())


@given(texts, st.sampled_from([*GRAMMARS, "XX", None]))
def test_showing_a_plate_adds_separators_alone(text: str, country: str | None) -> None:
    assert re.sub("[ -]", "", format_plate(text, country)) == text


@given(texts)
def test_a_format_changes_no_character_but_to_one_of_its_glyph(text: str) -> None:
    for resolved, _ in resolve(text):
        assert fold(resolved) == fold(text)


@pytest.mark.parametrize(
    ("seen", "countries", "meant"),
    [
        ("LSI5EBC", UK, "LS15EBC"),
        ("LSI5EBC", (), "LS15EBC"),
        ("B055MAN", UK, "BO55MAN"),
        ("1A0O345", CZ, "1A00345"),
        ("IAO2345", CZ, "1A02345"),
        ("KARELOO1", CZ, "KAREL001"),
    ],
)
def test_the_place_tells_which_of_one_glyph_is_meant_however_sure_the_reader_is(
    seen: str, countries: tuple[tuple[str, float], ...], meant: str
) -> None:
    text, _, log_p = best_under_grammar([Hypothesis(seen, None, 0.0)], countries)
    assert text == meant
    assert log_p > math.log(0.85)


@pytest.mark.parametrize(
    ("hypotheses", "countries", "meant"),
    [
        (said(AB1ZCDE=0.55, AB12CDE=0.4), UK, "AB12CDE"),
        (said(A8I2CDE=0.5, AB12CDE=0.3), UK, "AB12CDE"),
        (said(LS1SEBC=0.7, LS15EBC=0.25), UK, "LS15EBC"),
        (said(**{"6A23456": 0.4, "GA23456": 0.55}), CZ, "6A23456"),
        (said(WA8B123=0.5, WA88123=0.3), PL, "WA88123"),
    ],
)
def test_a_grammar_decides_what_the_reader_leaves_open(
    hypotheses: list[Hypothesis], countries: tuple[tuple[str, float], ...], meant: str
) -> None:
    assert best_under_grammar(hypotheses, countries)[0] == meant


@pytest.mark.parametrize("share", [0.96, 0.99, 0.999999])
def test_a_sure_character_is_never_turned_into_another(share: float) -> None:
    for odd, even in (("AB1ZCDE", "AB12CDE"), ("A8128DE", "AB12BDE"), ("LS1SEBC", "LS15EBC")):
        hypotheses = said(**{odd: share, even: (1 - share) / 2})
        assert best_under_grammar(hypotheses, UK)[0] == odd


@pytest.mark.parametrize("text", ["SEXYGIRL", "HELLO", "B1GBOSS", "MAREK", "TURBO99X"])
@pytest.mark.parametrize("countries", [UK, CZ, DE, ()])
def test_plates_made_to_order_survive(text: str, countries: tuple[tuple[str, float], ...]) -> None:
    assert fold(best_under_grammar(said(**{text: 0.97}), countries)[0]) == fold(text)


def test_the_country_is_told_by_look_and_format_together() -> None:
    assert best_under_grammar(said(AB12CDE=0.9), UK)[1] == "UK"
    assert best_under_grammar(said(AB12CDE=0.9), (("UK", 0.5), ("PL", 0.5)))[1] == "UK"
    assert best_under_grammar(said(AB12CDE=0.9), (("XX", 1.0),))[1] is None
    assert best_under_grammar(said(XXXXXXX=0.9), UK)[1] is None, "no British plate, whatever it looks like"
    assert best_under_grammar(said(AB123CD=0.9))[1] is None


@pytest.mark.parametrize(
    ("text", "looks", "country"),
    [
        ("OS482KT", (("PL", 0.5), ("DE", 0.05), ("HR", 0.4)), "HR"),  # Osijek; no Polish city
        ("KR482AB", (("PL", 0.9), ("DE", 0.05), ("HR", 0.01)), None),  # Cracow or Krapina
        ("WA48213", (("PL", 0.9), ("DE", 0.05), ("HR", 0.01)), "PL"),  # Warsaw
        ("KRAK0N0S", (("DE", 0.9), ("PL", 0.08), ("CZ", 0.02)), None),  # Czech words to order are not German
        ("4TE9586", (("PL", 0.6), ("CZ", 0.3)), "CZ"),
        ("HHKD482", (("DE", 0.95), ("PL", 0.03)), "DE"),
        ("KV46RNE", (("UK", 0.9), ("RO", 0.05)), "UK"),
    ],
)
def test_a_country_is_named_by_what_its_formats_make_likely(
    text: str, looks: tuple[tuple[str, float], ...], country: str | None
) -> None:
    assert best_under_grammar(said(**{text: 0.97}), looks)[1] == country


def test_a_country_that_the_reader_never_saw_in_training_is_unknown_and_not_another() -> None:
    """Hungarian plates look Polish to a reader that knows none, and are no Polish ones."""
    assert best_under_grammar(said(HKD482=0.97), (("PL", 0.7), ("NL", 0.2), ("HU", 0.01)))[1] is None


@given(
    st.lists(st.tuples(st.sampled_from(sorted(GRAMMARS)), st.floats(0.01, 1.0)), max_size=6),
    st.text("AB12", min_size=3, max_size=8),
)
def test_the_countries_of_a_plate_share_one_probability(looks: list[tuple[str, float]], text: str) -> None:
    posterior = country_posterior(
        text, [form for fit, form in resolve(text) if fit == text], tuple(dict(looks).items())
    )
    assert sum(p for _, p in posterior) == pytest.approx(1.0)
    assert len(posterior) == len(GRAMMARS)


def test_a_hypothesis_is_needed() -> None:
    with pytest.raises(ValueError, match="hypothesis"):
        rank_under_grammar([])


countries_told = st.lists(
    st.tuples(st.sampled_from([*GRAMMARS, "XX"]), st.floats(0.01, 1)), max_size=4, unique_by=lambda entry: entry[0]
)


@given(st.dictionaries(texts, st.floats(1e-6, 0.12), min_size=1, max_size=8), countries_told)
def test_the_ranking_shares_out_what_the_reader_said(
    shares: dict[str, float], countries: list[tuple[str, float]]
) -> None:
    ranked = rank_under_grammar(said(**shares), countries, count=1000)
    assert sum(math.exp(r.log_p) for r in ranked) == pytest.approx(sum(shares.values()), rel=1e-6)
    assert [r.log_p for r in ranked] == sorted((r.log_p for r in ranked), reverse=True)
    for r in ranked:
        assert r.source in shares
        assert fold(r.text) == fold(r.source)
        assert r.country is None or r.country in GRAMMARS


@given(st.dictionaries(texts, st.floats(1e-6, 0.12), min_size=1, max_size=8), countries_told)
def test_no_text_wins_with_less_than_a_grammar_s_worth_of_the_best(
    shares: dict[str, float], countries: list[tuple[str, float]]
) -> None:
    folded: dict[str, float] = {}
    for text, p in shares.items():
        folded[fold(text)] = folded.get(fold(text), 0.0) + p
    text, _, _ = best_under_grammar(said(**shares), countries)
    assert folded[fold(text)] * 65 >= max(folded.values())
