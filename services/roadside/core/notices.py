"""What receivers are told of a sighting, and what is kept of it until it has arrived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """What one channel is to be told, before it is written down."""

    channel: str
    """Name of the channel in the file of channels."""
    body: str
    """A JSON object."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message for one channel, as the outbox keeps it."""

    notification_id: int
    sighting_id: str
    channel: str
    """Name of the channel in the file of channels, which may not name it any more."""
    body: str
    """A JSON object; empty once the notice was delivered."""
    attempts: int
    """How often it was sent, whether it arrived or not."""
    fault: str = ""
    """Why it did not arrive the last time; empty where it was not sent yet or has arrived."""


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many notices have not arrived."""

    waiting: int
    """To be sent, now or after a pause."""
    given_up: int
    """Sent too often in vain: they wait for a person."""
