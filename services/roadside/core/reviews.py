"""A person's answer to a sighting that the pipeline could not decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReviewAction(StrEnum):
    """What a reviewer says about the plate of a sighting."""

    CONFIRM = "confirm"
    """The plate was read correctly."""
    CORRECT = "correct"
    """The plate is another one, which the reviewer gives."""
    UNREADABLE = "unreadable"
    """The plate cannot be read on the pictures."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One answer of a reviewer, as it is stored."""

    sighting_id: str
    at_ns: int
    """When it was given: UTC, in nanoseconds since 1970."""
    author: str
    action: ReviewAction
    text: str
    """The plate as the reviewer reads it; empty if it is unreadable, and emptied once the vehicle is PAID or EXEMPT."""
    country: str
    """The code of its country, or empty if that is not known."""
    read_text: str
    """The plate as the pipeline had read it."""
