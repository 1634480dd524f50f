"""Rows of a list that cannot be read leave nobody UNPAID who may stand in one, on both databases."""

from __future__ import annotations

import pytest

from roadside.core.sightings import VerdictKind
from tests.contract.test_registry import World, listed, server, world

__all__ = ["server", "world"]  # fixtures


def test_whoever_stands_in_a_row_that_cannot_be_read_is_not_unpaid(world: World) -> None:
    bad = "9ZZ0001,CZ,soon,2026-12-31,car\n"
    taken = world.load(listed(["1AB2345"]) + bad)
    assert (taken.report.doubted, taken.report.unsure) == (1, 0)
    assert world.kind("9ZZ0001") is VerdictKind.UNKNOWN
    assert world.kind("9ZZ0002") is VerdictKind.UNPAID
    assert world.kind("1AB2345") is VerdictKind.PAID
    world.load(listed(["9ZZ0001"], "2024-01-01,2024-12-31,car"))
    assert world.kind("9ZZ0001") is VerdictKind.UNPAID, "the row was put right: it has expired"


def test_while_a_row_may_be_of_anybody_nobody_is_unpaid(world: World) -> None:
    unsure = listed(["1AB2345"]) + "?!,CZ,2026-01-01,2026-12-31,car\n"
    assert world.load(unsure).report.unsure == 1
    assert world.kind("9ZZ0002") is VerdictKind.UNKNOWN
    assert world.kind("1AB2345") is VerdictKind.PAID
    world.load(listed(["1AB2345", "1AB2346"]))
    assert world.kind("9ZZ0002") is VerdictKind.UNPAID, "the same list, put right"
    world.load(unsure)
    assert world.kind("9ZZ0002") is VerdictKind.UNKNOWN
    assert world.load(unsure, force=True).report.unsure == 0
    assert world.kind("9ZZ0002") is VerdictKind.UNPAID, "somebody said that nobody is lost by it"
    world.load(unsure)
    world.load(listed(["1AB2345", "1AB2347"]), replace=True, registry_max_removed=1.0)
    assert world.kind("9ZZ0002") is VerdictKind.UNPAID, "a list that stands for all of them"


FOOTERS = (",,,,Total", ",Celkem: 3,,,", ",Summe,,,3", ",Razem 1 234,,,", ",,,,Összesen")
NO_FOOTERS = (
    ",CZ,,,Total",
    ",CZ,,,",
    ",Total,2026-01-01,,",
    ",Total,,2026-12-31,",
    "?!,Total,,,",
    ",Total,,,1AB2345",
    ",Total",
    ",car,,,3",
)


@pytest.mark.parametrize("footer", FOOTERS)
@pytest.mark.parametrize("end", ["\n", "", "\n\n"])
def test_a_line_of_totals_at_the_end_is_told_and_doubts_nobody(world: World, footer: str, end: str) -> None:
    taken = world.load(listed(["1AB2345"]) + footer + end, replace=True)
    assert (taken.report.unsure, taken.report.doubted, taken.report.rejected) == (0, 0, 1)
    assert "totals" in taken.report.bad_rows[0].reason
    assert world.kind("9ZZ0002") is VerdictKind.UNPAID


@pytest.mark.parametrize("row", NO_FOOTERS)
def test_what_may_be_a_vignette_is_no_line_of_totals(world: World, row: str) -> None:
    assert world.load(listed(["1AB2345"]) + row + "\n").report.unsure == 1
    assert world.kind("9ZZ0002") is VerdictKind.UNKNOWN


@pytest.mark.parametrize("footer", FOOTERS[:2])
def test_a_line_of_totals_within_the_list_is_a_row_without_a_plate(world: World, footer: str) -> None:
    behind = listed(["3CD4567"]).partition("\n")[2]
    assert world.load(listed(["1AB2345"]) + footer + "\n" + behind).report.unsure == 1
