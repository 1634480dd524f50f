"""When a vignette is valid: dates and times of a registry's own time zone, as half-open UTC nanoseconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from roadside.core.vignettes import NEVER_NS
from roadside.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY, _MINUTE, _SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
_FIRST_YEAR, _LAST_YEAR = 1970, 2115
"""Before and after them a time begins with the first and ends with NEVER_NS: databases hold 64 bits of nanoseconds."""
_NO_END = frozenset(
    [
        "-",
        "null",
        "\\n",
        "none",
        "infinity",
        "never",
        "unlimited",
        "indefinite",
        "unbefristet",
        "unbegrenzt",
        "neomezeně",
        "neomezene",
        "neobmedzene",
        "bezterminowo",
        "bezterminowa",
    ]
) | {""}
"""What databases and offices write where a vignette does not end, in small letters."""

_CLOCK = (
    r"(?:[T\s]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AP]M)?"
    r"\s*(?P<offset>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
)
_YEAR_FIRST = re.compile(r"(?P<a>\d{4})([-/.]?)(?P<b>(?<=\D)\d{1,2}|\d{2})\2(?P<c>(?<=\D)\d{1,2}|\d{2})" + _CLOCK)
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})\s?([-/.])\s?(?P<b>\d{1,2})\s?\2\s?(?P<c>\d{4})" + _CLOCK)


class DateOrder(StrEnum):
    """How dates with the year at their end are read."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Proof(IntEnum):
    """What a date tells of the order of its file."""

    NOTHING = 0
    """The same in any order."""
    EITHER = 1
    """It is a date in both orders, and not the same one."""
    PROVED = 2
    """It is a date in this order alone."""


class DateOrderError(ValueError):
    """A date that proves another order than the one it is read by."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A date or time as it is written."""

    day: date
    clock: timedelta | None
    """Since the beginning of the day; None for a whole day."""
    unit: timedelta
    """The last one that is written."""
    offset: tzinfo | None
    proof: Proof


def zone(name: str) -> ZoneInfo:
    """The time zone called `name`. Raises SettingsError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"no time zone is called {name!r}: try Europe/Prague") from error


def start_ns(text: str, where: tzinfo, order: DateOrder = DateOrder.DAY_FIRST) -> int:
    """The first valid nanosecond of `text`: a date from its first moment in `where`, a time as it stands.

    A time that the clock shows twice, or leaps over, is the earlier one it can be: doubt is the driver's.
    Raises ValueError, DateOrderError for a date of another order.
    """
    return start_and_proof(text, where, order)[0]


def end_ns(text: str, where: tzinfo, order: DateOrder = DateOrder.DAY_FIRST) -> int:
    """The first nanosecond that is not valid any more: a date is valid to its end in `where`.

    A time is itself still valid, to the end of its last written unit (a minute or a second); midnight, as
    spreadsheets and databases write a date, is valid to the end of its day. A time that the clock shows twice, or leaps
    over, is the later one it can be. Raises ValueError, DateOrderError for a date of another order.
    """
    return end_and_proof(text, where, order)[0]


def is_endless(text: str) -> bool:
    """Whether `text` says that there is no end."""
    if text[:1].isdigit():  # nearly always, and quickly told; no date of MySQL is all zeros
        return text.startswith("0000-00-00")
    return text.strip().lower() in _NO_END


@lru_cache(maxsize=8192)
def start_and_proof(text: str, where: tzinfo, order: DateOrder) -> tuple[int, Proof]:
    """`start_ns`, and what the date tells of the order of its file. Raises as it does."""
    written = _read(text, order)
    return _moment(written, written.clock or timedelta(), where, min), written.proof


@lru_cache(maxsize=8192)
def end_and_proof(text: str, where: tzinfo, order: DateOrder) -> tuple[int, Proof]:
    """`end_ns`, and what the date tells of the order of its file. Raises as it does."""
    written = _read(text, order)
    if not written.clock:
        return _moment(written, _DAY, where, max), written.proof
    last = _moment(written, written.clock, where, max)
    return min(NEVER_NS, last + written.unit // _MICROSECOND * 1000), written.proof


def _moment(written: _Written, since: timedelta, where: tzinfo, choose: Callable[..., int]) -> int:
    """UTC nanoseconds of `since` the beginning of the day, by the clock on the wall."""
    if written.day.year < _FIRST_YEAR:
        return 0
    if written.day.year > _LAST_YEAR:
        return NEVER_NS
    at = datetime(written.day.year, written.day.month, written.day.day) + since  # noqa: DTZ001 - its zone comes below
    if written.offset is not None:
        return max(0, _ns(at.replace(tzinfo=written.offset)))
    # Both folds differ where the clock changes.
    return max(0, choose(_ns(at.replace(tzinfo=where, fold=fold)) for fold in (0, 1)))


def _read(text: str, order: DateOrder) -> _Written:
    plain = text.strip().upper()
    try:
        if matched := _YEAR_LAST.fullmatch(plain):
            return _written(matched, *_year_last(matched, order))
        if matched := _YEAR_FIRST.fullmatch(plain):
            return _written(matched, _year_first(matched), Proof.NOTHING)
    except DateOrderError:
        raise
    except ValueError:
        pass  # the numbers are none of a date or time
    raise ValueError(
        f"{text.strip()[:40]!r} is no date such as 2026-01-31 or 31.1.2026, and no time such as 2026-01-31T12:00"
    )


def _written(matched: re.Match[str], day: date, proof: Proof) -> _Written:
    clock, unit = _clock(matched)
    return _Written(day, clock, unit, _offset(matched["offset"]), proof)


def _year_last(matched: re.Match[str], order: DateOrder) -> tuple[date, Proof]:
    first, second, year = int(matched["a"]), int(matched["b"]), int(matched["c"])
    day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
    if month > 12 and 1 <= day <= 12:
        date(year, day, month)  # unless it is none in the other order either
        other = "month" if order is DateOrder.DAY_FIRST else "day"
        raise DateOrderError(f"{matched[0]!r} has the {other} first")
    proof = Proof.PROVED if day > 12 else Proof.EITHER if day != month else Proof.NOTHING
    if proof is Proof.EITHER and order is DateOrder.DAY_FIRST and matched[2] == ".":
        proof = Proof.NOTHING  # with points between them the day comes first in every country, though not in every file
    return date(year, month, day), proof


def _year_first(matched: re.Match[str]) -> date:
    year, month, day = int(matched["a"]), int(matched["b"]), int(matched["c"])
    if month > 12 and 1 <= day <= 12:
        date(year, day, month)
        raise DateOrderError(f"{matched[0]!r} has the day before the month")
    return date(year, month, day)


def _clock(matched: re.Match[str]) -> tuple[timedelta | None, timedelta]:
    if matched["hour"] is None:
        return None, _DAY
    hour, minute, second = (int(matched[name] or 0) for name in ("hour", "minute", "second"))
    if matched["half"] is not None:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if matched["half"] == "PM" else 0)
    clock = timedelta(hours=hour, minutes=minute, seconds=second)
    if minute > 59 or second > 60 or clock > _DAY:
        raise ValueError
    return clock, _MINUTE if matched["second"] is None else _SECOND


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in ("Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(ahead if text[0] == "+" else -ahead)


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1000
