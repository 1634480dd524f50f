"""Sightings in a database, each once, found by index, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, select, update

from roadside.adapters.sql.arrivals import Arrival, Arrivals
from roadside.adapters.sql.chain import AuditEntry, Event
from roadside.adapters.sql.codec import HASHED, sighting_of, sighting_row
from roadside.adapters.sql.finding import asked, page_token
from roadside.adapters.sql.locks import Lock, one_at_a_time
from roadside.adapters.sql.naming import named
from roadside.adapters.sql.schema import CHAIN, CHANGES, CORRECTIONS, EVIDENCE, KNOWN_MATCHES, OUTBOX, SIGHTINGS
from roadside.core.plates import fold
from roadside.core.sightings import SightingPage, VerdictKind
from roadside.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, RowMapping, Select

    from roadside.adapters.sql.database import Database
    from roadside.adapters.sql.vault import Vault
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Picture, PictureKind, Sighting, SightingQuery, Verdict
    from roadside.ports.system import Clock

MOST_A_PAGE = 1000


class SqlSightingStore:
    """The SightingStore in SQLite or PostgreSQL, with its pictures in a vault."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._arrivals = Arrivals(database, vault, clock)

    def save(self, sighting: Sighting, pictures: Sequence[Picture] = ()) -> Sighting:
        """Store once and return what is kept; what is there already is returned unchanged.

        PAID and EXEMPT keep a keyed hash and no picture, whatever is given.
        Raises StoreUnavailableError where nothing was stored.
        """
        return self.save_all([(sighting, pictures)])[0]

    def save_all(self, seen: Sequence[tuple[Sighting, Sequence[Picture]]]) -> Sequence[Sighting]:
        """As `save`, of many in one transaction: all are stored, or none; what is kept of each, in their order."""
        ids = [sighting.sighting_id for sighting, _ in seen]
        with self._database.read() as connection:
            known = known_sightings(connection, ids)
        new = [self._arrival(sighting, pictures) for sighting, pictures in seen if sighting.sighting_id not in known]
        if new:
            self._arrivals.store(new)
            with self._database.read() as connection:
                known = known_sightings(connection, ids)
        for sighting_id in ids:
            if sighting_id not in known:
                raise NotFoundError(f"sighting {sighting_id} went away while it was stored")
        return [known[sighting_id] for sighting_id in ids]

    def settle(self) -> None:
        """Give sightings that a killed process left on their way their places. Raises StoreUnavailableError."""
        self._arrivals.settle()

    def _arrival(self, sighting: Sighting, pictures: Sequence[Picture]) -> Arrival:
        """A sighting as it may be kept, its pictures written."""
        kept = redacted(sighting, self._vault)
        if kept.verdict.kind in HASHED:
            return Arrival(kept)
        return Arrival(kept, [(picture, self._vault.write(picture)) for picture in pictures])

    def decide(self, sighting_id: str, verdict: Verdict, author: str, corrected: FusedPlate | None = None) -> Sighting:
        """Put `verdict` in place of the one before, and `corrected` in place of the plate where given.

        What becomes PAID or EXEMPT loses its plate and its pictures. Raises NotFoundError.
        """
        with self._database.write() as connection:
            known = self._locked(connection, sighting_id)
            if known is None:
                raise NotFoundError(f"there is no sighting {sighting_id}")
            erased = self._change(connection, known, verdict, author, corrected)
        self._vault_remove(erased)
        return self.get(sighting_id)

    def decide_unknown(self, sighting_id: str, verdict: Verdict, author: str) -> Sighting | None:
        """Put `verdict` in place of UNKNOWN; None, and nothing changed, where it is that no more or is gone.

        So of several who ask the registry again, and of people who answer meanwhile, one decides.
        """
        with self._database.write() as connection:
            known = self._locked(connection, sighting_id)
            if known is None or known.verdict.kind is not VerdictKind.UNKNOWN:
                return None
            erased = self._change(connection, known, verdict, author, None)
            decided = known_sighting(connection, sighting_id)
        self._vault_remove(erased)
        return decided

    def get(self, sighting_id: str) -> Sighting:
        """Raises NotFoundError, StoreUnavailableError."""
        with self._database.read() as connection:
            known = known_sighting(connection, sighting_id)
        if known is None:
            raise NotFoundError(f"there is no sighting {sighting_id}")
        return known

    def find(self, query: SightingQuery) -> SightingPage:
        """Newest first, a page at a time. Raises InputError for a page token that is not ours, or a long plate."""
        limit = max(1, min(query.limit, MOST_A_PAGE))
        with self._database.read() as connection:
            rows = connection.execute(asked(connection, query, limit + 1)).mappings().all()
            found = _with_evidence(connection, rows)
        token = page_token(found[limit - 1]) if len(found) > limit else ""
        return SightingPage(tuple(found[:limit]), token)

    def after(self, sequence: int, limit: int) -> Sequence[Sighting]:
        """Those stored after the one with this `Sighting.sequence`, in the order of storing."""
        statement = select(SIGHTINGS).where(SIGHTINGS.c.sequence > sequence)
        return self._sightings(statement.order_by(SIGHTINGS.c.sequence).limit(limit))

    def newest_sequence(self) -> int:
        """The `Sighting.sequence` of the one stored last; 0 where there is none."""
        with self._database.read() as connection:
            return connection.execute(select(func.max(SIGHTINGS.c.sequence))).scalar() or 0

    def resume_after(self, sighting_id: str) -> int:
        """See `SightingStore.resume_after`: the chain of evidence remembers the order of what was deleted."""
        with self._database.read() as connection:
            mine: int | None = connection.execute(
                select(SIGHTINGS.c.sequence).where(SIGHTINGS.c.sighting_id == sighting_id)
            ).scalar()
            if mine is not None:
                return mine
            stored = select(func.min(CHAIN.c.sequence)).where(CHAIN.c.sighting_id == sighting_id)
            place = connection.execute(stored).scalar()
            if place is None:
                raise NotFoundError(f"there is no sighting {sighting_id}")
            following = (
                select(SIGHTINGS.c.sequence)
                .join(CHAIN, CHAIN.c.sighting_id == SIGHTINGS.c.sighting_id)
                .where(CHAIN.c.sequence > place, CHAIN.c.event == Event.STORED.value)
                .order_by(CHAIN.c.sequence)
                .limit(1)
            )
            after: int | None = connection.execute(following).scalar()
        return self.newest_sequence() if after is None else after - 1

    def picture(self, sighting_id: str, kind: PictureKind, viewer: str) -> bytes:
        """The decrypted picture; that `viewer` looked is written down. Raises NotFoundError."""
        this = and_(EVIDENCE.c.sighting_id == sighting_id, EVIDENCE.c.kind == kind.value)
        with self._database.write() as connection:
            row = connection.execute(select(EVIDENCE.c.sha256).where(this)).first()
            if row is None:
                raise NotFoundError(f"there is no picture {kind.value} of sighting {sighting_id}")
            looked = AuditEntry(self._clock.now_ns(), viewer, "looked", sighting_id, kind.value)
            self._vault.chain.audit(connection, looked)
        return self._vault.read(row.sha256)

    def note_search(self, plate: str, viewer: str) -> None:
        """Write down that `viewer` looked for a plate or its beginning, of which a keyed hash is kept."""
        subject = self._vault.keyring.hash_plate(fold(plate))
        searched = AuditEntry(self._clock.now_ns(), viewer, "searched", subject, "")
        with self._database.write() as connection:
            self._vault.chain.audit(connection, searched)

    def _locked(self, connection: Connection, sighting_id: str) -> Sighting | None:
        """The sighting, which nobody else changes until the transaction ends."""
        mine = select(SIGHTINGS.c.sequence).where(SIGHTINGS.c.sighting_id == sighting_id)
        connection.execute(mine.with_for_update())
        return known_sighting(connection, sighting_id)

    def _change(
        self, connection: Connection, known: Sighting, verdict: Verdict, author: str, corrected: FusedPlate | None
    ) -> Sequence[str]:
        """Write the new verdict; the pictures that nobody needs after the transaction."""
        now_ns, sighting_id = self._clock.now_ns(), known.sighting_id
        after = redacted(replace(known, verdict=verdict, plate=corrected or known.plate), self._vault)
        values = {**sighting_row(after, now_ns), "sighting_id": sighting_id}
        connection.execute(update(SIGHTINGS).where(SIGHTINGS.c.sighting_id == sighting_id).values(values))
        asked_by = {column: values[column] for column in ("verdict", "country")}
        connection.execute(update(KNOWN_MATCHES).where(KNOWN_MATCHES.c.sighting_id == sighting_id).values(asked_by))
        one_at_a_time(connection, Lock.CHANGE)
        change = {"before": known.verdict.kind.value, "after": verdict.kind.value, "rule": verdict.rule}
        connection.execute(insert(CHANGES).values(sighting_id=sighting_id, at_ns=now_ns, author=author, **change))
        erased: Sequence[str] = ()
        if verdict.kind in HASHED:
            erased = self._vault.forget(connection, [sighting_id])
            _strip(connection, sighting_id)
            self._vault.chain.erase(connection, [sighting_id], f"it is {verdict.kind.value}", now_ns)
        self._vault.chain.seal(connection, Event.DECIDED, [sighting_id], now_ns, {"author": author, **change})
        return erased

    def _vault_remove(self, digests: Sequence[str]) -> None:
        for digest in digests:
            self._vault.remove(digest)

    def _sightings(self, statement: Select[Any]) -> list[Sighting]:
        with self._database.read() as connection:
            return _with_evidence(connection, connection.execute(statement).mappings().all())


def known_sighting(connection: Connection, sighting_id: str) -> Sighting | None:
    """The sighting as a transaction of the caller sees it; None where there is none."""
    return known_sightings(connection, [sighting_id]).get(sighting_id)


def known_sightings(connection: Connection, ids: Sequence[str]) -> Mapping[str, Sighting]:
    """Those of the sightings `ids` that are kept."""
    statement = select(SIGHTINGS).where(SIGHTINGS.c.sighting_id.in_(named(ids)))
    found = _with_evidence(connection, connection.execute(statement).mappings().all())
    return {sighting.sighting_id: sighting for sighting in found}


def redacted(sighting: Sighting, vault: Vault) -> Sighting:
    """`sighting` as it may be kept: of PAID and EXEMPT a keyed hash, the rule and the probabilities."""
    if sighting.verdict.kind not in HASHED:
        return sighting
    verdict = replace(sighting.verdict, readings=(), vignettes=(), exemptions=(), lapsed=(), witness=None)
    hashed = sighting.plate_hash
    if sighting.plate is not None:
        hashed = vault.keyring.hash_plate(fold(sighting.plate.text))
    return replace(sighting, plate=None, plate_hash=hashed, verdict=verdict, evidence=(), known=())


def _strip(connection: Connection, sighting_id: str) -> None:
    """Take the plate out of a person's answers, of lists and of notices that were not delivered."""
    answers = update(CORRECTIONS).where(CORRECTIONS.c.sighting_id == sighting_id)
    connection.execute(answers.values(text="", read_text="", country=""))
    waiting = and_(OUTBOX.c.sighting_id == sighting_id, OUTBOX.c.body != "")
    connection.execute(delete(OUTBOX).where(waiting))
    connection.execute(delete(KNOWN_MATCHES).where(KNOWN_MATCHES.c.sighting_id == sighting_id))


def _with_evidence(connection: Connection, rows: Sequence[RowMapping]) -> list[Sighting]:
    ids = [row["sighting_id"] for row in rows if row["plate"] is not None]
    evidence: dict[str, list[RowMapping]] = {}
    if ids:
        pictures = select(EVIDENCE).where(EVIDENCE.c.sighting_id.in_(named(ids))).order_by(EVIDENCE.c.kind)
        for picture in connection.execute(pictures).mappings():
            evidence.setdefault(picture["sighting_id"], []).append(picture)
    return [sighting_of(row, evidence.get(row["sighting_id"], ())) for row in rows]
