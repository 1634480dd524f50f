"""Vignettes as rows of a list that an import reads back as the same vignettes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from roadside.core.vignettes import NEVER_NS

if TYPE_CHECKING:
    from datetime import tzinfo

    from roadside.core.vignettes import Vignette

HEADER = ("plate", "country", "valid_from", "valid_to", "category")
_SECOND_NS = 10**9


def row_of(vignette: Vignette, where: tzinfo) -> tuple[str, str, str, str, str]:
    """The fields of `HEADER`; whole days of `where` as dates, all else as times with their offset from UTC."""
    begins, ends = begin_text(vignette.valid_from_ns, where), end_text(vignette.valid_to_ns, where)
    return vignette.plate, vignette.country, begins, ends, vignette.category


def begin_text(valid_from_ns: int, where: tzinfo) -> str:
    """The first day that is paid, or the first moment; 1970-01-01 of what has been valid for ever."""
    if valid_from_ns <= 0:
        return "1970-01-01"
    at = _local(valid_from_ns, where)
    return at.date().isoformat() if _is_midnight(at, valid_from_ns) else at.isoformat(timespec="seconds")


def end_text(valid_to_ns: int, where: tzinfo) -> str:
    """The last day that is paid, or the last second; empty where there is no end."""
    if valid_to_ns >= NEVER_NS:
        return ""
    at = _local(valid_to_ns, where)
    if _is_midnight(at, valid_to_ns):
        return (at.date() - timedelta(days=1)).isoformat()
    return _local(valid_to_ns - 1, where).isoformat(timespec="seconds")


def _local(at_ns: int, where: tzinfo) -> datetime:
    return datetime.fromtimestamp(at_ns // _SECOND_NS, UTC).astimezone(where)


def _is_midnight(at: datetime, at_ns: int) -> bool:
    return at_ns % _SECOND_NS == 0 and (at.hour, at.minute, at.second) == (0, 0, 0)
