"""When a vignette is valid: dates and times of a registry's own time zone, as half-open UTC nanoseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from roadside.errors import SettingsError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d")
NEVER_NS = 2**62
"""Later than any passage: the end of what has none."""


def zone(name: str) -> ZoneInfo:
    """The time zone called `name`. Raises SettingsError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"no time zone is called {name!r}: try Europe/Prague") from error


@lru_cache(maxsize=8192)
def start_ns(text: str, where: tzinfo) -> int:
    """The first valid nanosecond of `text`: a date from its first moment in `where`, a time as it stands.

    A time that the clock shows twice, or leaps over, is the earlier one it can be: doubt is the driver's.
    Raises ValueError.
    """
    moment = _parse(text)
    if isinstance(moment, datetime):
        return min(map(_ns, _readings(moment, where)))
    return _ns(datetime(moment.year, moment.month, moment.day, tzinfo=where))


@lru_cache(maxsize=8192)
def end_ns(text: str, where: tzinfo) -> int:
    """The first nanosecond that is not valid any more: a date is valid to its end in `where`.

    A time is itself still valid, to the end of its last written unit (a minute or a second); one
    that the clock shows twice, or leaps over, is the later one it can be. Raises ValueError.
    """
    moment = _parse(text)
    if isinstance(moment, datetime):
        last = timedelta(seconds=1) if moment.second or text.count(":") > 1 else timedelta(minutes=1)
        return max(map(_ns, _readings(moment, where))) + _ns(_EPOCH + last)
    following = moment + timedelta(days=1)
    return _ns(datetime(following.year, following.month, following.day, tzinfo=where))


def _parse(text: str) -> date | datetime:
    text = text.strip()
    if ":" in text:
        return datetime.fromisoformat(text)
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date has no time zone
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no date such as 2026-01-31 or 31.1.2026, and no time such as 2026-01-31T12:00")


def _readings(moment: datetime, where: tzinfo) -> tuple[datetime, ...]:
    """What a time can mean in `where`; both folds differ where the clock changes."""
    if moment.tzinfo is not None:
        return (moment,)
    return moment.replace(tzinfo=where, fold=0), moment.replace(tzinfo=where, fold=1)


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1000
