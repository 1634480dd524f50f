"""The bench of known plates counts right and wrong openings, each vehicle once for its bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.verdict.bounds import clopper_pearson
from models.verdict.known import Arrival, Lists, Look, believed, near_plates
from models.verdict.known_table import GROUPS, Rule, opening, sweep, table, telling
from models.verdict.spoils import SPOILS
from roadside.core.confusions import typical
from roadside.core.known import Action, KnownPlate, KnownPolicy, matches
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET, FusedPlate

OWN = fold("1AB2345")
LISTS = Lists(OWN, (OWN, fold("9XY8765")), near_plates(OWN, typical()))
NOBODY = Look(3, 2, own=0.0, other=0.0, stranger=0.0, near=(0.0, 0.0), mistaken=(0.0, 0.0))
OPENS = Rule(0.999, opening, 2)


def read_as(text: str) -> FusedPlate:
    rows = np.full((len(text), len(ALPHABET)), 1e-7, np.float32)
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = 1.0
    return FusedPlate(text, text, "CZ", 0.9, rows / rows.sum(axis=1, keepdims=True), looks=4, doubts=())


def row(text: str, group: str, frames: int) -> list[str]:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return next(cells for cells in rows if cells[:2] == [group, str(frames)])


def test_every_condition_is_in_one_group() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(SPOILS)


def test_near_plates_differ_in_one_folded_character_each_place_in_turn() -> None:
    apart = [[slot for slot in range(len(OWN)) if OWN[slot] != key[slot]] for key in LISTS.near]
    assert all(len(places) == 1 for places in apart)
    assert {places[0] for places in apart} == set(range(len(OWN)))
    assert all(key == fold(key) for key in LISTS.near)


@pytest.mark.parametrize("read", [OWN, LISTS.near[0], fold("9XY8765")])
def test_what_is_believed_is_what_the_product_says(read: str) -> None:
    plate = read_as(read)
    look = believed(plate, 5, LISTS, typical())
    policy = KnownPolicy(alert_at=1e-300)

    def p(asked: str, *keys: str) -> float:
        known = [KnownPlate("all", Action.OPEN, key) for key in keys]
        return next((m.probability for m in matches(plate, known, 1, typical(), policy) if m.plate == asked), 0.0)

    assert look.own == pytest.approx(p(OWN, *LISTS.everybody))
    assert look.stranger == pytest.approx(p(LISTS.everybody[1], LISTS.everybody[1]))
    assert look.near == pytest.approx([p(key, key) for key in LISTS.near])
    assert look.mistaken == pytest.approx([p(key, OWN, key) for key in LISTS.near])


def test_a_gate_is_asked_at_every_moment_and_a_passage_once() -> None:
    arrival = Arrival("a", "clean", (replace(NOBODY, own=0.9995), replace(NOBODY, frames=5, own=0.4)), (NOBODY,))
    text = table([arrival], OPENS)
    assert row(text, "clean", 2)[3:5] == ["0 (0%)", "1"], "not seen long enough"
    assert row(text, "clean", 5)[3:5] == ["1 (100%)", "0"], "it opened at three frames"
    assert row(table([arrival], Rule(0.5, telling, 1)), "clean", 3)[3:5] == ["0 (0%)", "1"]


def test_a_single_look_opens_nothing_unless_that_is_asked() -> None:
    arrival = Arrival("a", "clean", (replace(NOBODY, looks=1, own=1.0),), ())
    assert row(table([arrival], OPENS), "clean", 10)[3] == "0 (0%)"
    assert row(table([arrival], replace(OPENS, least_looks=1)), "clean", 10)[3] == "1 (100%)"


def test_false_openings_are_counted_by_passage_list_and_vehicle() -> None:
    wrong = replace(NOBODY, near=(1.0, 0.0), mistaken=(0.0, 0.9999), other=0.9995, stranger=0.2)
    later = replace(NOBODY, frames=5, near=(1.0, 1.0))
    arrivals = [
        Arrival("a", "mud", (wrong, later), ()),
        Arrival("a", "bolt", (wrong,), ()),
        Arrival("b", "mud", (), ()),
    ]
    text = table(arrivals, OPENS)
    bound = f"{clopper_pearson(1, 2)[1]:.1%}"
    assert row(text, "spoilt", 5)[2:11] == ["3", "0 (0%)", "3", "2", "2", "3", "1", bound, "2"]
    assert row(text, "spoilt", 5)[11:] == ["0", "0", f"{clopper_pearson(0, 2)[1]:.1%}"]
    assert sweep(arrivals, [OPENS]).splitlines()[-1] == "| 0.999 | 2 | 0 of 0 | 0 | 0 of 0 | 0 | 0 of 3 | 3 | 1 | 0 |"
