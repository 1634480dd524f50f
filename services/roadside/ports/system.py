"""Time and measurements."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970."""
        ...


class Meter(Protocol):
    """Counts and measures, for whoever watches the service; names and labels as in docs/metrics.md."""

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; adding 0 makes it known."""
        ...

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        ...

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a value to a histogram."""
        ...
