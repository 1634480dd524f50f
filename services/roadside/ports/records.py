"""What is written down beside the sightings: who did what, what people answered, how many vehicles passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.reviews import Correction


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at a sighting, changed it, or searched."""

    at_ns: int
    actor: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class PassageCount:
    """How many sightings there were of a verdict in an hour."""

    hour_ns: int
    """The hour's beginning: UTC, in nanoseconds since 1970."""
    camera_id: str
    verdict: str
    count: int


@dataclass(frozen=True, slots=True)
class Seal:
    """What the chain of evidence says of one sighting."""

    entry: int
    """The number of the entry that sealed it last; 0 where none did, as of an older version."""
    at_ns: int
    event: str
    """What was done then: stored, decided..."""
    faults: Sequence[str] = ()
    """What is not as it was sealed, or cannot be opened."""


class Ledger(Protocol):
    """Who did what, and what can be counted."""

    def note(self, actor: str, action: str, subject: str, detail: str = "", *, plate: str = "") -> None:
        """Write to the audit; of a `plate` its keyed hash alone."""
        ...

    def audit(self, limit: int = 100) -> Sequence[Look]:
        """The newest entries, newest first."""
        ...

    def looks(self, sighting_id: str) -> Sequence[Look]:
        """Who looked at a sighting or its pictures, newest first."""
        ...

    def answers(self, sighting_id: str) -> Sequence[Correction]:
        """What people said of it, oldest first."""
        ...

    def seal(self, sighting_id: str) -> Seal:
        """Whether a sighting and its pictures are still what was sealed. Raises NotFoundError."""
        ...

    def counts(self, since_ns: int) -> Sequence[PassageCount]:
        """Sightings by hour, camera and verdict."""
        ...

    def rules(self, since_ns: int) -> Sequence[tuple[str, str, int]]:
        """(verdict, rule, how many), the most frequent first."""
        ...

    def forget(self, plate: str, actor: str) -> tuple[int, str]:
        """Delete all that is kept of a plate's passages: how many they were, and a receipt. Raises InputError."""
        ...

    def training_ready(self) -> int:
        """How many answers of people can be exported as training data."""
        ...

    def training(self) -> Sequence[Correction]:
        """The last answer of each sighting that can be exported as training data, oldest first."""
        ...
