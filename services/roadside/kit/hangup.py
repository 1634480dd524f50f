"""SIGHUP: the settings are to be read again; from a terminal that is gone, the end."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType


class Hangup:
    """Set while in its block once SIGHUP has come. Where it was ignored before, as by nohup, it stays so."""

    def __init__(self) -> None:
        self._came = False
        self._before: object = None
        self._has_terminal = sys.stdin is not None and sys.stdin.isatty()

    def __enter__(self) -> Self:
        self._before = signal.getsignal(signal.SIGHUP)
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGHUP, self._before)  # type: ignore[arg-type]

    def take(self) -> bool:
        """Whether it has come since this was last asked."""
        came, self._came = self._came, False
        return came

    def ask(self) -> None:
        """As if it had come; from any thread."""
        self._came = True

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._has_terminal and not _is_open(0):
            os.kill(os.getpid(), signal.SIGTERM)  # the window was closed: end as on Ctrl-C
            return
        self._came = True


def _is_open(descriptor: int) -> bool:
    try:
        os.ttyname(descriptor)
        os.tcgetpgrp(descriptor)
    except OSError:
        return False
    return True
