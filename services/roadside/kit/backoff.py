"""Pauses between attempts that grow, with chance in them so that replicas do not return all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


class Backoff:
    """Doubles from `first_s` to `longest_s`; each pause is shortened at random by up to half."""

    def __init__(self, rng: random.Random, first_s: float = 0.1, longest_s: float = 5.0) -> None:
        self._rng = rng
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def next_s(self) -> float:
        """The pause after one more failure."""
        pause_s = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return pause_s * (1 - self._rng.random() / 2)

    def reset(self) -> None:
        """It worked."""
        self._failures = 0
