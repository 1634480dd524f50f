"""The simulated year: errors stay what they were, its registry answers as a database, missing rules are counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.verdict.blocks import all_series, held, issued
from models.verdict.fleet import fleet, rightly_read, suspected
from models.verdict.judging import Bench, Rules, certain
from models.verdict.material import Material
from models.verdict.packed import pack
from models.verdict.transplant import Sequence, Transplant, aligned
from models.verdict.year import Kept, Year, accuse, sample
from models.verdict.year_table import table
from roadside.adapters.sql import SqlRegistry, import_vignettes, open_embedded
from roadside.core.confusions import codes, typical
from roadside.core.joint_errors import error_kind
from roadside.core.moments import PassageTime
from roadside.core.nearness import nearness_query
from roadside.core.reads import ALPHABET
from roadside.core.verdict import Policy, ask
from roadside.core.vignettes import Vignette
from tests.unit.test_whole_plates import CONFUSIONS, seen

if TYPE_CHECKING:
    from pathlib import Path

SERIES = all_series(np.random.default_rng(3))


def sequence(read: str, truth: str, doubts: tuple[str, ...] = ()) -> Sequence:
    return Sequence(0, 0, "tape", 5, "CZ", truth, seen(read, "CZ", doubts))


@pytest.mark.parametrize("read", ["1AB2345", "1AB2385", "B2345", "1A2345", "11AB2345", "DAB2345"])
def test_an_error_stays_what_it_was_on_another_plate(read: str) -> None:
    rng = np.random.default_rng(5)
    transplant = Transplant(sequence(read, "1AB2345"))
    for plate in ("7CD6190", "LKD2886", "9UP0007"):
        swaps = transplant.swaps(plate, rng)
        fused = transplant.fused(swaps, plate, "CZ")
        before, after = error_kind(read, "1AB2345"), error_kind(fused.text, plate)
        assert len(fused.text) == len(read)
        assert (before is None) == (after is None) == (fused.text == plate)
        if before and after:
            assert (before.substituted, before.missed, before.invented) == (
                after.substituted, after.missed, after.invented,
            )  # fmt: skip
        best = "".join(ALPHABET[c] for c in fused.posterior.argmax(axis=1))
        assert best == fused.text
        assert np.allclose(fused.posterior.sum(axis=1), 1.0, atol=1e-5)


def test_what_was_invented_stands_nowhere_in_the_truth() -> None:
    assert aligned("1AB2345", "1AB2345") == list(range(7))
    assert aligned("B2345", "1AB2345") == [2, 3, 4, 5, 6]
    assert aligned("1AXB2345", "1AB2345").count(None) == 1


def test_the_packed_registry_answers_as_a_database_does(tmp_path: Path) -> None:
    registry = issued(20_000, 1, SERIES)
    plates = sorted({v.plate for n in range(36) for v in registry.search(_half(n), PassageTime.at(1)).vignettes})
    assert len(plates) > 300
    database = open_embedded(tmp_path / "r.db")
    import_vignettes(database, (Vignette(p, "*", "", 0, 2**62) for p in plates), "f", 1)
    held_by_database = SqlRegistry(database, grace_s=0.0, max_age_days=0.0)
    packed = pack([np.array([codes(p) for p in plates if len(p) == n], np.uint8) for n in {*map(len, plates)}])
    for plate in (*plates[::97], "1AB2345", "MAB1234"):
        for query in (nearness_query(plate), ask(seen(plate), CONFUSIONS, Policy()).query):
            at = PassageTime.at(5)
            answers = (one.search(query, at).vignettes for one in (packed, held_by_database))
            assert len({frozenset(v.plate for v in found) for found in answers}) == 1
    database.close()


def _half(number: int):  # type: ignore[no-untyped-def] # noqa: ANN202 - a query
    query = nearness_query("1AB2345")
    return replace(query, keys=(), near=(), heads=(f"7{number % 10}{ALPHABET[10 + number % 26]}",))


def test_blocks_fill_up_as_more_vignettes_are_sold() -> None:
    assert held("CZ", 1_000_000) < held("CZ", 12_000_000) <= 0.7
    assert 300 < len(issued(1_000, 1, SERIES).forwards) < 6_000


def test_a_larger_registry_holds_all_that_a_smaller_one_holds() -> None:
    small, large = (set(issued(size, 1, SERIES).forwards.tolist()) for size in (2_000, 9_000))
    assert small < large


def test_what_was_read_right_is_paid_by_its_own_vignette() -> None:
    rng = np.random.default_rng(7)
    material = Material((sequence("1AB2345", "1AB2345"), sequence("1AB2365", "1AB2345")), (2, 0), (), ())
    assert list(rightly_read(material, Bench((typical(), typical()), Rules()), SERIES, rng)) == ["PAID"]


def test_a_run_that_was_stopped_knows_what_it_had_done(tmp_path: Path) -> None:
    path = tmp_path / "year.json"
    kept, year = Kept(path), Year(1_000, 990, 50)
    year.accused[3, "glare"] += 2
    year.said["paid"]["PAID"] += 7
    assert kept.year(1_000) is None
    assert kept.left(4) == [0, 1, 2, 3]
    kept.keep(year, [1, 2])
    again = Kept(path)
    assert again.year(1_000) == year
    assert again.left(4) == [1, 2]


MISREAD = (
    sequence("1AB2345", "1AB2345"),
    sequence("AB12345", "1AB12345"),
    sequence("1AB2365", "1AB2345"),
    sequence("B2345", "1AB2345"),
    sequence("B2345", "1AB2345", ("plate-partly-covered",)),
)


@pytest.mark.parametrize(
    ("rules", "accuses"),
    [(Rules(), False), (Rules(near=False), True), (Rules(near=False, pictures=False), True)],
)
def test_a_rule_that_is_switched_off_shows_in_the_count(rules: Rules, accuses: bool) -> None:  # noqa: FBT001 - a table
    rng = np.random.default_rng(7)
    material = Material(MISREAD, (5, 5), ((0, certain("9ZZ9999"), ("1AB2345", "9ZZ9999")),), (certain("GATE01"),))
    bench = Bench((typical(), typical()), rules)
    year = Year(3_000, 3_000, 400)
    suspects = list(suspected(material, bench, SERIES, 400, rng))
    registry = issued(3_000, 1, SERIES)
    accuse(year, suspects, range(len(suspects)), registry, bench)
    sample(year, material, registry, bench, {"unpaid": suspects[:5]}, {})
    assert bool(year.accused) is accuses
    assert year.said["chimeras"] == {"PAID": 1}
    assert year.said["lettering"]["UNPAID"] == 0
    assert "| 3,000 | 400 |" in table([year], material, bench, len(suspects), Counter())


def test_two_characters_read_wrong_for_certain_are_an_accusation_that_the_count_shows() -> None:
    rng = np.random.default_rng(7)
    material = Material((sequence("1UB2375", "1AB2345"),), (1, 0), (), ())
    bench = Bench((typical(), typical()), Rules())
    year = Year(100, 100, 40)
    suspects = list(suspected(material, bench, SERIES, 40, rng))
    left = accuse(year, suspects, range(len(suspects)), issued(100, 1, SERIES), bench)
    assert len(left) == year.accused.total()
    assert year.accused.total() > 10


def test_the_fleet_has_plates_of_the_length_that_is_asked_for() -> None:
    plates = list(fleet(7, 200, SERIES, np.random.default_rng(1)))
    assert len(plates) == 200
    assert {len(plate) for _, plate in plates} == {7}
    assert sum(country == "CZ" for country, _ in plates) > 100
    assert list(fleet(12, 5, SERIES, np.random.default_rng(1))) == []
