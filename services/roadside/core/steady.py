"""Frames in order and as far apart as they are, where the clock that told their times was set back or stood still."""

from __future__ import annotations

from collections import deque

from roadside.core.moments import JUMP_NS

USUAL_INTERVAL_NS = 40_000_000
"""Between two frames, while no two were seen: of 25 a second."""
LONGEST_INTERVAL_NS = 1_000_000_000
STEPS_KNOWN = 32


class SteadyTime:
    """Makes times that rise of those that a camera's frames were told with; which did rise stay as they are.

    A frame that comes after another and has not a later time is as much later as their numbers say.
    """

    def __init__(self) -> None:
        self._told_ns: int | None = None
        self._frame_ns: int | None = None
        """Of the newest frame, as it was told."""
        self._sequence = -1
        self._interval_ns = USUAL_INTERVAL_NS
        self._shifts: deque[tuple[int, int]] = deque([(-1, 0)], maxlen=STEPS_KNOWN)
        """From which sequence number on times are to be moved by how many nanoseconds."""

    def of(self, told_ns: int, sequence: int, *, leaps: bool = False) -> int:
        """When the frame `sequence`, of which a clock told `told_ns`, was taken among the others.

        With `leaps`, a time far ahead of the frame before is one of a clock that was set, too, unless many frames lie
        between: a camera that was away for as long looks the same.
        """
        if sequence > self._sequence:
            self._note(told_ns, sequence, leaps=leaps)
        return told_ns + next((shift for first, shift in reversed(self._shifts) if first <= sequence), 0)

    def at(self, told_ns: int) -> int:
        """The same of a moment, told by the clock as it is now."""
        return told_ns + self._shifts[-1][1]

    def waited(self, told_ns: int) -> int:
        """The same of a moment at which no frame was taken that shows anything, so that it has no number."""
        if self._told_ns is not None and told_ns < self._told_ns:
            self._shift(self._sequence + 1, self._told_ns - told_ns)
            self._frame_ns = None
        self._told_ns = told_ns
        return self.at(told_ns)

    def _note(self, told_ns: int, sequence: int, *, leaps: bool) -> None:
        if self._frame_ns is not None:
            elapsed_ns, frames = told_ns - self._frame_ns, sequence - self._sequence
            most_ns = frames * LONGEST_INTERVAL_NS
            if elapsed_ns <= 0 or (leaps and elapsed_ns > max(JUMP_NS, most_ns)):
                self._shift(sequence, frames * self._interval_ns - elapsed_ns)
            elif elapsed_ns <= most_ns:
                self._interval_ns = max(1, elapsed_ns // frames)
        self._told_ns = self._frame_ns = told_ns
        self._sequence = sequence

    def _shift(self, sequence: int, by_ns: int) -> None:
        self._shifts.append((sequence, self._shifts[-1][1] + by_ns))
