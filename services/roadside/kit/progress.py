"""How far a run is: a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

BAR_WIDTH = 24
TERMINAL_EVERY_S = 0.1
LOG_EVERY_S = 10.0


class Progress:
    """Tells on `stream` of frames taken; whoever prints anything else takes the bar away first, with `clear`."""

    def __init__(
        self,
        stream: TextIO,
        total: int | None,
        now_s: Callable[[], float] = time.monotonic,
        *,
        quiet: bool = False,
    ) -> None:
        """`total` is the number of frames there will be, None where nobody knows. With `quiet` it only counts."""
        self._quiet = quiet
        self._stream = stream
        self._total = total
        self._now_s = now_s
        self._terminal = stream.isatty()
        self._started_s = now_s()
        self._told_s = self._started_s - (LOG_EVERY_S if self._terminal else 0.0)
        self._shown = False
        self.frames = 0

    def step(self, sightings: int) -> None:
        """One more frame is done."""
        self.frames += 1
        now_s = self._now_s()
        if self._quiet or now_s - self._told_s < (TERMINAL_EVERY_S if self._terminal else LOG_EVERY_S):
            return
        self._told_s = now_s
        line = self._line(now_s, sightings)
        self._stream.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        self._stream.flush()
        self._shown = self._terminal

    def clear(self) -> None:
        """Take the bar away, so that something else can be printed."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False

    def frames_per_s(self) -> float:
        """The pace since the start."""
        elapsed_s = self._now_s() - self._started_s
        return self.frames / elapsed_s if elapsed_s > 0 else 0.0

    def _line(self, now_s: float, sightings: int) -> str:
        pace = f"{self.frames_per_s():.1f} frames/s, {sightings} sighting{'' if sightings == 1 else 's'}"
        if not self._total:
            return f"{self.frames} frames, {now_s - self._started_s:.0f} s, {pace}"
        share = min(1.0, self.frames / self._total)
        filled = round(share * BAR_WIDTH)
        return f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {share:>4.0%}  {self.frames}/{self._total}, {pace}"
