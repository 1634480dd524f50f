"""A paid driver is never accused: what holds for every posterior, every registry, every order of frames."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadside.core.candidates import candidate_query, head_bucket, score, soften, tail_bucket
from roadside.core.confusions import Confusions, typical
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.fusion import fuse
from roadside.core.plates import fold
from roadside.core.poses import independent_looks
from roadside.core.reads import ALPHABET, Character, FusedPlate, Hypothesis, PlacedRead, Read
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Circumstances, Policy, Question, ask, decide, fold_pattern
from roadside.core.vignettes import Exemption, RegistryAnswer, Vignette

PLAIN = Circumstances()
POLICY = Policy()
CONFUSIONS = typical()
TEXTS = st.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", min_size=5, max_size=8)


def posterior(text: str, sure: float, looks: int = 1) -> np.ndarray:
    """Of one look that is `sure` of every character, as fusion raises it for several."""
    rows = np.full((len(text), len(ALPHABET)), (1 - sure) / (len(ALPHABET) - 1))
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = sure
    rows = rows ** independent_looks(looks)
    return (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)


def plate(text: str, sure: float = 0.995, looks: int = 3, country: str | None = "CZ") -> FusedPlate:
    return FusedPlate(text, text, country, sure, posterior(text, sure, looks), (), (), looks)


def paid(*texts: str, country: str = "CZ") -> RegistryAnswer:
    return RegistryAnswer(tuple(Vignette(fold(t), country, "", 0, 1) for t in texts), ())


def kind_of(answer: RegistryAnswer, seen: FusedPlate, policy: Policy = POLICY) -> VerdictKind:
    return decide(ask(seen, CONFUSIONS, policy), answer, policy, PLAIN).kind


@st.composite
def fused_plates(draw: st.DrawFn) -> FusedPlate:
    text = draw(TEXTS)
    sharpness = draw(st.lists(st.floats(0.5, 40), min_size=len(text), max_size=len(text)))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = noise.random((len(text), 36)) ** 4
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] += np.exp(np.array(sharpness) / 4)
    rows = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    looks = draw(st.integers(1, 8))
    return FusedPlate(text, text, draw(st.sampled_from(["CZ", "UK", None])), 0.5, rows, (), (), looks)


@st.composite
def neighbours(draw: st.DrawFn, text: str) -> str:
    """A plate near `text`: often one that a registry would hold for another vehicle, or for this one."""
    characters = list(text)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(characters) - 1))
        match draw(st.sampled_from("sid")):
            case "s":
                characters[place] = draw(st.sampled_from(ALPHABET))
            case "i":
                characters.insert(place, draw(st.sampled_from(ALPHABET)))
            case _ if len(characters) > 3:
                del characters[place]
    return "".join(characters)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_another_paid_vignette_never_leads_to_unpaid(data: st.DataObject) -> None:
    seen = data.draw(fused_plates())
    held = data.draw(st.lists(neighbours(seen.text), max_size=4))
    added = data.draw(neighbours(seen.text))
    country = data.draw(st.sampled_from(["CZ", "UK", "DE"]))
    exemptions = tuple(
        Exemption(fold(t), "*", "x", 0, 1) for t in data.draw(st.lists(neighbours(seen.text), max_size=2))
    )
    before = replace(paid(*held), exemptions=exemptions)
    after = replace(before, vignettes=(*before.vignettes, Vignette(fold(added), country, "", 0, 1)))
    question = ask(seen, CONFUSIONS, POLICY)
    first, then = (decide(question, answer, POLICY, PLAIN) for answer in (before, after))
    assert then.p_paid >= first.p_paid - 1e-12
    if first.kind is not VerdictKind.UNPAID:
        assert then.kind is not VerdictKind.UNPAID


@settings(max_examples=30, deadline=None)
@given(fused_plates(), st.floats(0.0, 1.0), st.floats(0.01, 1.0))
def test_softened_rows_are_distributions_and_nothing_is_impossible(
    seen: FusedPlate,
    persistence: float,
    floor: float,
) -> None:
    belief = soften(seen, CONFUSIONS, floor=floor, persistence=persistence)
    assert np.allclose(belief.rows.sum(axis=1), 1.0)
    plain = [ALPHABET.index(c) for c in ALPHABET if fold(c) == c]
    assert (belief.rows[:, plain] > 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_scores_of_all_plates_sum_to_one(seed: int) -> None:
    """On an alphabet of three characters every plate can be summed, all lengths up to a bound."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((3, 36), np.float32)
    rows[:, :3] = rng.dirichlet([1, 1, 1], 3)
    eye = Confusions(np.eye(36), missed=0.2, invented=0.2)
    belief = soften(FusedPlate("012", "012", None, 1, rows), eye, floor=1.0, persistence=0.0)
    texts = ["".join(ALPHABET[(n // 3**i) % 3] for i in range(k)) for k in range(1, 7) for n in range(3**k)]
    total = score(belief, texts).sum()
    assert total <= 1.0 + 1e-9
    # What a missing character might be is spread over all 36, of which three are counted here.
    assert total >= (1 - 0.2) ** 4 * (1 - 0.2**3) - 1e-9


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_is_probable_is_within_reach(data: st.DataObject) -> None:
    seen = plate(data.draw(TEXTS), data.draw(st.floats(0.9, 0.999)), data.draw(st.integers(1, 5)))
    belief = soften(seen, CONFUSIONS, floor=0.1, persistence=0.5)
    near = fold(data.draw(neighbours(seen.text)))
    within = candidate_query(belief, best=64, bound=1e-6, most_keys=2000)
    probability = float(score(belief, [near])[0])
    reached = near in within.keys or head_bucket(near) in within.heads or tail_bucket(near) in within.tails
    if not reached:
        assert probability <= max(1e-5, within.left_out)


def _placed(text: str, sure: float, sequence: int) -> PlacedRead:
    rows = posterior(text, sure)
    box = Box(10, 10, 120, 34)
    crop = Crop(
        CameraId("c"),
        sequence * 40_000_000,
        sequence,
        Detection(box, 0.9),
        np.full((30, 130, 3), 90, np.uint8),
    )
    alternatives = (Hypothesis(text, "CZ", math.log(sure) * len(text)),)
    characters = tuple(Character(c, sure) for c in text)
    return PlacedRead(crop, Read(text, text, "CZ", sure ** len(text), characters, rows, alternatives))


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(4)), st.sampled_from(["1AB2345", "1A82345", "1AB2346"]))
def test_the_order_of_frames_does_not_matter(order: list[int], odd: str) -> None:
    reads = [_placed("1AB2345", 0.97, 0), _placed(odd, 0.9, 1), _placed("1AB2345", 0.99, 2), _placed("1AB2345", 0.8, 3)]
    answer = paid("1A82345")
    straight, shuffled = fuse(reads).plate, fuse([reads[place] for place in order]).plate
    assert np.allclose(straight.posterior.sum(axis=1), 1.0, atol=1e-5)
    first = decide(ask(straight, CONFUSIONS, POLICY), answer, POLICY, PLAIN)
    second = decide(ask(shuffled, CONFUSIONS, POLICY), answer, POLICY, PLAIN)
    assert first.kind is second.kind
    assert first.p_paid == pytest.approx(second.p_paid)


def test_a_sure_read_of_a_registered_plate_is_paid() -> None:
    assert kind_of(paid("1AB2345"), plate("1AB2345")) is VerdictKind.PAID


def test_a_sure_read_far_from_every_registered_plate_is_unpaid() -> None:
    verdict = decide(ask(plate("1AB2345"), CONFUSIONS, POLICY), paid("9ZZ9871"), POLICY, PLAIN)
    assert (verdict.kind, verdict.rule) == (VerdictKind.UNPAID, "no-paid-reading")
    assert verdict.readings[0].plate == "1AB2345"
    assert not verdict.readings[0].paid


@pytest.mark.parametrize("near", ["1A82345", "1AB2346", "1AB235", "11AB2345", "1AB234S"])
def test_a_paid_plate_one_misread_away_asks_for_a_person(near: str) -> None:
    assert kind_of(paid(near), plate("1AB2345")) is VerdictKind.REVIEW


def test_letters_and_digits_that_look_alike_are_one() -> None:
    assert kind_of(paid("BO551NE"), plate("B0551NE", country="UK"), POLICY) is not VerdictKind.UNPAID


def test_no_vignette_of_another_country_is_ignored() -> None:
    verdict = decide(ask(plate("1AB2345"), CONFUSIONS, POLICY), paid("1AB2345", country="SK"), POLICY, PLAIN)
    assert verdict.kind is not VerdictKind.UNPAID
    assert verdict.p_paid > POLICY.bound


@pytest.mark.parametrize(
    ("seen", "circumstances", "expected", "rule"),
    [
        (plate("1AB2345", sure=0.999, looks=1), PLAIN, VerdictKind.REVIEW, "one-look"),
        (plate("1AB2345", sure=0.97), PLAIN, VerdictKind.REVIEW, None),
        (plate("1AB2345"), Circumstances(grammatical=False), VerdictKind.REVIEW, "no-known-plate"),
        (plate("1AB2345"), Circumstances(grace_open=True), VerdictKind.UNKNOWN, "grace-open"),
    ],
)
def test_unpaid_needs_two_looks_a_sure_reading_a_known_plate_and_an_ended_grace_period(
    seen: FusedPlate,
    circumstances: Circumstances,
    expected: VerdictKind,
    rule: str | None,
) -> None:
    verdict = decide(ask(seen, CONFUSIONS, POLICY), paid(), POLICY, circumstances)
    assert verdict.kind is expected
    assert rule in (None, verdict.rule)


def test_exemptions_by_plate_by_pattern_and_by_country() -> None:
    question = ask(plate("EL123AB"), CONFUSIONS, POLICY)
    for pattern, country in (("EL123AB", "CZ"), ("EL*", "CZ"), ("EL?????", "*")):
        answer = RegistryAnswer((), (Exemption(fold_pattern(pattern), country, "electric", 0, 1),))
        assert decide(question, answer, POLICY, PLAIN).kind is VerdictKind.EXEMPT, pattern
    foreign = RegistryAnswer((), (Exemption("*", "CZ", "foreign", 0, 1),))
    assert decide(question, foreign, POLICY, PLAIN).kind is VerdictKind.EXEMPT
    other = RegistryAnswer((), (Exemption("EA*", "CZ", "electric", 0, 1),))
    assert decide(question, other, POLICY, PLAIN).kind is not VerdictKind.EXEMPT


def test_a_registry_that_answers_single_plates_only_leaves_more_doubt() -> None:
    question = ask(plate("1AB2345"), CONFUSIONS, POLICY)
    whole = decide(question, paid(), POLICY, PLAIN)
    single = decide(question, replace(paid(), asked=question.query.keys[:3]), POLICY, PLAIN)
    assert single.p_paid > whole.p_paid


def test_a_question_is_the_same_question_each_time() -> None:
    first, second = (ask(plate("1AB2345"), CONFUSIONS, POLICY) for _ in range(2))
    assert isinstance(first, Question)
    assert first.query == second.query
