"""Passwords: hashed with Argon2id, a few at once, and slowly where somebody guesses."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from roadside.errors import InputError

if TYPE_CHECKING:
    from roadside.ports.system import Clock

LEAST_CHARACTERS = 12
"""NIST SP 800-63B-4 asks for 15 where a password stands alone; 12 with slow guessing is what people accept."""
MOST_CHARACTERS = 256
AT_ONCE = 2
"""Hashes made at the same time: each takes 64 MiB and a core for a quarter of a second."""
FREE_GUESSES = 5
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 900.0
MOST_REMEMBERED = 10_000


class TooManyGuessesError(InputError):
    """Somebody guesses passwords."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many wrong passwords: try again in {wait_s:.0f} s")
        self.wait_s = wait_s


class Passwords:
    """Hashes and compares passwords. Safe to share between threads."""

    def __init__(self, profile: Parameters = RFC_9106_LOW_MEMORY) -> None:
        """`profile` says how much work a hash is; RFC 9106 recommends the two it names."""
        self._hasher = PasswordHasher.from_parameters(profile)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = self.hash("the password of an account that is none")

    def hash(self, password: str) -> str:
        """The hash that is kept. Raises InputError for a password that is too short or too long."""
        if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
            raise InputError(f"a password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters")
        with self._turns:
            return self._hasher.hash(password)

    def matches(self, password: str, kept: str) -> bool:
        """Whether `password` is that of the hash `kept`; as slow where `kept` is empty, so that names stay hidden."""
        if len(password) > MOST_CHARACTERS:
            return False
        with self._turns:
            try:
                return self._hasher.verify(kept or self._nobody, password) and bool(kept)
            except (VerificationError, InvalidHashError):
                return False


@dataclass(slots=True)
class _Guesses:
    count: int = 0
    free_at_ns: int = 0


@dataclass(slots=True)
class GuessLimiter:
    """Makes each wrong password after the first few wait twice as long, for one name or address."""

    clock: Clock
    _seen: dict[str, _Guesses] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, *whose: str) -> None:
        """Raises TooManyGuessesError while one of them must wait."""
        now_ns = self.clock.now_ns()
        with self._lock:
            waits = [self._seen[key].free_at_ns - now_ns for key in whose if key in self._seen]
        if waits and max(waits) > 0:
            raise TooManyGuessesError(max(waits) / 1e9)

    def wrong(self, *whose: str) -> None:
        """A password was wrong."""
        now_ns = self.clock.now_ns()
        with self._lock:
            for key in whose:
                self._make_room()
                guesses = self._seen.setdefault(key, _Guesses())
                guesses.count += 1
                if guesses.count >= FREE_GUESSES:
                    wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(20, guesses.count - FREE_GUESSES))
                    guesses.free_at_ns = now_ns + int(wait_s * 1e9)

    def right(self, *whose: str) -> None:
        """A password was right: start counting anew."""
        with self._lock:
            for key in whose:
                self._seen.pop(key, None)

    def _make_room(self) -> None:
        if len(self._seen) >= MOST_REMEMBERED:
            del self._seen[min(self._seen, key=lambda key: self._seen[key].free_at_ns)]
