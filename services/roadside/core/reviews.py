"""What people say of sightings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReviewAction(StrEnum):
    """What a reviewer says of a sighting."""

    CONFIRM = "confirm"
    """The plate was read rightly."""
    CORRECT = "correct"
    """The plate is another one."""
    UNREADABLE = "unreadable"
    """Nobody can read it."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One answer of a reviewer."""

    sighting_id: str
    at_ns: int
    author: str
    action: ReviewAction
    text: str
    """The plate as the person reads it; empty for an unreadable one, and once the vehicle is PAID or EXEMPT."""
    country: str
    read_text: str
    """What the machine had read."""
