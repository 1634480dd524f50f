"""When a vignette may still be bought after a passage, and the verdict therefore waits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from roadside.core.confusions import typical
from roadside.core.moments import PassageTime
from roadside.core.reads import ALPHABET, FusedPlate
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Policy
from roadside.core.vignettes import CandidateQuery, Exemption, RegistryAnswer, Vignette
from roadside.registry.judge import Judge
from tests.clocks import HandClock

PASSED_AT_NS = 1_000_000_000_000
PASSED = PassageTime.at(PASSED_AT_NS)
GRACE_S = 60.0
TOLERANCE_S = 30.0


class NobodyPaid:
    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        del query, passage
        return RegistryAnswer((), ())


class OldList:
    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        paid = tuple(Vignette(key, "CZ", "", 0, passage.last_ns + 1) for key in query.keys if key == "1AB2345")
        return RegistryAnswer(paid, (), stale=True)


def seen(text: str = "1AB2345") -> FusedPlate:
    rows = np.full((len(text), len(ALPHABET)), 1e-9)
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = 1 - 35e-9
    return FusedPlate(text, text, "CZ", 0.995, rows.astype(np.float32), (), (), 3)


@pytest.mark.parametrize(
    ("grace_s", "after_s", "kind", "rule"),
    [
        (GRACE_S, GRACE_S - 1, VerdictKind.UNKNOWN, "grace-open"),
        (GRACE_S, GRACE_S + 1, VerdictKind.UNPAID, None),
        (0.0, 1, VerdictKind.UNPAID, None),
        # A recording may be read faster than it plays: its passages then lie ahead of the clock.
        (0.0, -35, VerdictKind.UNPAID, None),
        (GRACE_S, -35, VerdictKind.UNKNOWN, "grace-open"),
    ],
)
def test_an_unpaid_passage_waits_for_the_end_of_its_grace_period(
    grace_s: float, after_s: float, kind: VerdictKind, rule: str | None
) -> None:
    clock = HandClock(PASSED_AT_NS + round((after_s + TOLERANCE_S) * 1e9))
    judge = Judge(NobodyPaid(), typical(), Policy(), clock, grace_s, TOLERANCE_S)
    given = judge.judge(seen(), PASSED)
    settled = judge.settle("1AB2345", "CZ", PASSED, stated=True)
    for verdict in (given, settled):
        assert verdict.kind is kind
        assert rule in (None, verdict.rule)


def test_an_old_list_says_who_paid_and_accuses_nobody() -> None:
    judge = Judge(OldList(), typical(), Policy(), HandClock(PASSED_AT_NS))
    for verdict in (
        judge.judge(seen("9ZZ9999"), PASSED),
        judge.settle("9ZZ9999", "CZ", PASSED, stated=True),
    ):
        assert (verdict.kind, verdict.rule) == (VerdictKind.UNKNOWN, "registry-stale")
    for verdict in (judge.judge(seen(), PASSED), judge.settle("1AB2345", "CZ", PASSED, stated=True)):
        assert verdict.kind is VerdictKind.PAID


def test_a_person_may_write_an_umlaut_out() -> None:
    class Wuerzburg:
        def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
            paid = tuple(Vignette(key, "DE", "", 0, passage.last_ns + 1) for key in query.keys if key == "WUAB123")
            return RegistryAnswer(paid, ())

    judge = Judge(Wuerzburg(), typical(), Policy(), HandClock(PASSED_AT_NS))
    for typed in ("WÜ-AB 123", "WUE-AB 123", "WUAB123"):
        assert judge.settle(typed, "DE", PASSED, stated=True).kind is VerdictKind.PAID


@dataclass
class Holder:
    """A registry that holds what it is told."""

    plates: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        paid = tuple(Vignette(key, "CZ", "", 0, passage.last_ns + 1) for key in query.keys if key in self.plates)
        return RegistryAnswer(
            paid,
            tuple(Exemption(key, "*", "police", 0, passage.last_ns + 1) for key in query.keys if key in self.exempt),
        )


@pytest.mark.parametrize(
    ("bought", "is_near"),
    [
        ("1BA2345", True),
        ("1AB2354", True),
        ("A1B2345", True),
        ("1A2B345", True),
        ("2AB1345", False),
        ("1AB5432", False),
    ],
)
def test_a_vignette_with_two_letters_swapped_is_told_and_accuses_nobody(bought: str, is_near: bool) -> None:  # noqa: FBT001 - a table's column
    for held in (Holder((bought,)), Holder(exempt=(bought,))):
        verdict = Judge(held, typical(), Policy(), HandClock(PASSED_AT_NS)).judge(seen(), PASSED)
        if not is_near:
            assert verdict.kind is VerdictKind.UNPAID
            continue
        assert (verdict.kind, verdict.rule) == (VerdictKind.REVIEW, "paid-if-swapped")
        assert [v.plate for v in verdict.vignettes] + [e.pattern for e in verdict.exemptions] == [bought]


def test_before_somebody_is_accused_the_registry_is_asked_twice_and_no_more() -> None:
    asked: list[CandidateQuery] = []

    class Counting:
        def search(self, query: CandidateQuery, at_ns: int) -> RegistryAnswer:
            del at_ns
            asked.append(query)
            return RegistryAnswer((), ())

    Judge(Counting(), typical(), Policy(), HandClock(PASSED_AT_NS)).judge(seen(), PASSED)
    assert [bool(query.near) for query in asked] == [False, True]
