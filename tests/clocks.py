"""The clock of tests: it stands still until a test moves it. What must see real time takes `SystemClock`."""

from __future__ import annotations

from dataclasses import dataclass

A_DAY_IN_2027_NS = 1_800_000_000 * 10**9
"""2027-01-15 08:00 UTC."""


@dataclass(slots=True)
class HandClock:
    """Meets `roadside.ports.system.Clock`."""

    ns: int = A_DAY_IN_2027_NS

    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970."""
        return self.ns

    def advance(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)
