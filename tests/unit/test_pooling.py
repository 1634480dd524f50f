"""What several cuts of one plate say together."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from roadside.core.ctc import EMPTY
from roadside.core.pooling import MOST_ALTERNATIVES, pooled
from roadside.core.reads import Hypothesis

if TYPE_CHECKING:
    from roadside.core.reads import Read


def read(**probabilities: float) -> Read:
    ranked = sorted(probabilities.items(), key=lambda entry: -entry[1])
    told = tuple(Hypothesis(text, "UK", math.log(p)) for text, p in ranked)
    return replace(EMPTY, raw=ranked[0][0], text=ranked[0][0], confidence=ranked[0][1], alternatives=told)


def test_cuts_that_agree_are_as_sure_as_each() -> None:
    assert pooled([read(AB12CDE=0.9)] * 3).confidence == pytest.approx(0.9)


def test_one_sure_cut_does_not_outvote_three() -> None:
    joint = pooled([read(AB12CDF=0.97), *[read(AB12CDE=0.7, AB12CDF=0.1)] * 3])
    assert joint.text == "AB12CDE"
    assert joint.confidence < 0.7


def test_a_text_that_one_cut_alone_gives_is_doubtful() -> None:
    joint = pooled([read(POLICE=0.96), read(P0LICE1=0.5), read(FOLCE=0.4), EMPTY])
    assert joint.text == "POLICE"
    assert joint.confidence < 0.5


def test_letters_drawn_alike_count_as_one_text() -> None:
    joint = pooled([read(AB0123=0.45, ABO123=0.4), read(ABO123=0.5, AB0123=0.3), read(AB8123=0.6)])
    assert joint.text == "ABO123"


def test_probabilities_never_add_up_to_more_than_one_and_the_text_leads() -> None:
    torn = pooled([read(AB12CDE=0.95, AB12CDF=0.05), read(AB12CDF=0.95, AB12CDE=0.05)])
    assert sum(math.exp(one.log_p) for one in torn.alternatives) <= 1 + 1e-9
    assert torn.confidence <= 0.5 + 1e-9
    assert torn.alternatives[0].text == torn.text
    assert math.exp(torn.alternatives[0].log_p) == pytest.approx(torn.confidence)


def test_it_tells_no_more_texts_than_a_single_read() -> None:
    many = [read(**{f"AB{n}{k}": 0.9 - 0.1 * k for k in range(5)}) for n in range(4)]
    assert len(pooled(many).alternatives) == MOST_ALTERNATIVES


def test_where_no_cut_says_anything_nothing_is_said() -> None:
    assert pooled([EMPTY, EMPTY]).text == ""
