"""Passages counted for figures."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from roadside.core.speed import AverageSpeed
from roadside.core.summary import (
    Passage,
    Per,
    calibration_error,
    counts,
    edges,
    longer,
    percentile,
    reliability,
    speed_parts,
    usual_per,
    wilson,
)

PRAGUE = ZoneInfo("Europe/Prague")


def passed(at: datetime) -> Passage:
    return Passage(int(at.timestamp()) * 10**9, "gate")


@pytest.mark.parametrize(
    ("span", "per"),
    [
        (timedelta(minutes=5), Per.MINUTE),
        (timedelta(hours=30), Per.HOUR),
        (timedelta(days=60), Per.DAY),
        (timedelta(days=900), Per.WEEK),
    ],
)
def test_the_parts_of_a_time_axis_go_with_its_length(span: timedelta, per: Per) -> None:
    begin = datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert usual_per([passed(begin + span), passed(begin)]) is per
    assert longer(Per.HOUR) is Per.DAY
    assert longer(Per.WEEK) is Per.WEEK


def test_days_begin_at_midnight_of_the_place_and_one_is_an_hour_shorter() -> None:
    begin = datetime(2026, 3, 28, 12, tzinfo=PRAGUE)
    parts = edges([passed(begin), passed(begin + timedelta(days=2))], Per.DAY, PRAGUE)
    assert [part.isoformat() for part in parts] == [
        "2026-03-28T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
        "2026-03-31T00:00:00+02:00",
    ]
    assert parts[2].timestamp() - parts[1].timestamp() == 23 * 3600


def test_hours_are_hours_where_clocks_go_back_and_weeks_begin_on_monday() -> None:
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    parts = edges([passed(night - timedelta(hours=1)), passed(night + timedelta(hours=2))], Per.HOUR, PRAGUE)
    assert [b.timestamp() - a.timestamp() for a, b in pairwise(parts)] == [3600] * (len(parts) - 1)
    assert len(parts) == 5
    assert edges([passed(night)], Per.WEEK, PRAGUE)[0].isoformat() == "2026-10-19T00:00:00+02:00"


def test_every_passage_is_counted_once_also_on_the_very_edge() -> None:
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    held = [passed(begin + timedelta(minutes=15 * n)) for n in range(9)]
    assert counts(held, edges(held, Per.HOUR, UTC)) == [4, 4, 1]


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="more than"):
        edges([passed(datetime(2020, 1, 1, tzinfo=UTC)), passed(datetime(2026, 1, 1, tzinfo=UTC))], Per.MINUTE, UTC)


def test_wilsons_interval() -> None:
    # Newcombe, Stat. Med. 17 (1998), 857, table I: 81 of 263 and 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_a_calibrated_reader_is_on_the_diagonal_and_one_too_sure_is_not() -> None:
    random.seed(1)
    sure = [random.random() for _ in range(20_000)]
    right = [Passage(0, "gate", confidence=c, right=random.random() < c) for c in sure]
    parts = reliability(right)
    assert len(parts) == 10
    assert calibration_error(parts) < 0.02
    assert calibration_error(
        reliability([Passage(0, "gate", confidence=0.9, right=n % 2 == 0) for n in range(10)])
    ) == (pytest.approx(0.4))
    assert reliability([Passage(0, "gate", confidence=0.9)]) == []


def test_expected_speeds_are_the_measured_ones_spread_by_their_uncertainty() -> None:
    speeds = [AverageSpeed(v, v / 1.1, v * 1.1) for v in (50.0, 51.0, 70.0)]
    parts = speed_parts(speeds)
    assert sum(part.measured for part in parts) == 3
    assert sum(part.expected for part in parts) == pytest.approx(3.0, abs=0.3)
    own = next(part for part in parts if part.lowest_kmh <= 70.0 < part.highest_kmh)
    deviation = math.log(1.1) / 2
    ends = (math.log(edge / 70.0) / deviation / math.sqrt(2) for edge in (own.lowest_kmh, own.highest_kmh))
    low, high = (0.5 * (1 + math.erf(end)) for end in ends)
    assert own.expected == pytest.approx(high - low, abs=1e-3)
    exact = speed_parts([AverageSpeed(50.0, 50.0, 50.0)])
    assert sum(part.expected for part in exact) == 1.0
    assert all(part.deviation == 0.0 for part in exact)


def test_the_85th_percentile() -> None:
    assert percentile([float(v) for v in range(101)], 0.85) == pytest.approx(85.0)
    assert percentile([7.0], 0.85) == 7.0
