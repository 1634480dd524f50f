"""Where the frames of a recording lie in it, whatever its file says."""

from __future__ import annotations

from roadside.adapters.sources.facts import FRAMES_PER_S

SLOWEST_PER_S, FASTEST_PER_S = 1 / 3600, 10_000.0
"""Frames a second of a garden's time lapse, and of a laboratory's camera."""
LONGEST_S = 366 * 86_400.0
"""Of a recording."""


def believable_rate(frames_per_s: float) -> float:
    """The frames a second that a file says, or FRAMES_PER_S where no recording has so many."""
    return frames_per_s if SLOWEST_PER_S <= frames_per_s <= FASTEST_PER_S else FRAMES_PER_S


class Places:
    """Places in time of one recording's frames, in order.

    Files say anything: times beyond every database, jumps of centuries, and what is no number.
    """

    def __init__(self, frames_per_s: float) -> None:
        """`frames_per_s` is a believable rate."""
        self._interval_s = 1 / frames_per_s
        self._last_s: float | None = None

    def next_s(self, said_s: float) -> float:
        """Where the next frame lies, 0 to LONGEST_S seconds: where its file says, or else behind the one before it."""
        after_s = 0.0 if self._last_s is None else self._last_s + self._interval_s
        self._last_s = said_s if 0 < said_s <= LONGEST_S else min(after_s, LONGEST_S)
        return self._last_s
