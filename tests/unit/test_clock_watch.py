"""When a clock is believed, and when not: each case with the times of a hand-moved clock and one that nobody sets."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside._version import RELEASED
from roadside.adapters.clock_sync import is_synchronised
from roadside.adapters.frame_clock import ASK_EVERY_NS, RELEASED_NS, FrameClock, SteadyClock
from roadside.core.clock_watch import SETTLING_NS, ClockSync, ClockWatch
from roadside.core.moments import JUMP_NS, TimeDoubt
from tests.clocks import A_DAY_IN_2027_NS, HandClock
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
STEPS_NS = [HOUR_NS, -HOUR_NS, 10 * 365 * 24 * HOUR_NS, JUMP_NS + 1, -JUMP_NS - 1]


@dataclass
class Machine:
    """A computer with its two clocks."""

    wall: HandClock
    steady_ns: int = 5

    def passes(self, ns: int) -> None:
        self.wall.ns += ns
        self.steady_ns += ns

    def clock(self, sync: ClockSync = ClockSync.OFF, *, answer: bool | None = None) -> FrameClock:
        return FrameClock(self.wall, sync, steady=lambda: self.steady_ns, ask=lambda: answer)


def machine() -> Machine:
    return Machine(HandClock())


@pytest.mark.parametrize("step_ns", STEPS_NS)
def test_frames_keep_their_distance_when_the_clock_is_set_and_are_doubted_for_an_hour(step_ns: int) -> None:
    here = machine()
    clock = here.clock()
    first, stamp = clock.stamp()
    assert (first, stamp.at_ns, stamp.doubt) == (A_DAY_IN_2027_NS, A_DAY_IN_2027_NS, None)
    here.passes(SECOND_NS)
    here.wall.ns += step_ns
    second, stamp = clock.stamp()
    assert second - first == SECOND_NS
    assert (stamp.at_ns, stamp.doubt) == (A_DAY_IN_2027_NS + SECOND_NS + step_ns, TimeDoubt.JUMPED)
    here.passes(SETTLING_NS - 1)
    assert clock.doubt() is TimeDoubt.JUMPED
    here.passes(1)
    assert clock.doubt() is None


def test_a_clock_set_to_1970_stands_before_the_program_was_made() -> None:
    here = machine()
    clock = here.clock()
    here.wall.ns = SECOND_NS
    assert clock.doubt() is TimeDoubt.TOO_EARLY
    here.wall.ns = RELEASED_NS
    assert clock.doubt() is TimeDoubt.JUMPED
    here.passes(2 * SETTLING_NS)
    assert clock.doubt() is None
    assert datetime.fromtimestamp(RELEASED_NS / 1e9 + 86_400, UTC).date().isoformat() == RELEASED


def test_a_slow_drift_is_no_jump_until_it_has_become_one() -> None:
    here = machine()
    clock = here.clock()
    assert clock.doubt() is None
    for _ in range(60):
        here.passes(SECOND_NS)
        here.wall.ns += SECOND_NS  # a clock that runs at twice the pace
        assert clock.doubt() is None
    here.wall.ns += 1
    assert clock.doubt() is TimeDoubt.JUMPED


def test_the_change_to_summer_time_is_nothing() -> None:
    """Clocks count UTC: an hour before and after the change is an hour."""
    before = round(datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC).timestamp()) * SECOND_NS
    here = Machine(HandClock(before))
    clock = here.clock()
    first, _ = clock.stamp()
    here.passes(2 * SECOND_NS)
    second, stamp = clock.stamp()
    assert (second - first, stamp.doubt) == (2 * SECOND_NS, None)


@pytest.mark.parametrize(
    ("sync", "answer", "doubted"),
    [
        (ClockSync.AUTO, True, False),
        (ClockSync.AUTO, None, False),
        (ClockSync.AUTO, False, True),
        (ClockSync.REQUIRED, True, False),
        (ClockSync.REQUIRED, None, True),
        (ClockSync.REQUIRED, False, True),
        (ClockSync.OFF, False, False),
    ],
)
def test_what_the_system_says_counts_as_the_setting_has_it(
    sync: ClockSync,
    answer: bool | None,  # noqa: FBT001 - a table's column
    *,
    doubted: bool,
) -> None:
    wanted = TimeDoubt.UNSYNCHRONISED if doubted else None
    assert machine().clock(sync, answer=answer).doubt() is wanted


def test_ntp_that_sets_the_clock_ends_the_doubt_when_it_vouches_for_it() -> None:
    here = machine()
    answers = [False, True]
    asked = threading.Event()

    def ask() -> bool:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer:
            asked.set()
        return answer

    clock = FrameClock(here.wall, ClockSync.AUTO, steady=lambda: here.steady_ns, ask=ask)
    assert clock.doubt() is TimeDoubt.UNSYNCHRONISED
    here.wall.ns += HOUR_NS  # NTP sets it
    assert clock.doubt() is TimeDoubt.JUMPED
    here.passes(ASK_EVERY_NS)
    clock.doubt()
    assert asked.wait(30)
    wait_for(lambda: clock.doubt() is None, "the system's word")


def test_two_clocks_that_differ_are_doubted() -> None:
    here = machine()
    clock = here.clock()
    assert clock.compare(here.wall.ns - JUMP_NS) == JUMP_NS
    assert clock.doubt() is None
    for difference_ns in (-HOUR_NS, HOUR_NS, JUMP_NS + 1):
        assert clock.compare(here.wall.ns - difference_ns) == difference_ns
        assert clock.doubt() is TimeDoubt.DISAGREES
    clock.compare(here.wall.ns)
    assert clock.doubt() is None


@given(steps=st.lists(st.tuples(st.integers(0, HOUR_NS), st.integers(-(10**18), 10**18)), max_size=20))
def test_counted_time_never_falls_however_the_clock_is_set(steps: list[tuple[int, int]]) -> None:
    here = machine()
    clock, counted = here.clock(), SteadyClock(here.wall, lambda: here.steady_ns)
    orders, passed = [clock.stamp()[0]], 0
    for elapsed_ns, step_ns in steps:
        here.passes(elapsed_ns)
        passed += elapsed_ns
        here.wall.ns += step_ns
        orders.append(clock.stamp()[0])
        assert counted.now_ns() == A_DAY_IN_2027_NS + passed
    assert orders == sorted(orders)
    assert orders[-1] - orders[0] == passed


def test_a_watch_tells_the_weightiest() -> None:
    watch = ClockWatch(1000)
    assert watch.look(999, 0, synchronised=False, difference_ns=2 * JUMP_NS) is TimeDoubt.TOO_EARLY
    assert watch.look(1000, 1, synchronised=False, difference_ns=2 * JUMP_NS) is TimeDoubt.DISAGREES
    assert watch.look(1001, 2, synchronised=False) is TimeDoubt.UNSYNCHRONISED
    assert watch.look(1002, 3) is None


def test_where_nobody_keeps_the_time_the_systems_no_says_nothing(tmp_path: Path) -> None:
    kernel_says_yes = is_synchronised(tmp_path, "no-such-program")
    if kernel_says_yes:
        pytest.skip("this machine's clock is synchronised")
    assert kernel_says_yes is None
    (tmp_path / "run/systemd/timesync").mkdir(parents=True)
    assert is_synchronised(tmp_path, "no-such-program") is False
    (tmp_path / "run/systemd/timesync/synchronized").touch()
    assert is_synchronised(tmp_path, "no-such-program") is True


@pytest.mark.parametrize(
    ("says", "wanted"),
    [
        ("C0A80101,192.168.1.1,3,1764172800.1,0.1,0.1,0.1,1,0.1,0.1,0.1,0.1,64.2,Normal", True),
        ("00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised", False),
        ("506 Cannot talk to daemon", False),
    ],
)
def test_chrony_is_asked_where_it_runs(tmp_path: Path, says: str, *, wanted: bool) -> None:
    if is_synchronised(tmp_path, "no-such-program"):
        pytest.skip("this machine's clock is synchronised")
    (tmp_path / "run/chrony").mkdir(parents=True)
    chronyc = tmp_path / "chronyc"
    chronyc.write_text(f"#!/bin/sh\necho '{says}'\n")
    chronyc.chmod(0o755)
    assert is_synchronised(tmp_path, str(chronyc)) is wanted
