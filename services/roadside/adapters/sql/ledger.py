"""What the console tells of the store as a whole: the audit, who looked, how many vehicles passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import JSON, and_, cast, func, select, type_coerce

from roadside.adapters.sql.reviews import correction_of
from roadside.adapters.sql.schema import AUDIT, CORRECTIONS, EVIDENCE, SIGHTINGS
from roadside.adapters.sql.seal import seal_of
from roadside.core.plates import fold
from roadside.core.sightings import PictureKind
from roadside.ports.records import Look, PassageCount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

    from roadside.adapters.sql.database import Database
    from roadside.adapters.sql.retention import RetentionManager
    from roadside.adapters.sql.vault import Vault
    from roadside.core.reviews import Correction
    from roadside.ports.records import Seal

_HOUR_NS = 3_600 * 10**9


class SqlLedger:
    """The console's Ledger in SQLite or PostgreSQL."""

    def __init__(self, database: Database, retention: RetentionManager, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._retention = retention

    def note(self, actor: str, action: str, subject: str, detail: str = "", *, plate: str = "") -> None:
        """Write to the audit; of a `plate` its keyed hash alone, for it may be one that has paid."""
        if key := fold(plate):
            hashed = self._vault.keyring.hash_plate(key)
            detail = f"{detail}, plate {hashed}" if detail else f"plate {hashed}"
        self._retention.note(actor, action, subject, detail)

    def audit(self, limit: int = 100) -> Sequence[Look]:
        """The newest entries, newest first."""
        return self._looks(select(AUDIT).order_by(AUDIT.c.entry_id.desc()).limit(limit))

    def looks(self, sighting_id: str) -> Sequence[Look]:
        """Who looked at a sighting or its pictures, newest first."""
        mine = select(AUDIT).where(AUDIT.c.subject == sighting_id)
        return self._looks(mine.order_by(AUDIT.c.entry_id.desc()).limit(100))

    def answers(self, sighting_id: str) -> Sequence[Correction]:
        """What people said of it, oldest first."""
        mine = select(CORRECTIONS).where(CORRECTIONS.c.sighting_id == sighting_id)
        with self._database.read() as connection:
            rows = connection.execute(mine.order_by(CORRECTIONS.c.correction_id)).all()
        return [correction_of(row) for row in rows]

    def seal(self, sighting_id: str) -> Seal:
        """Whether a sighting and its pictures are still what was sealed. Raises NotFoundError."""
        with self._database.read() as connection:
            return seal_of(connection, self._vault, sighting_id)

    def counts(self, since_ns: int) -> Sequence[PassageCount]:
        """Sightings by hour, camera and verdict."""
        # Integers divide down in SQLite and in PostgreSQL alike; SQLAlchemy's / would make fractions of them.
        hour = SIGHTINGS.c.last_seen_ns - SIGHTINGS.c.last_seen_ns % _HOUR_NS
        statement = (
            select(hour.label("hour"), SIGHTINGS.c.camera_id, SIGHTINGS.c.verdict, func.count().label("number"))
            .where(SIGHTINGS.c.last_seen_ns >= since_ns)
            .group_by(hour, SIGHTINGS.c.camera_id, SIGHTINGS.c.verdict)
            .order_by(hour)
        )
        with self._database.read() as connection:
            return [PassageCount(r.hour, r.camera_id, r.verdict, r.number) for r in connection.execute(statement)]

    def rules(self, since_ns: int) -> Sequence[tuple[str, str, int]]:
        """(verdict, rule, how many), the most frequent first."""
        # SQLite would make a number of what is cast to JSON, PostgreSQL wants the cast.
        as_json = type_coerce if self._database.is_sqlite else cast
        rule = as_json(SIGHTINGS.c.reasons, JSON)["rule"].as_string()
        statement = (
            select(SIGHTINGS.c.verdict, rule.label("rule"), func.count().label("number"))
            .where(SIGHTINGS.c.last_seen_ns >= since_ns)
            .group_by(SIGHTINGS.c.verdict, rule)
            .order_by(func.count().desc())
            .limit(50)
        )
        with self._database.read() as connection:
            return [(r.verdict, r.rule or "", r.number) for r in connection.execute(statement)]

    def forget(self, plate: str, actor: str) -> tuple[int, str]:
        """Delete all that is kept of a plate's passages: how many they were, and a receipt. Raises InputError."""
        forgotten = self._retention.forget(plate, actor)
        return forgotten.sightings, forgotten.receipt

    def training_ready(self) -> int:
        """How many answers of people can be exported as training data: the plate is known, its picture still there."""
        crops = and_(EVIDENCE.c.sighting_id == CORRECTIONS.c.sighting_id, EVIDENCE.c.kind == PictureKind.CROP.value)
        statement = (
            select(func.count(CORRECTIONS.c.sighting_id.distinct()))
            .select_from(CORRECTIONS.join(EVIDENCE, crops))
            .where(CORRECTIONS.c.text != "")
        )
        with self._database.read() as connection:
            return connection.execute(statement).scalar_one()

    def training(self) -> Sequence[Correction]:
        """The last answer of each sighting that can be exported as training data, oldest first."""
        last = select(func.max(CORRECTIONS.c.correction_id)).group_by(CORRECTIONS.c.sighting_id)
        crops = select(EVIDENCE.c.sighting_id).where(EVIDENCE.c.kind == PictureKind.CROP.value)
        statement = select(CORRECTIONS).where(
            CORRECTIONS.c.correction_id.in_(last), CORRECTIONS.c.text != "", CORRECTIONS.c.sighting_id.in_(crops)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(CORRECTIONS.c.correction_id)).all()
        return [correction_of(row) for row in rows]

    def _looks(self, statement: Select[tuple[object, ...]]) -> list[Look]:
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [Look(row.at_ns, row.actor, row.action, row.subject, row.detail) for row in rows]
