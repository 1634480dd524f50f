"""How a service ends: SIGTERM or SIGINT asks it to finish, a second one kills it."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

KILLED = 1


class Lifecycle:
    """Turns signals into an event that every loop looks at."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._on_stop: list[Callable[[], None]] = []

    def on_stop(self, action: Callable[[], None]) -> None:
        """Have `action` called, in the main thread, at the first signal; it must be quick."""
        self._on_stop.append(action)

    def listen(self) -> None:
        """Take over SIGTERM and SIGINT; only the main thread may."""
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)

    def stop(self) -> None:
        """As a first signal does."""
        if not self.stopping.is_set():
            self.stopping.set()
            for action in self._on_stop:
                action()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        if self.stopping.is_set():
            os._exit(KILLED)
        self.stop()
