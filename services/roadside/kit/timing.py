"""How long things took, each by its name."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(slots=True)
class Stopwatch:
    """Adds up time and counts by name."""

    now_s: Callable[[], float] = time.perf_counter
    total_s: dict[str, float] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Adds what the block takes to `name`."""
        started = self.now_s()
        try:
            yield
        finally:
            self.total_s[name] = self.total_s.get(name, 0.0) + self.now_s() - started
            self.count[name] = self.count.get(name, 0) + 1

    def ms(self, name: str) -> float:
        """All the time of `name`, in milliseconds."""
        return self.total_s.get(name, 0.0) * 1000

    def mean_ms(self, name: str) -> float:
        """The mean time of one `name`, in milliseconds; 0 where there was none."""
        return self.ms(name) / self.count[name] if self.count.get(name) else 0.0
