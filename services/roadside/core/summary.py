"""Passages counted for figures: over time, by confidence, by speed."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from roadside.core.outline import Direction
    from roadside.core.sightings import VerdictKind
    from roadside.core.speed import AverageSpeed

COVERED = 1.959964
"""Standard deviations on either side that hold 95 % of a normal distribution."""
_LOG_SPEED_DEVIATIONS = 4.0
"""Between the lowest and the highest of an AverageSpeed: two on either side."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One vehicle that passed, without its plate."""

    at_ns: int
    """UTC, in nanoseconds since 1970."""
    camera: str
    direction: Direction | None = None
    verdict: VerdictKind | None = None
    """None where nobody asked."""
    confidence: float | None = None
    """0 to 1, of its plate; None where no plate is kept."""
    right: bool | None = None
    """Whether its plate was read rightly; None where nobody says so."""
    speed: AverageSpeed | None = None


class Per(StrEnum):
    """How long each part of a time axis is."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


_LONGEST = ((timedelta(hours=1), Per.MINUTE), (timedelta(days=14), Per.HOUR), (timedelta(days=400), Per.DAY))
_STEPS = {Per.MINUTE: timedelta(minutes=1), Per.HOUR: timedelta(hours=1)}
_DAYS = {Per.DAY: timedelta(days=1), Per.WEEK: timedelta(days=7)}
MOST_PARTS = 10_000


def usual_per(passages: Sequence[Passage]) -> Per:
    """The parts in which so long a time is easily seen."""
    times = [passage.at_ns for passage in passages]
    span = timedelta(microseconds=(max(times) - min(times)) // 1000)
    return next((per for longest, per in _LONGEST if span <= longest), Per.WEEK)


def longer(per: Per) -> Per:
    """The next longer part, in which shares are less a matter of chance."""
    return {Per.HOUR: Per.DAY, Per.DAY: Per.WEEK}.get(per, per)


def edges(passages: Sequence[Passage], per: Per, where: tzinfo) -> list[datetime]:
    """Where each part of the time of `passages` begins, and where the last one ends, in the time of `where`.

    Days and weeks (from Monday) begin at midnight there, so that one is an hour longer where clocks change. Raises
    ValueError for more than MOST_PARTS.
    """
    first, last = (
        datetime.fromtimestamp(ns // 10**9, UTC).astimezone(where) for ns in _ends(p.at_ns for p in passages)
    )
    found = [_begin(first, per)]
    while found[-1] <= last:
        found.append(_next(found[-1], per, where))
        if len(found) > MOST_PARTS:
            raise ValueError(f"that are more than {MOST_PARTS} parts of a {per}")
    return found


def _ends(times: Iterable[int]) -> tuple[int, int]:
    held = list(times)
    return min(held), max(held)


def _begin(at: datetime, per: Per) -> datetime:
    if per is Per.MINUTE:
        return at.replace(second=0, microsecond=0)
    if per is Per.HOUR:
        return at.replace(minute=0, second=0, microsecond=0)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight if per is Per.DAY else midnight - timedelta(days=midnight.weekday())


def _next(begun: datetime, per: Per, where: tzinfo) -> datetime:
    """Minutes and hours are of the same length; days are as long as the calendar has them."""
    if per in _STEPS:
        return (begun.astimezone(UTC) + _STEPS[per]).astimezone(where)
    return begun + _DAYS[per]


def counts(passages: Iterable[Passage], parts: Sequence[datetime]) -> list[int]:
    """How many passages lie in each part of `edges`."""
    starts = [int(part.timestamp()) * 10**9 for part in parts]
    found = Counter(bisect_right(starts, passage.at_ns) - 1 for passage in passages)
    return [found[part] for part in range(len(parts) - 1)]


@dataclass(frozen=True, slots=True)
class Reliability:
    """How sure the reader was, and how often it was right, where its confidence lies in one part of 0 to 1."""

    said: float
    """Mean confidence."""
    right: float
    lowest: float
    highest: float
    """Wilson's interval, 95 %."""
    count: int


def reliability(passages: Iterable[Passage], parts: int = 10) -> list[Reliability]:
    """By confidence, in `parts` of equal width; those without any are left out."""
    held: list[list[tuple[float, bool]]] = [[] for _ in range(parts)]
    for passage in passages:
        if passage.confidence is not None and passage.right is not None:
            held[min(int(passage.confidence * parts), parts - 1)].append((passage.confidence, passage.right))
    return [_reliability(each) for each in held if each]


def _reliability(held: Sequence[tuple[float, bool]]) -> Reliability:
    hits, count = sum(right for _, right in held), len(held)
    lowest, highest = wilson(hits, count)
    return Reliability(sum(said for said, _ in held) / count, hits / count, lowest, highest, count)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, after E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), 209."""
    z2 = COVERED**2
    middle = (hits + z2 / 2) / (count + z2)
    reach = COVERED * math.sqrt(hits * (count - hits) / count + z2 / 4) / (count + z2)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def calibration_error(parts: Sequence[Reliability]) -> float:
    """The expected calibration error: |how sure - how right|, each part by its count."""
    total = sum(part.count for part in parts)
    return sum(part.count * abs(part.said - part.right) for part in parts) / total


@dataclass(frozen=True, slots=True)
class SpeedPart:
    """A part of a histogram of speeds, in kilometres an hour."""

    lowest_kmh: float
    highest_kmh: float
    measured: int
    """Whose measured speed lies within."""
    expected: float
    """How many true speeds lie within, as the uncertainties of all of them have it."""
    deviation: float
    """Of that number, one standard deviation."""


_WIDTHS_KMH = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_MOST_SPEED_PARTS = 30


def speed_parts(speeds: Sequence[AverageSpeed]) -> list[SpeedPart]:
    """Speeds counted in parts of a round width.

    ln v of each is normal with the deviation of its interval (`roadside.core.speed.average_speed`): a vehicle is in a
    part with the probability p, the vehicles are independent, so that the number in it has the mean sum(p) and the
    variance sum(p (1 - p)).
    """
    lowest, highest = min(speed.lowest_kmh for speed in speeds), max(speed.highest_kmh for speed in speeds)
    width = next((w for w in _WIDTHS_KMH if (highest - lowest) / w <= _MOST_SPEED_PARTS), _WIDTHS_KMH[-1])
    first, last = math.floor(lowest / width), math.floor(highest / width)
    return [_speed_part(speeds, at * width, (at + 1) * width) for at in range(first, last + 1)]


def _speed_part(speeds: Sequence[AverageSpeed], lowest: float, highest: float) -> SpeedPart:
    within = [_share(speed, highest) - _share(speed, lowest) for speed in speeds]
    measured = sum(lowest <= speed.kmh < highest for speed in speeds)
    return SpeedPart(lowest, highest, measured, sum(within), math.sqrt(sum(p * (1 - p) for p in within)))


def _share(speed: AverageSpeed, kmh: float) -> float:
    """The probability that the true speed is less than `kmh`."""
    if kmh <= 0:
        return 0.0
    deviation = math.log(speed.highest_kmh / speed.lowest_kmh) / _LOG_SPEED_DEVIATIONS
    if deviation == 0.0:
        return float(speed.kmh < kmh)
    return 0.5 * (1 + math.erf(math.log(kmh / speed.kmh) / deviation / math.sqrt(2.0)))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of `values` are at most, interpolated."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    return ordered[low] + (at - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low])
