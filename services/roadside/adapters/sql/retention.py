"""What becomes of what is kept: deleted in time, forgotten on request, brought under new keys, accounted for."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, delete, func, or_, select, update

from roadside.adapters.checkpoint import sign_head
from roadside.adapters.sql.arrivals import Arrivals, refused_arrivals
from roadside.adapters.sql.chain import AuditEntry, Event
from roadside.adapters.sql.import_seals import import_faults, imports_after, newest_seal
from roadside.adapters.sql.schema import AUDIT, CHAIN, CHANGES, CORRECTIONS, EVIDENCE, OUTBOX, SIGHTINGS
from roadside.adapters.sql.verification import compared, walked
from roadside.core.plates import fold
from roadside.core.sightings import VerdictKind
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from roadside.adapters.checkpoint import Checkpoint
    from roadside.adapters.encryption import Keyring
    from roadside.adapters.sql.database import Database
    from roadside.adapters.sql.vault import Vault
    from roadside.core.canonical import Plain
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
    scrubbed: bool = True
    """Whether no trace of what was deleted is left in the database's files."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Where and when a vehicle was seen."""

    camera_id: str
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted on a person's request."""

    sightings: int
    receipt: str
    """Kept nowhere: who has it and the plate can show by the audit that it was forgotten."""
    scrubbed: bool
    """Whether no trace of it is left in the database's files."""


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a verification found."""

    faults: tuple[str, ...]
    entries: int
    last_link: str
    """To be kept elsewhere: it shows later whether the end of the chain was cut off."""
    sealed: int = 0
    """Sightings whose whole record is sealed."""
    older: int = 0
    """Sightings that an older version stored, which sealed their pictures alone."""
    anchor: Checkpoint | None = None
    """The newest checkpoint that agrees: up to its entry nothing was cut off or exchanged."""
    sealed_import: int = 0
    """The last import of the registry that the chain has sealed; 0 where there is none."""
    newer_imports: int = 0
    """Imports since then: that they are Roadside's own is not shown by the chain yet."""


class RetentionManager:
    """Keeps the promises of docs/data-protection.md. Every act is written to the audit."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._scrubbed_s: float | None = None

    def purge(self, keep_days: Mapping[VerdictKind, float], actor: str, scrub_every_s: float = 0.0) -> Purged:
        """Delete every sighting older than its verdict's days, with pictures, corrections and notices.

        The days are those since the passage; where it was stored at another time, as of a recording or by a clock that
        was wrong, and where it has no verdict, since then.

        What was deleted is overwritten then, but, where something else than 0 is given, no more often than every
        `scrub_every_s`: it takes as long as a copy of the database.
        """
        now_ns = self._clock.now_ns()
        counts: dict[str, int] = {}
        pictures = 0
        for kind, days in keep_days.items():
            before_ns = now_ns - int(days * _DAY_NS)
            unjudged = kind is VerdictKind.NONE
            over = SIGHTINGS.c.decided_at_ns < before_ns if unjudged else _is_over(before_ns, now_ns)
            old = select(SIGHTINGS.c.sighting_id).where(SIGHTINGS.c.verdict == kind.value, over)
            while True:
                with self._database.write() as connection:
                    ids = list(connection.execute(old.limit(_BATCH)).scalars())
                    _lock(connection, ids)
                    erased = self._delete(connection, ids, "its retention is over", now_ns)
                    if ids:
                        note = AuditEntry(now_ns, actor, "purged", kind.value, f"{len(ids)} sightings")
                        self._vault.chain.audit(connection, note)
                self._remove(erased)
                counts[kind.value] = counts.get(kind.value, 0) + len(ids)
                pictures += len(erased)
                if len(ids) < _BATCH:
                    break
        strays = self._remove_strays()
        scrubbed = self._scrub(scrub_every_s) if any(counts.values()) or not scrub_every_s else True
        return Purged(counts, pictures, strays, scrubbed)

    def _scrub(self, every_s: float) -> bool:
        """Overwrite what was deleted, unless that was done less than `every_s` ago."""
        if self._scrubbed_s is not None and time.monotonic() - self._scrubbed_s < every_s:
            return False
        done = self._database.scrub()
        self._scrubbed_s = time.monotonic() if done else self._scrubbed_s
        return done

    def passages(self, plate: str) -> Sequence[Passage]:
        """Every passage that is kept of a plate, also where its hash alone is."""
        key = fold(plate)
        mine = or_(SIGHTINGS.c.plate_key == key, SIGHTINGS.c.plate_hash.in_(self._vault.keyring.hashes(key)))
        seen = select(SIGHTINGS.c.camera_id, SIGHTINGS.c.first_seen_ns, SIGHTINGS.c.last_seen_ns).where(mine)
        with self._database.read() as connection:
            return [Passage(*row) for row in connection.execute(seen)]

    def forget(self, plate: str, actor: str) -> Forgotten:
        """Delete all that is kept of a plate's passages.

        Also strikes it from the other readings of other vehicles' sightings. The audit notes a hash of the plate and of
        a receipt that is kept nowhere, so that nobody can try out plates. Vignettes stay: they are the registry's.
        """
        key = fold(plate)
        if not key:
            raise InputError(f"{plate!r} is no plate")
        Arrivals(self._database, self._vault, self._clock).settle()  # it may be among those on their way
        hashes, receipt = self._vault.keyring.hashes(key), secrets.token_hex(16)
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            mine = or_(SIGHTINGS.c.plate_key == key, SIGHTINGS.c.plate_hash.in_(hashes))
            corrected = select(CORRECTIONS.c.sighting_id, CORRECTIONS.c.text, CORRECTIONS.c.read_text)
            ids = set(connection.execute(select(SIGHTINGS.c.sighting_id).where(mine)).scalars())
            ids |= {row.sighting_id for row in connection.execute(corrected) if key in map(fold, row[1:])}
            struck = _mentions(connection, key, ids)
            _lock(connection, sorted({*ids, *struck}))
            for sighting_id, values in struck.items():
                connection.execute(update(SIGHTINGS).where(SIGHTINGS.c.sighting_id == sighting_id).values(**values))
            erased = self._delete(connection, sorted(ids), "its plate was forgotten", now_ns)
            self._vault.chain.erase(connection, struck, "another plate among its readings was forgotten", now_ns)
            self._vault.chain.seal(connection, Event.STRUCK, sorted(struck), now_ns)
            note = f"{len(ids)} sightings, {len(struck)} mentions"
            about = f"receipt {receipt_digest(receipt, key)}"
            self._vault.chain.audit(connection, AuditEntry(now_ns, actor, "forgot", about, note))
        self._remove(erased)
        return Forgotten(len(ids), receipt, self._database.scrub())

    def verify(
        self,
        expected_link: str | None = None,
        checkpoints: Sequence[Checkpoint] = (),
        registry: Database | None = None,
    ) -> ChainReport:
        """Whether chain, records and pictures agree and were left alone, and so the lists of the `registry`.

        `expected_link` is a last link that was noted before, `checkpoints` were signed before: they must agree with the
        chain.
        """
        with self._database.snapshot() as connection:
            walk = walked(connection, self._vault, {each.sequence for each in checkpoints}, expected_link)
            found = compared(connection, self._vault, walk)
            refused = refused_arrivals(connection)
        faults = [*walk.faults, *found.faults]
        faults += [f"{name}: a sighting that came by no way of Roadside: it was not taken over" for name in refused]
        if expected_link is not None and not walk.expected:
            faults.append("chain: the expected link is missing: the end was cut off, or the chain was made anew")
        anchor: Checkpoint | None = None
        for each in sorted(checkpoints, key=lambda each: each.sequence):
            fault = each.fault(self._vault.keyring, walk.links.get(each.sequence))
            if fault is None:
                anchor = each
            else:
                faults.append(fault)
        newer, sealed_import = 0, max(walk.imports.numbers, default=0)
        if registry is not None:
            with registry.snapshot() as connection:
                faults += import_faults(connection, walk.imports)
                newer = imports_after(connection, sealed_import)
        counts = (found.sealed, found.older, anchor, sealed_import, newer)
        return ChainReport(tuple(faults), walk.head.sequence, walk.head.link, *counts)

    def seal_lists(self, registry: Database) -> None:
        """Seal the last import of `registry` in the chain, and with it all before."""
        with registry.read() as connection:
            newest = newest_seal(connection)
        if newest is not None:
            number, seal = newest
            with self._database.write() as connection:
                facts: dict[str, Plain] = {"import": number, "seal": seal}
                self._vault.chain.note(connection, Event.LISTED, facts, self._clock.now_ns())

    def checkpoint(self) -> Checkpoint | None:
        """The end of the chain, signed; None of a chain without entries."""
        with self._database.read() as connection:
            head = self._vault.chain.head(connection)
        return sign_head(self._vault.keyring, head, self._clock.now_ns()) if head.sequence else None

    def holds(self, checkpoint: Checkpoint) -> bool:
        """Whether the chain has the entry that was signed; its seals are not looked at."""
        with self._database.read() as connection:
            link = connection.execute(select(CHAIN.c.link).where(CHAIN.c.sequence == checkpoint.sequence)).scalar()
        return link == checkpoint.link

    def reencrypt(self, keyring: Keyring, actor: str) -> int:
        """Bring every picture under the active key of `keyring`, which seals the chain from here on; how many changed.

        May be killed and run again. Raises InputError where there are faults: what comes after them would seem sound.
        """
        vault = self._vault.under(keyring)
        with self._database.snapshot() as connection:
            walk = walked(connection, vault)
            faults = [*walk.faults, *compared(connection, vault, walk, under_any_key=True).faults]
        if faults:
            raise InputError(f"the evidence has {len(faults)} faults; see `roadside evidence verify`")
        with self._database.read() as connection:
            digests = set(connection.execute(select(EVIDENCE.c.sha256)).scalars())
        now_ns = self._clock.now_ns()
        changed = sum(self._reencrypt(vault, digest) for digest in sorted(digests))
        with self._database.write() as connection:
            vault.chain.note(connection, Event.ROTATED, {"key": keyring.active}, now_ns)
            note = AuditEntry(now_ns, actor, "rotated keys", keyring.active, f"{changed} pictures")
            vault.chain.audit(connection, note)
        self._vault = vault
        return changed

    def keys_in_use(self) -> set[str]:
        """Ids of the keys that hashes or pictures still need; of others the ring keeps what verifies the chain."""
        with self._database.read() as connection:
            used = set(connection.execute(select(EVIDENCE.c.key_id).distinct()).scalars())
            hashes = select(SIGHTINGS.c.plate_hash).where(SIGHTINGS.c.plate_hash.is_not(None))
            used |= {value.split(":")[0] for value in connection.execute(hashes).scalars()}
        return used

    def note(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Write to the audit."""
        with self._database.write() as connection:
            entry = AuditEntry(self._clock.now_ns(), actor, action, subject, detail)
            self._vault.chain.audit(connection, entry)

    def audit(self, limit: int = 100) -> Sequence[AuditEntry]:
        """The newest entries, newest first."""
        statement = select(AUDIT).order_by(AUDIT.c.entry_id.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [AuditEntry(row.at_ns, row.actor, row.action, row.subject, row.detail) for row in rows]

    def _reencrypt(self, vault: Vault, digest: str) -> int:
        """1 where a picture came under the new key; its record follows at once, so that a crash parts few of them."""
        changed = vault.reencrypt(digest)
        mine = EVIDENCE.c.sha256 == digest
        with self._database.write() as connection:
            connection.execute(update(EVIDENCE).where(mine).values(key_id=vault.keyring.active))
        return int(changed)

    def _delete(self, connection: Connection, ids: Sequence[str], why: str, now_ns: int) -> Sequence[str]:
        erased = self._vault.forget(connection, ids)
        self._vault.chain.erase(connection, ids, why, now_ns)
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


def _is_over(before_ns: int, now_ns: int) -> ColumnElement[bool]:
    """Whether a sighting's days began before a time: at its passage, or when it was stored if that is a day away."""
    stored_ns = (
        select(func.min(CHAIN.c.at_ns))
        .where(CHAIN.c.sighting_id == SIGHTINGS.c.sighting_id, CHAIN.c.event == Event.STORED.value)
        .scalar_subquery()
    )
    passed_ns = SIGHTINGS.c.last_seen_ns
    began_ns = case((func.abs(stored_ns - passed_ns) > _DAY_NS, stored_ns), else_=passed_ns)
    # Only what seems old or to come is looked up in the chain.
    return or_(and_(passed_ns < before_ns, began_ns < before_ns), and_(passed_ns > now_ns, began_ns < before_ns))


def receipt_digest(receipt: str, key: str) -> str:
    """What the audit notes of a forgotten plate: HMAC-SHA-256 of the folded `key` under the person's receipt."""
    return hmac.new(receipt.encode(), key.encode(), hashlib.sha256).hexdigest()


def _lock(connection: Connection, ids: Sequence[str]) -> None:
    """Nobody else changes these sightings until the transaction ends: taken before the chain, as everywhere."""
    mine = select(SIGHTINGS.c.sequence).where(SIGHTINGS.c.sighting_id.in_(ids)).order_by(SIGHTINGS.c.sequence)
    connection.execute(mine.with_for_update())


def _mentions(connection: Connection, key: str, without: Collection[str]) -> dict[str, dict[str, str]]:
    """Sightings of other vehicles that list a plate among their readings, with their columns without it."""
    rows = connection.execute(
        select(SIGHTINGS.c.sighting_id, SIGHTINGS.c.plate, SIGHTINGS.c.reasons).where(SIGHTINGS.c.plate.is_not(None))
    ).all()
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if row.sighting_id in without:
            continue
        plate, reasons = json.loads(row.plate), json.loads(row.reasons)
        before = json.dumps([plate, reasons])
        plate["alternatives"] = [entry for entry in plate["alternatives"] if fold(entry[0]) != key]
        for look in plate.get("shown", ()):  # its picture stays: it shows the vehicle of this sighting
            if fold(look[0]) == key:
                look[0] = ""
        for name in ("readings", "vignettes", "lapsed", "exemptions"):
            reasons[name] = [entry for entry in reasons[name] if fold(entry[0]) != key]
        said = reasons.get("witness")
        if said is not None and fold(said[-1]) == key:
            said[-1] = ""
        if json.dumps([plate, reasons]) != before:
            found[row.sighting_id] = {"plate": json.dumps(plate), "reasons": json.dumps(reasons)}
    return found
