"""Frames a second by camera, from the counter that counts them."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from roadside.ports.system import Meter

COUNTED = "frames_total"
RATE = "frames_per_second"
OVER_S = 10.0


class RatedMeter:
    """A Meter that also keeps the gauge of frames a second."""

    def __init__(self, meter: Meter, monotonic_s: Callable[[], float]) -> None:
        self._meter = meter
        self._now_s = monotonic_s
        self._lock = threading.Lock()
        self._totals: dict[str, float] = defaultdict(float)
        self._history: dict[str, deque[tuple[float, float]]] = defaultdict(deque)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """See `Meter.count`."""
        self._meter.count(name, amount, **labels)
        if name == COUNTED:
            with self._lock:
                self._totals[labels["camera"]] += amount

    def set(self, name: str, value: float, **labels: str) -> None:
        """See `Meter.set`."""
        self._meter.set(name, value, **labels)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """See `Meter.observe`."""
        self._meter.observe(name, value, **labels)

    def rate(self, camera: str) -> float:
        """Frames a second of a camera, over the last ten seconds; 0 before the second tick."""
        history = self._history[camera]
        if len(history) < 2:
            return 0.0
        (first_s, first), (last_s, last) = history[0], history[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    def tick(self) -> None:
        """About once a second: bring the gauges up to date."""
        now_s = self._now_s()
        with self._lock:
            totals = dict(self._totals)
        for camera, total in totals.items():
            history = self._history[camera]
            history.append((now_s, total))
            while now_s - history[0][0] > OVER_S:
                history.popleft()
            self._meter.set(RATE, self.rate(camera), camera=camera)
