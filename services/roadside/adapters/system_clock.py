"""The computer's clock."""

from __future__ import annotations

import time


class SystemClock:
    """Meets `roadside.ports.system.Clock`."""

    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970."""
        return time.time_ns()
