"""What the chain holds of one sighting: each entry, whether its seal is right, and whether what is kept agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from roadside.adapters.sql.chain import FIRST_LINK, PICTURES_ONLY, AuditEntry, opened
from roadside.adapters.sql.reviews import correction_of
from roadside.adapters.sql.schema import AUDIT, CHAIN, CORRECTIONS, SEALED
from roadside.adapters.sql.sealing import states
from roadside.adapters.sql.verification import changes
from roadside.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from roadside.adapters.sql.database import Database
    from roadside.adapters.sql.vault import Vault
    from roadside.core.reviews import Correction


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """An entry of the chain that is about the sighting."""

    sequence: int
    at_ns: int
    """When it was written: UTC, in nanoseconds since 1970."""
    event: str
    key: str
    """The name of the key that sealed it."""
    link: str
    software: str
    """The version that wrote it; empty of an entry that seals a picture alone."""
    by: str
    """Who decided or answered; empty where nobody did."""
    sound: bool
    """Whether its seal is right, and what it seals is what was sealed."""


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of how a sighting came to be what it is."""

    entries: tuple[ChainEntry, ...]
    changed: tuple[str, ...]
    """What is kept and is not what was sealed last, one line each."""
    length: int
    """Entries of the whole chain."""
    answers: tuple[Correction, ...]
    looks: tuple[AuditEntry, ...]
    """Lines of the audit about the sighting, oldest first."""


def history_of(database: Database, vault: Vault, sighting_id: str) -> History:
    """The history of a sighting. Raises StoreUnavailableError."""
    with database.snapshot() as connection:
        rows = _entries(connection, sighting_id)
        entries, newest = [], None
        for row in rows:
            record = opened(row.salt, row.body, row.sha256)
            entries.append(_entry(connection, vault, row, record))
            newest = record or newest
        kept = states(connection, [sighting_id]).get(sighting_id)
        changed = () if newest is None or kept is None else tuple(changes(sighting_id, newest, kept))
        length = vault.chain.head(connection).sequence
        mine = select(CORRECTIONS).where(CORRECTIONS.c.sighting_id == sighting_id)
        answers = [correction_of(r) for r in connection.execute(mine.order_by(CORRECTIONS.c.correction_id))]
        about = select(AUDIT).where(AUDIT.c.subject == sighting_id).order_by(AUDIT.c.entry_id)
        looks = [AuditEntry(r.at_ns, r.actor, r.action, r.subject, r.detail) for r in connection.execute(about)]
    return History(tuple(entries), changed, length, tuple(answers), tuple(looks))


def _entries(connection: Connection, sighting_id: str) -> Sequence[Row[Any]]:
    joined = select(CHAIN, SEALED.c.salt, SEALED.c.body).outerjoin(SEALED, SEALED.c.sequence == CHAIN.c.sequence)
    mine = joined.where(CHAIN.c.sighting_id == sighting_id).order_by(CHAIN.c.sequence)
    return connection.execute(mine).all()


def _entry(connection: Connection, vault: Vault, row: Row[Any], record: Any) -> ChainEntry:  # noqa: ANN401 - JSON
    link = connection.execute(select(CHAIN.c.link).where(CHAIN.c.sequence == row.sequence - 1)).scalar()
    before = FIRST_LINK if row.sequence == 1 else link
    try:
        sound = before is not None and vault.chain.link_of(row, before) == row.link
    except NotFoundError:
        sound = False
    if row.version != PICTURES_ONLY:
        sound = sound and record is not None
    said = record or {}
    facts = said.get("facts", {})
    return ChainEntry(
        sequence=row.sequence,
        at_ns=row.at_ns,
        event=row.event if not row.kind else f"{row.event} {row.kind}",
        key=row.key_id,
        link=row.link,
        software=str(said.get("software", "")),
        by=str(facts.get("author", "")),
        sound=sound,
    )
