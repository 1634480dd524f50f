"""An Outbox in memory, over sightings that a test puts in: the same promises as in a database, without one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from roadside.core.notices import Notice, OutboxCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.sightings import Sighting, Verdict
    from roadside.ports.notify import Compose


@dataclass(slots=True)
class _Entry:
    notice: Notice
    next_at_ns: int
    state: str = "pending"


@dataclass(slots=True)
class MemoryOutbox:
    """Follows `save` and `decide` as the database follows its tables: every stored sighting, then every change."""

    _sightings: dict[str, Sighting] = field(default_factory=dict)
    _stored: list[str] = field(default_factory=list)
    _changed: list[str] = field(default_factory=list)
    _seen: list[int] | None = None
    """How many of `_stored` and of `_changed` were looked at; None before the first time."""
    _entries: list[_Entry] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def save(self, sighting: Sighting) -> None:
        """A sighting is stored."""
        self._sightings[sighting.sighting_id] = sighting
        self._stored.append(sighting.sighting_id)

    def decide(self, sighting_id: str, verdict: Verdict) -> None:
        """Its verdict changes."""
        self._sightings[sighting_id] = replace(self._sightings[sighting_id], verdict=verdict)
        self._changed.append(sighting_id)

    def purge(self, sighting_id: str) -> None:
        """It is deleted, with its notices."""
        del self._sightings[sighting_id]
        self._entries = [each for each in self._entries if each.notice.sighting_id != sighting_id]

    def collect(self, compose: Compose, now_ns: int) -> int:
        """As the port says."""
        stored, changed = self._seen or (0, 0)
        self._seen = [len(self._stored), len(self._changed)]
        before = len(self._entries)
        for place, sighting_id in enumerate((*self._stored[stored:], *self._changed[changed:])):
            sighting = self._sightings.get(sighting_id)
            told = {(e.notice.sighting_id, e.notice.channel) for e in self._entries}
            for draft in compose(sighting) if sighting is not None else ():
                if place < len(self._stored) - stored and (sighting_id, draft.channel) in told:
                    continue
                notice = Notice(next(self._numbers), sighting_id, draft.channel, draft.body, attempts=0)
                self._entries.append(_Entry(notice, now_ns))
        return len(self._entries) - before

    def start_here(self) -> None:
        """As the port says."""
        if self._seen is None:
            self._seen = [len(self._stored), len(self._changed)]

    def include_past(self) -> None:
        """As the port says."""
        if self._seen is not None:
            self._seen[0] = 0

    def due(self, now_ns: int, limit: int = 50) -> Sequence[Notice]:
        """As the port says."""
        return [e.notice for e in self._entries if e.state == "pending" and e.next_at_ns <= now_ns][:limit]

    def claim(self, notice: Notice, now_ns: int, until_ns: int) -> bool:
        """As the port says."""
        for entry in self._entries:
            same = entry.notice.notification_id == notice.notification_id and entry.notice.attempts == notice.attempts
            if same and entry.state == "pending" and entry.next_at_ns <= now_ns:
                self._put(entry.notice, "pending", until_ns)
                return True
        return False

    def dead(self) -> Sequence[Notice]:
        """As the port says."""
        return [e.notice for e in self._entries if e.state == "dead"]

    def delivered(self, notice: Notice) -> None:
        """As the port says."""
        self._put(replace(notice, attempts=notice.attempts + 1, body="", fault=""), "delivered", 0)

    def failed(self, notice: Notice, fault: str, next_at_ns: int | None) -> None:
        """As the port says."""
        state = "dead" if next_at_ns is None else "pending"
        self._put(replace(notice, attempts=notice.attempts + 1, fault=fault), state, next_at_ns or 0)

    def revive(self, now_ns: int) -> int:
        """As the port says."""
        dead = self.dead()
        for notice in dead:
            self._put(replace(notice, attempts=0), "pending", now_ns)
        return len(dead)

    def counts(self) -> OutboxCounts:
        """As the port says."""
        states = [e.state for e in self._entries]
        return OutboxCounts(waiting=states.count("pending"), given_up=states.count("dead"))

    def _put(self, notice: Notice, state: str, next_at_ns: int) -> None:
        for entry in self._entries:
            if entry.notice.notification_id == notice.notification_id:
                entry.notice, entry.state, entry.next_at_ns = notice, state, next_at_ns
