"""Errors that come together: how they are named, what they make probable, and that they speak against an accusation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.verdict.joint import Counts, written
from roadside.core.joint_errors import error_kind, from_json, typical, unseen_times
from roadside.core.moments import PassageTime
from roadside.core.nearness import Relation, reach_of, relation
from roadside.core.neighbours import edit_distances
from roadside.core.reads import FOLDED_ALPHABET
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Policy
from roadside.registry.judge import Judge
from tests.unit.test_whole_plates import CONFUSIONS, CZECH, Clock, registry, seen

SHIPPED = Path(__file__).parents[2] / "models/shipped/joint_errors.json"


@pytest.mark.parametrize(
    ("read", "plate", "name"),
    [
        ("1AB2346", "1AB2345", "1s0m0i-end"),
        ("1AB7345", "1AB2345", "1s0m0i-run"),
        ("B2345", "1AB2345", "0s2m0i-end"),
        ("1A2345", "1AB2345", "0s1m0i-run"),
        ("11AB2345", "1AB2345", "0s0m1i-end"),
        ("DL27308", "K0L27308", "1s1m0i-end"),
        ("1CB2346", "1AB2345", "2s0m0i-apart"),
        ("EGKT148", "GKT248", "1s0m1i-apart"),
        ("1AB2345", "1AB2345", None),
        ("9ZZ9999", "1AB2345", None),
    ],
)
def test_an_error_is_named_by_what_was_done_and_where(read: str, plate: str, name: str | None) -> None:
    kind = error_kind(read, plate)
    assert (kind.name if kind else None) == name


@given(CZECH, st.text(FOLDED_ALPHABET, min_size=3, max_size=9))
def test_as_many_errors_are_named_as_lie_between_and_none_beyond_three(plate: str, read: str) -> None:
    kind = error_kind(read, plate)
    if kind is not None:
        assert 1 <= kind.errors <= 3
        assert len(read) - len(plate) == kind.invented - kind.missed
        assert edit_distances(read, [plate])[0] <= kind.errors


def test_what_was_counted_often_is_likelier_and_of_single_errors_the_posterior_tells() -> None:
    known = typical()
    cut = replace(known, kinds={"0s2m0i-end": 50.0})
    assert cut.probability("B2345", "1AB2345") > known.probability("B2345", "1AB2345") > 0
    assert known.probability("1AB2588", "1AB25B3") > known.probability("1AB2517", "1AB25B3") > 0
    for read in ("9ZZ9999", "1AB2346", "AB2345", "1AB2345"):
        assert known.probability(read, "1AB2345") == 0


def test_the_shipped_counts_are_read_as_a_whole_and_by_halves_and_name_no_plate() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    whole, first, second = from_json(text), from_json(text, 0), from_json(text, 1)
    assert whole.reads == pytest.approx(first.reads + second.reads)
    assert whole.right > 500
    assert np.allclose(whole.read_given_truth.sum(axis=1), 1.0)
    assert {len(pair[0]) for half in json.loads(text)["halves"] for pair in half["substitutions"]} == {1}


def test_what_was_never_seen_is_as_probable_as_what_was_seen_once() -> None:
    none, once, often = unseen_times({}), unseen_times({"2s0m0i-end": 1.0}), unseen_times({"2s0m0i-end": 9.0})
    assert 0 < none < once < 0.05
    assert often < once
    assert unseen_times({"1s0m0i-end": 1.0}) == none, "single errors tell nothing of joint ones"
    counted = from_json(Path("models/shipped/joint_errors.json").read_text(encoding="utf-8"))
    assert 0 < counted.unseen < typical().unseen, "a reader that nobody measured keeps the larger doubt"
    far = ("1UB2375", "1AB2345")
    assert 0 < counted.probability(*far) < replace(counted, unseen=typical().unseen).probability(*far)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"halves": [{}, {}]}', '{"halves": 3}'])
def test_what_holds_no_counts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="joint errors"):
        from_json(text)


def test_a_vehicle_counts_once_in_a_condition_however_many_frames_were_judged() -> None:
    half = Counts()
    half.add(["1AB2345", "1AB2345", "1AB2348", "AB2345"], "1AB2345")
    half.add([], "1AB2345")
    half.add(["9ZZ9999"], "1AB2345")
    assert (half.reads, half.right) == (2.0, 0.5)
    assert half.kinds == {"1s0m0i-end": 0.25, "0s1m0i-end": 0.25, "beyond": 1.0}
    again = from_json(written({}, (half, Counts()), {}))
    assert (again.reads, again.kinds["0s1m0i-end"]) == (2.0, 0.25)
    assert again.read_given_truth[5, 8] > typical().read_given_truth[5, 8]


def test_a_plate_that_could_be_misread_so_speaks_against_an_accusation() -> None:
    certain = replace(CONFUSIONS, joint=replace(typical(), kinds={"2s0m0i-apart": 60.0, "1s0m0i-run": 60.0}))
    far = "1UB2375"
    assert relation("1AB2345", far) is Relation.TWO_ERRORS
    for confusions, kind in ((CONFUSIONS, VerdictKind.UNPAID), (certain, VerdictKind.REVIEW)):
        verdict = Judge(registry(far), confusions, Policy(), Clock()).judge(seen("1AB2345"), PassageTime.at(5))
        assert verdict.kind is kind
    assert verdict.rule == "paid-plate-may-be-misread"
    assert [v.plate for v in verdict.vignettes] == [far]


def test_two_errors_of_which_one_is_in_length_accuse_nobody() -> None:
    verdict = Judge(registry("GKT248", country="HU"), CONFUSIONS, Policy(), Clock()).judge(
        seen("EGKT148", "PL"), PassageTime.at(5)
    )
    assert (verdict.kind, verdict.rule) == (VerdictKind.REVIEW, Relation.LENGTH.value)


@given(CZECH, st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8), st.sampled_from(FOLDED_ALPHABET)), max_size=3))
def test_what_is_asked_for_finds_everything_that_is_related(read: str, changes: list[tuple[int, int, str]]) -> None:
    characters = list(read)
    for what, place, other in changes:
        at = min(place, len(characters) - 1)
        match what:
            case 0:
                characters[at] = other
            case 1:
                characters.insert(at, other)
            case 2 if len(characters) > 4:
                del characters[at]
            case _ if at:
                characters[at - 1 : at + 1] = characters[at - 1 : at + 1][::-1]
    plate = "".join(characters)
    near = relation(read, plate) is not None or 0 < edit_distances(read, [plate])[0] <= 2
    if near and 3 <= len(plate) <= 12:
        reach, half = reach_of(read), len(plate) // 2
        found = plate in reach.keys or f"{len(plate)}{plate[:half]}" in reach.heads
        assert found or f"{len(plate)}{plate[half:]}" in reach.tails
