"""The chain of evidence: of everything that happens to a record an entry, each sealed with the one before.

An entry holds no plate. What it seals, every column of a sighting and of what belongs to it, lies beside it
(`sealed_records`) with a random salt; the entry holds the HMAC-SHA-256 of the record under that salt. When a record is
deleted, its salt goes with it: what is left in the chain is a number that no guess at the plate can be compared with,
and that still has its place in the chain. An entry `erased` says that nothing was lost by accident.

Entries of version 1 were made before: each seals a picture of a sighting, and nothing else. They verify as they did.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select

from roadside._version import __version__
from roadside.adapters.sql.locks import Lock, one_at_a_time
from roadside.adapters.sql.schema import AUDIT, CHAIN, SEALED, SIGHTINGS
from roadside.adapters.sql.sealing import plain, states
from roadside.core.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from roadside.adapters.encryption import Keyring
    from roadside.core.canonical import Plain

FIRST_LINK = "roadside"
"""What the first entry is sealed with, in place of a link before it."""
PICTURES_ONLY, WHOLE_RECORDS = 1, 2
"""Versions of entries."""
_FORMAT = 1
"""Of the record that an entry of version 2 seals; another one when names in it change their meaning."""


class Event(StrEnum):
    """What an entry says has happened."""

    BEGAN = "began"
    """From here on whole records are sealed; what is older is named."""
    STORED = "stored"
    """A sighting came. In version 1: a picture came."""
    DECIDED = "decided"
    """Its verdict was changed."""
    ANSWERED = "answered"
    """A person said what the plate is."""
    STRUCK = "struck"
    """Another plate was taken out of its readings, because that was forgotten."""
    ERASED = "erased"
    """What was sealed of sightings so far was deleted. In version 1: a picture was."""
    ROTATED = "rotated"
    """A new key seals from here on."""
    AUDIT = "audit"
    """A line of the audit."""
    LISTED = "listed"
    """A list was taken into the registry."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom."""

    at_ns: int
    actor: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain; sequence 0 of an empty one."""

    sequence: int
    link: str


class Chain:
    """Appends under one keyring, in the transactions of the caller."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def head(self, connection: Connection) -> Head:
        """Where the chain ends."""
        last = _last(connection)
        return Head(0, FIRST_LINK) if last is None else Head(last.sequence, last.link)

    def seal(
        self,
        connection: Connection,
        event: Event,
        ids: Sequence[str],
        at_ns: int,
        facts: Mapping[str, Plain] | None = None,
    ) -> None:
        """Append an entry for each sighting in `ids`: what is kept of it now, and what has happened."""
        self._lock(connection, at_ns)
        found, said = states(connection, ids), dict(facts or {})
        sealed = [(sighting_id, {**found[sighting_id], "facts": said}) for sighting_id in ids if sighting_id in found]
        self._append(connection, event, sealed, at_ns)

    def note(self, connection: Connection, event: Event, facts: Mapping[str, Plain], at_ns: int) -> None:
        """Append an entry that is about no single sighting."""
        self._lock(connection, at_ns)
        self._append(connection, event, [("", {"facts": dict(facts)})], at_ns)

    def erase(self, connection: Connection, ids: Iterable[str], why: str, at_ns: int) -> None:
        """Say that the records of sightings are deleted, and delete what was sealed of them, with its salt."""
        gone = sorted(set(ids))
        if not gone:
            return
        self._lock(connection, at_ns)
        self._append(connection, Event.ERASED, [("", {"facts": {"sightings": gone, "why": why}})], at_ns)
        connection.execute(delete(SEALED).where(SEALED.c.sighting_id.in_(gone)))

    def audit(self, connection: Connection, entry: AuditEntry) -> None:
        """Write a line of the audit, sealed."""
        row = connection.execute(insert(AUDIT).values(asdict(entry)).returning(AUDIT)).mappings().one()
        self.note(connection, Event.AUDIT, {"audit": plain(row)}, entry.at_ns)

    def link_of(self, row: Row[Any], before: str) -> str:
        """The link that an entry must have, after the link `before`. Raises NotFoundError for a lost key."""
        fields = (str(row.sequence), str(row.at_ns), row.event, row.sighting_id, row.kind, row.sha256)
        if row.version == PICTURES_ONLY:
            return self._keyring.seal(row.key_id, before, *fields)
        return self._keyring.seal(row.key_id, f"version {row.version}", before, *fields)

    def _lock(self, connection: Connection, at_ns: int) -> None:
        """Nobody else appends until the transaction ends; the first entry of this version says what is older."""
        one_at_a_time(connection, Lock.CHAIN)
        last = _last(connection)
        if last is not None and last.version != PICTURES_ONLY:
            return
        older: dict[str, Plain] = {
            "sightings_to": connection.execute(select(func.max(SIGHTINGS.c.sequence))).scalar() or 0,
            "audit_to": connection.execute(select(func.max(AUDIT.c.entry_id))).scalar() or 0,
        }
        self._append(connection, Event.BEGAN, [("", {"facts": older})], at_ns)

    def _append(
        self, connection: Connection, event: Event, records: Sequence[tuple[str, Mapping[str, Plain]]], at_ns: int
    ) -> None:
        """Append an entry for each of `records`, pairs of a sighting's id and what is sealed, in their order."""
        if not records:
            return
        last = _last(connection)
        sequence, link = (last.sequence, last.link) if last else (0, FIRST_LINK)
        entries, sealed = [], []
        for sighting_id, record in records:
            sequence += 1
            body = canonical({**record, "event": event.value, "format": _FORMAT, "software": __version__})
            salt = secrets.token_hex(32)
            fields = (str(sequence), str(at_ns), event.value, sighting_id, "", commitment(salt, body))
            link = self._keyring.seal(self._keyring.active, f"version {WHOLE_RECORDS}", link, *fields)
            entries.append(
                {
                    "sequence": sequence,
                    "at_ns": at_ns,
                    "event": event.value,
                    "sighting_id": sighting_id,
                    "kind": "",
                    "sha256": fields[-1],
                    "key_id": self._keyring.active,
                    "version": WHOLE_RECORDS,
                    "link": link,
                }
            )
            sealed.append({"sequence": sequence, "sighting_id": sighting_id, "salt": salt, "body": body})
        connection.execute(insert(CHAIN), entries)
        connection.execute(insert(SEALED), sealed)


def commitment(salt: str, body: str) -> str:
    """What an entry holds of the record `body`: HMAC-SHA-256 under the 32 bytes of `salt`, hexadecimal."""
    return hmac.new(bytes.fromhex(salt), body.encode(), hashlib.sha256).hexdigest()


def opened(salt: str | None, body: str | None, committed: str) -> Mapping[str, Any] | None:
    """The record that an entry seals; None where it is not the one that was sealed, or lies there no more."""
    if salt is None or body is None:
        return None
    try:
        is_right = hmac.compare_digest(commitment(salt, body), committed)
        record = json.loads(body) if is_right else None
    except (ValueError, TypeError):
        return None
    return record if isinstance(record, dict) else None


def _last(connection: Connection) -> Row[Any] | None:
    return connection.execute(select(CHAIN).order_by(CHAIN.c.sequence.desc()).limit(1)).first()
