"""When a camera is watched: days of the week and hours of the day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_A_DAY = 24 * 60
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Span:
    """Some hours of a day; one that ends before it begins goes on until the next day."""

    begins: int
    """Minutes after midnight."""
    ends: int
    """The first minute after it; equal to `begins`, all day."""

    def __post_init__(self) -> None:
        """Raises ValueError for no time of a day."""
        if not (0 <= self.begins < _A_DAY and 0 <= self.ends <= _A_DAY):
            raise ValueError("hours are of one day, such as 06:00-22:00")

    @classmethod
    def of(cls, text: str) -> Span:
        """That of `06:00-22:00`. Raises ValueError."""
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            raise ValueError("hours are written as 06:00-22:00")
        h1, m1, h2, m2 = map(int, found.groups())
        if m1 > 59 or m2 > 59:
            raise ValueError("an hour has 60 minutes; hours are written as 06:00-22:00")
        return cls(60 * h1 + m1, 60 * h2 + m2)

    def __str__(self) -> str:
        """As `of` takes it."""
        return f"{self.begins // 60:02}:{self.begins % 60:02}-{self.ends // 60:02}:{self.ends % 60:02}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A camera is watched on these days in these hours."""

    days: frozenset[int] = frozenset(range(7))
    """0 is Monday; what begins on one of them belongs to it, past midnight too."""
    hours: tuple[Span, ...] = (Span(0, _A_DAY),)

    def __post_init__(self) -> None:
        """Raises ValueError where it is never."""
        if not self.days or not self.hours:
            raise ValueError("the camera would never be watched: name a day and hours, or leave the schedule out")
        if not self.days <= frozenset(range(7)):
            raise ValueError(f"days are {', '.join(DAYS)}")

    def is_open(self, local: datetime) -> bool:
        """Whether the camera is watched at `local`, a time of the place where it stands."""
        today, minute = local.weekday(), 60 * local.hour + local.minute
        return any(self._holds(span, today, minute) for span in self.hours)

    def _holds(self, span: Span, today: int, minute: int) -> bool:
        if span.begins < span.ends:
            return today in self.days and span.begins <= minute < span.ends
        yesterday = (today - 1) % 7
        return (today in self.days and minute >= span.begins) or (yesterday in self.days and minute < span.ends)
