"""A vehicle has paid if it had paid at any moment from its first frame to its last, and clocks accuse nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.core.confusions import typical
from roadside.core.moments import JUMP_NS, PassageTime, Stamp, TimeDoubt, time_seen
from roadside.core.reads import ALPHABET, FusedPlate
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Policy
from roadside.core.vignettes import CandidateQuery, RegistryAnswer, Vignette
from roadside.registry.judge import Judge
from roadside.registry.validity import end_ns, start_ns
from tests.clocks import HandClock

PRAGUE = ZoneInfo("Europe/Prague")
SECOND_NS = 10**9
CONFUSIONS = typical()
PLATE = "1AB2345"


@dataclass(frozen=True)
class Held:
    """A registry of one vignette of `PLATE`, half-open as all are."""

    from_ns: int
    to_ns: int
    country: str = "CZ"

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        asked = PLATE in (*query.keys, *query.near)
        vignette = Vignette(PLATE, self.country, "", self.from_ns, self.to_ns)
        return RegistryAnswer((vignette,) if asked and passage.meets(self.from_ns, self.to_ns) else (), ())


def seen(text: str = PLATE, looks: int = 3) -> FusedPlate:
    rows = np.full((len(text), len(ALPHABET)), 1e-9)
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = 1 - 35e-9
    return FusedPlate(text, text, "CZ", 0.995, rows.astype(np.float32), (), (), looks, ())


def judged(held: Held, passage: PassageTime, tolerance_s: float = 0.0, plate: FusedPlate | None = None) -> str:
    judge = Judge(held, CONFUSIONS, Policy(), HandClock(), tolerance_s=tolerance_s)
    return judge.judge(plate or seen(), passage).kind.value


def ns(*when: int, fold: int = 0) -> int:
    """A time on the wall in Prague."""
    return round(datetime(*when, tzinfo=PRAGUE, fold=fold).timestamp()) * SECOND_NS  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [
        (99, 99, "UNPAID"),
        (100, 100, "PAID"),
        (199, 199, "PAID"),
        (200, 200, "UNPAID"),
        (50, 99, "UNPAID"),
        (50, 100, "PAID"),
        (199, 500, "PAID"),
        (200, 500, "UNPAID"),
        (0, 1000, "PAID"),
    ],
)
def test_both_ends_of_a_passage_count_and_a_vignette_is_half_open(first: int, last: int, kind: str) -> None:
    assert judged(Held(100, 200), PassageTime(first, last)) == kind


def test_midnight_of_the_last_day() -> None:
    held = Held(start_ns("2026-01-01", PRAGUE), end_ns("2026-06-30", PRAGUE))
    midnight = ns(2026, 7, 1)
    assert judged(held, PassageTime.at(midnight - 1)) == "PAID"
    assert judged(held, PassageTime.at(midnight)) == "UNPAID"
    assert judged(held, PassageTime(midnight - 1, midnight + 20 * SECOND_NS)) == "PAID"
    assert judged(held, PassageTime.at(midnight), tolerance_s=1) == "PAID"
    assert judged(held, PassageTime.at(midnight + 300 * SECOND_NS - 1), tolerance_s=300) == "PAID"
    assert judged(held, PassageTime.at(midnight + 300 * SECOND_NS), tolerance_s=300) == "UNPAID"


def test_a_vignette_that_begins_while_the_vehicle_passes() -> None:
    begins = ns(2026, 5, 4, 12, 30)
    held = Held(begins, begins + 10**18)
    assert judged(held, PassageTime(begins - 5 * SECOND_NS, begins)) == "PAID"
    assert judged(held, PassageTime(begins - 5 * SECOND_NS, begins - 1)) == "UNPAID"
    assert judged(held, PassageTime.at(begins - 300 * SECOND_NS), tolerance_s=300) == "PAID"
    assert judged(held, PassageTime.at(begins - 300 * SECOND_NS - 1), tolerance_s=300) == "UNPAID"


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_days_on_which_the_clock_changes_are_as_long_as_they_are(day: date, hours: int) -> None:
    held = Held(start_ns(str(day), PRAGUE), end_ns(str(day), PRAGUE))
    begins = ns(day.year, day.month, day.day)
    assert held == Held(begins, begins + hours * 3600 * SECOND_NS)
    assert judged(held, PassageTime.at(begins + hours * 3600 * SECOND_NS - 1)) == "PAID"
    assert judged(held, PassageTime.at(begins + hours * 3600 * SECOND_NS)) == "UNPAID"
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=PRAGUE)
    assert twice.replace(fold=1).astimezone(UTC) - twice.astimezone(UTC) == timedelta(hours=1)


MOMENTS = st.integers(0, 400)


@given(
    a=MOMENTS,
    b=MOMENTS,
    earlier=MOMENTS,
    later=MOMENTS,
    begins=MOMENTS,
    lasts=MOMENTS,
    country=st.sampled_from(["CZ", "DE"]),
)
def test_a_wider_passage_is_never_newly_unpaid(  # noqa: PLR0917 - each is a dimension
    a: int, b: int, earlier: int, later: int, begins: int, lasts: int, country: str
) -> None:
    held = Held(begins, begins + lasts, country)
    passage = PassageTime(min(a, b), max(a, b))
    wider = PassageTime(passage.first_ns - earlier, passage.last_ns + later)
    if judged(held, wider) == "UNPAID":
        assert judged(held, passage) == "UNPAID"


@given(
    a=MOMENTS,
    doubt=st.sampled_from(TimeDoubt),
    text=st.sampled_from([PLATE, "9ZZ9999", "WUAB123", "1AB2354"]),
    looks=st.integers(1, 4),
)
def test_a_time_that_is_not_believed_accuses_nobody(a: int, doubt: TimeDoubt, text: str, looks: int) -> None:
    judge = Judge(Held(100, 300), CONFUSIONS, Policy(), HandClock(), tolerance_s=0.0)
    believed = judge.judge(seen(text, looks), PassageTime.at(a))
    verdict = judge.judge(seen(text, looks), PassageTime(a, a, doubt))
    assert verdict.passage == PassageTime(a, a, doubt)
    undated = doubt is TimeDoubt.RECORDING_UNKNOWN
    if believed.kind is VerdictKind.REVIEW or (undated and believed.kind is VerdictKind.PAID):
        assert verdict.kind is believed.kind
    else:
        assert (verdict.kind, verdict.rule) == (VerdictKind.UNKNOWN, doubt.value)
    settled = judge.settle(text, "CZ", PassageTime(a, a, doubt), stated=True)
    if undated and settled.kind is VerdictKind.PAID:
        return
    assert (settled.kind, settled.rule) == (VerdictKind.UNKNOWN, doubt.value)


def test_what_was_seen_has_the_times_of_its_stamps() -> None:
    assert time_seen((10, 30), [(10, None), (30, None)]) == (PassageTime(10, 30), 0)
    ahead = [(at, Stamp(at + 1000, 7)) for at in (10, 20)]
    assert time_seen((10, 30), ahead) == (PassageTime(1010, 1030), 7)


@pytest.mark.parametrize("step_ns", [3600 * SECOND_NS, -3600 * SECOND_NS, 10 * 365 * 86_400 * SECOND_NS, JUMP_NS + 1])
def test_a_clock_that_is_set_meanwhile_gives_a_time_that_holds_both_and_is_doubted(step_ns: int) -> None:
    stamped = [(10, Stamp(10)), (20, Stamp(20 + step_ns))]
    seen_at, _ = time_seen((10, 20), stamped)
    assert seen_at.doubt is TimeDoubt.JUMPED
    assert seen_at.first_ns <= 10 + min(0, step_ns)
    assert seen_at.last_ns >= 20 + max(0, step_ns)
    small, _ = time_seen((10, 20), [(10, Stamp(10)), (20, Stamp(20 + JUMP_NS))])
    assert small.doubt is None


def test_the_weightiest_doubt_of_all_frames_is_told() -> None:
    doubts = [None, TimeDoubt.UNSYNCHRONISED, TimeDoubt.TOO_EARLY]
    stamped = [(at, Stamp(at, doubt=doubt)) for at, doubt in enumerate(doubts)]
    assert time_seen((0, 2), stamped)[0] == replace(PassageTime(0, 2), doubt=TimeDoubt.TOO_EARLY)


@pytest.mark.parametrize(
    ("since_s", "at_s", "rule"), [(-3600, 0, "clock-too-early"), (3600, 0, None), (-3600, -1e6, None)]
)
def test_a_clock_that_stands_before_the_newest_list_was_taken_in_accuses_nobody(
    since_s: float, at_s: float, rule: str | None
) -> None:
    """Unless the passage is not of now: then it was another clock that told its time."""
    clock = HandClock()

    class Imported:
        def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
            del query, passage
            return RegistryAnswer((), (), imported_ns=clock.ns - round(since_s * 1e9))

    judge = Judge(Imported(), CONFUSIONS, Policy(), clock)
    passage = PassageTime.at(clock.ns + round(at_s * 1e9))
    for verdict in (judge.judge(seen(), passage), judge.settle(PLATE, "CZ", passage, stated=True)):
        assert verdict.kind is (VerdictKind.UNPAID if rule is None else VerdictKind.UNKNOWN)
        assert rule in (None, verdict.rule)


@pytest.mark.parametrize(
    ("unread", "kind"),
    [((), "UNPAID"), (("",), "UNKNOWN"), ((PLATE,), "UNKNOWN"), ((PLATE[:5],), "UNKNOWN"), (("9ZZ99",), "UNPAID")],
)
def test_a_list_with_rows_that_could_not_be_read_accuses_nobody_who_may_be_in_one(
    unread: tuple[str, ...], kind: str
) -> None:
    class Torn:
        def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
            del query, passage
            return RegistryAnswer((), (), unread=unread)

    judge = Judge(Torn(), CONFUSIONS, Policy(), HandClock(), tolerance_s=0.0)
    for verdict in (judge.judge(seen(), PassageTime.at(5)), judge.settle(PLATE, "CZ", PassageTime.at(5), stated=True)):
        assert verdict.kind.value == kind
        assert (verdict.rule == "registry-rows-unread") is (kind == "UNKNOWN")


@pytest.mark.parametrize(("last_ns", "kind"), [(99, "UNKNOWN"), (100, "UNPAID"), (500, "UNPAID")])
def test_a_list_that_begins_after_the_passage_accuses_nobody(last_ns: int, kind: str) -> None:
    class Young:
        def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
            del query, passage
            return RegistryAnswer((), (), begins_ns=100)

    judge = Judge(Young(), CONFUSIONS, Policy(), HandClock(), tolerance_s=0.0)
    passage = PassageTime(0, last_ns)
    for verdict in (judge.judge(seen(), passage), judge.settle(PLATE, "CZ", passage, stated=True)):
        assert verdict.kind.value == kind
        assert (verdict.rule == "registry-begins-later") is (kind == "UNKNOWN")
