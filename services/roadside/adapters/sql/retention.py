"""What becomes of what is kept: deleted in time, forgotten on request, brought under new keys, accounted for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, or_, select, update

from roadside.adapters.sql.schema import AUDIT, CHAIN, CHANGES, CORRECTIONS, EVIDENCE, OUTBOX, SIGHTINGS
from roadside.adapters.sql.vault import FIRST_LINK
from roadside.core.plates import fold
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from roadside.adapters.encryption import Keyring
    from roadside.adapters.sql.database import Database
    from roadside.adapters.sql.vault import Vault
    from roadside.core.sightings import VerdictKind
    from roadside.ports.system import Clock

_BATCH = 500
_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge deleted."""

    sightings: Mapping[str, int]
    """By verdict."""
    pictures: int
    strays: int
    """Pictures on the volume that belonged to no sighting."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom."""

    at_ns: int
    actor: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a verification found."""

    faults: tuple[str, ...]
    entries: int
    last_link: str
    """To be kept elsewhere: it shows later whether the end of the chain was cut off."""


class RetentionManager:
    """Keeps the promises of docs/data-protection.md. Every act is written to the audit."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    def purge(self, keep_days: Mapping[VerdictKind, float], actor: str) -> Purged:
        """Delete every sighting older than its verdict's days, with pictures, corrections and notices."""
        now_ns = self._clock.now_ns()
        counts: dict[str, int] = {}
        pictures = 0
        for kind, days in keep_days.items():
            before_ns = now_ns - int(days * _DAY_NS)
            old = select(SIGHTINGS.c.sighting_id).where(
                SIGHTINGS.c.verdict == kind.value, SIGHTINGS.c.last_seen_ns < before_ns
            )
            while True:
                with self._database.write() as connection:
                    ids = list(connection.execute(old.limit(_BATCH)).scalars())
                    erased = self._delete(connection, ids, now_ns)
                    if ids:
                        self._audit(connection, actor, "purged", kind.value, f"{len(ids)} sightings")
                self._remove(erased)
                counts[kind.value] = counts.get(kind.value, 0) + len(ids)
                pictures += len(erased)
                if len(ids) < _BATCH:
                    break
        return Purged(counts, pictures, self._remove_strays())

    def forget(self, plate: str, actor: str) -> int:
        """Delete all that is kept of a plate's passages; how many they were.

        Also strikes it from the other readings of other vehicles' sightings. The audit notes a keyed
        hash, not the plate. Vignettes stay: they are the registry's.
        """
        key = fold(plate)
        if not key:
            raise InputError(f"{plate!r} is no plate")
        hashes = self._vault.keyring.hashes(key)
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            mine = or_(SIGHTINGS.c.plate_key == key, SIGHTINGS.c.plate_hash.in_(hashes))
            corrected = select(CORRECTIONS.c.sighting_id, CORRECTIONS.c.text, CORRECTIONS.c.read_text)
            ids = set(connection.execute(select(SIGHTINGS.c.sighting_id).where(mine)).scalars())
            ids |= {row.sighting_id for row in connection.execute(corrected) if key in map(fold, row[1:])}
            erased = self._delete(connection, sorted(ids), now_ns)
            struck = _strike(connection, key)
            note = f"{len(ids)} sightings, {struck} mentions"
            self._audit(connection, actor, "forgot", self._vault.keyring.hash_plate(key), note)
        self._remove(erased)
        return len(ids)

    def verify(self, expected_link: str | None = None) -> ChainReport:
        """Whether chain, records and pictures agree and were left alone.

        `expected_link` is a last link that was noted before: it must still be in the chain.
        """
        with self._database.read() as connection:
            faults, entries, link = self._vault.faults(connection)
            if expected_link is not None:
                statement = select(CHAIN.c.sequence).where(CHAIN.c.link == expected_link)
                if connection.execute(statement).first() is None:
                    faults.append("chain: the expected link is missing: the end was cut off, or the keys were rotated")
        return ChainReport(tuple(faults), entries, link)

    def reencrypt(self, keyring: Keyring, actor: str) -> int:
        """Bring every picture and the chain under the active key of `keyring`; how many pictures changed.

        May be killed and run again. Raises InputError where the chain shows faults: sealing it anew
        would hide them.
        """
        vault = self._vault.under(keyring)
        changed = 0
        with self._database.read() as connection:
            faults, _, before = vault.faults(connection)
            digests = set(connection.execute(select(EVIDENCE.c.sha256)).scalars())
        if faults:
            raise InputError(f"the evidence has {len(faults)} faults; see `roadside evidence verify`")
        for digest in sorted(digests):
            changed += vault.reencrypt(digest)
        with self._database.write() as connection:
            connection.execute(update(EVIDENCE).values(key_id=keyring.active))
            after = _reseal(connection, keyring)
            self._audit(connection, actor, "rotated keys", keyring.active, f"{changed} pictures; {before} -> {after}")
        self._vault = vault
        return changed

    def keys_in_use(self) -> set[str]:
        """Ids of the keys that hashes, pictures or the chain still need."""
        with self._database.read() as connection:
            used = set(connection.execute(select(EVIDENCE.c.key_id).distinct()).scalars())
            used |= set(connection.execute(select(CHAIN.c.key_id).distinct()).scalars())
            hashes = select(SIGHTINGS.c.plate_hash).where(SIGHTINGS.c.plate_hash.is_not(None))
            used |= {value.split(":")[0] for value in connection.execute(hashes).scalars()}
        return used

    def note(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Write to the audit."""
        with self._database.write() as connection:
            self._audit(connection, actor, action, subject, detail)

    def audit(self, limit: int = 100) -> Sequence[AuditEntry]:
        """The newest entries, newest first."""
        statement = select(AUDIT).order_by(AUDIT.c.entry_id.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [AuditEntry(row.at_ns, row.actor, row.action, row.subject, row.detail) for row in rows]

    def _delete(self, connection: Connection, ids: Sequence[str], now_ns: int) -> set[str]:
        erased: set[str] = set()
        for sighting_id in ids:
            erased.update(self._vault.forget(connection, sighting_id, now_ns))
        for table in (CORRECTIONS, CHANGES, OUTBOX, SIGHTINGS):
            connection.execute(delete(table).where(table.c.sighting_id.in_(ids)))
        return erased

    def _remove(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._vault.remove(digest)

    def _remove_strays(self) -> int:
        """Pictures written just before a crash, whose record never came; young ones may still get theirs."""
        old = self._vault.names(older_than_ns=self._clock.now_ns() - _DAY_NS)
        with self._database.read() as connection:
            strays = old - set(connection.execute(select(EVIDENCE.c.sha256)).scalars())
        self._remove(strays)
        return len(strays)

    def _audit(self, connection: Connection, actor: str, action: str, subject: str, detail: str) -> None:
        entry = {"at_ns": self._clock.now_ns(), "actor": actor, "action": action}
        connection.execute(insert(AUDIT).values(subject=subject, detail=detail, **entry))


def _reseal(connection: Connection, keyring: Keyring) -> str:
    link = FIRST_LINK
    for row in connection.execute(select(CHAIN).order_by(CHAIN.c.sequence)).all():
        fields = (str(row.sequence), str(row.at_ns), row.event, row.sighting_id, row.kind, row.sha256)
        link = keyring.seal(keyring.active, link, *fields)
        mine = CHAIN.c.sequence == row.sequence
        connection.execute(update(CHAIN).where(mine).values(key_id=keyring.active, link=link))
    return link


def _strike(connection: Connection, key: str) -> int:
    """Take a plate out of the readings of other vehicles; how many sightings mentioned it."""
    mentions = select(SIGHTINGS.c.sighting_id, SIGHTINGS.c.plate, SIGHTINGS.c.reasons).where(
        SIGHTINGS.c.plate.is_not(None)
    )
    struck = 0
    for row in connection.execute(mentions).all():
        plate, reasons = json.loads(row.plate), json.loads(row.reasons)
        before = json.dumps([plate, reasons])
        plate["alternatives"] = [entry for entry in plate["alternatives"] if fold(entry[0]) != key]
        for name in ("readings", "vignettes", "lapsed", "exemptions"):
            reasons[name] = [entry for entry in reasons[name] if fold(entry[0]) != key]
        if json.dumps([plate, reasons]) == before:
            continue
        struck += 1
        mine = SIGHTINGS.c.sighting_id == row.sighting_id
        values = {"plate": json.dumps(plate), "reasons": json.dumps(reasons)}
        connection.execute(update(SIGHTINGS).where(mine).values(values))
    return struck
