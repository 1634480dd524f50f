"""How long things took, each by its name."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


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
            self.add(name, self.now_s() - started)

    def add(self, name: str, seconds: float) -> None:
        """Adds `seconds` to `name`."""
        self.total_s[name] = self.total_s.get(name, 0.0) + seconds
        self.count[name] = self.count.get(name, 0) + 1

    def ms(self, name: str) -> float:
        """All the time of `name`, in milliseconds."""
        return self.total_s.get(name, 0.0) * 1000

    def mean_ms(self, name: str) -> float:
        """The mean time of one `name`, in milliseconds; 0 where there was none."""
        return self.ms(name) / self.count[name] if self.count.get(name) else 0.0


class TimingMeter:
    """A Meter for one process that nobody scrapes: it keeps the durations that are wanted, and nothing else."""

    def __init__(self, watch: Stopwatch, names: Mapping[str, str]) -> None:
        """`names` gives the histograms that are kept, and their names in `watch`."""
        self._watch = watch
        self._names = names

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """See `Meter.count`: nothing is kept."""

    def set(self, name: str, value: float, **labels: str) -> None:
        """See `Meter.set`: nothing is kept."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """See `Meter.observe`."""
        del labels
        known = self._names.get(name)
        if known is not None:
            self._watch.add(known, value)
