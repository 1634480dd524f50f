"""What people say of sightings that the machine was not sure of, and what training makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from roadside.adapters.sql.chain import Event
from roadside.adapters.sql.locks import Lock, one_at_a_time
from roadside.adapters.sql.schema import CORRECTIONS, SIGHTINGS
from roadside.core.reviews import Correction, ReviewAction
from roadside.core.sightings import VerdictKind
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row, Select

    from roadside.adapters.sql.database import Database
    from roadside.adapters.sql.vault import Vault


class Reviews:
    """The queue of sightings in REVIEW, oldest first, and the answers."""

    def __init__(self, database: Database, vault: Vault) -> None:
        """Answers are sealed in the chain of `vault`."""
        self._database = database
        self._vault = vault

    def waiting(self, author: str = "", needed: int = 1) -> int:
        """How many sightings have fewer than `needed` answers, none of them of `author`."""
        unanswered = _unanswered(select(SIGHTINGS.c.sighting_id), author, needed)
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(unanswered.subquery())).scalar_one()

    def next(self, skip: Sequence[str] = (), author: str = "", needed: int = 1) -> str | None:
        """Sighting id of the oldest of these, save those in `skip`."""
        statement = _unanswered(select(SIGHTINGS.c.sighting_id), author, needed)
        if skip:
            statement = statement.where(SIGHTINGS.c.sighting_id.not_in(skip))
        statement = statement.order_by(SIGHTINGS.c.last_seen_ns, SIGHTINGS.c.sequence).limit(1)
        with self._database.read() as connection:
            row = connection.execute(statement).first()
            return None if row is None else row.sighting_id

    def record(self, answer: Correction, needed: int = 1) -> None:
        """Keep an answer, but not the last one that was given, once more: of a form that was sent twice.

        Raises InputError where `needed` are needed, more than one, and one of them is this author's.
        """
        values = {
            "sighting_id": answer.sighting_id,
            "at_ns": answer.at_ns,
            "author": answer.author,
            "action": answer.action.value,
            "text": answer.text,
            "country": answer.country,
            "read_text": answer.read_text,
        }
        with self._database.write() as connection:
            one_at_a_time(connection, Lock.KEPT)
            said = self._of(connection, answer.sighting_id)
            if needed > 1 and any(earlier.author == answer.author for earlier in said):
                raise InputError("you answered already: another person must read this plate")
            if said and replace(said[-1], at_ns=answer.at_ns, read_text=answer.read_text) == answer:
                return
            connection.execute(insert(CORRECTIONS).values(values))
            facts = {"author": answer.author, "action": answer.action.value}
            self._vault.chain.seal(connection, Event.ANSWERED, [answer.sighting_id], answer.at_ns, facts)

    def answers_of(self, sighting_id: str) -> Sequence[Correction]:
        """What was said of a sighting, oldest first."""
        with self._database.read() as connection:
            return self._of(connection, sighting_id)

    def _of(self, connection: Connection, sighting_id: str) -> Sequence[Correction]:
        mine = select(CORRECTIONS).where(CORRECTIONS.c.sighting_id == sighting_id)
        return [correction_of(row) for row in connection.execute(mine.order_by(CORRECTIONS.c.correction_id))]

    def answers(self) -> Sequence[Correction]:
        """All of them, oldest first."""
        statement = select(CORRECTIONS).order_by(CORRECTIONS.c.correction_id)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [correction_of(row) for row in rows]


def correction_of(row: Row[Any]) -> Correction:
    """The answer of a row."""
    action = ReviewAction(row.action)
    return Correction(row.sighting_id, row.at_ns, row.author, action, row.text, row.country, row.read_text)


def _unanswered(statement: Select[tuple[str]], author: str, needed: int) -> Select[tuple[str]]:
    statement = statement.where(SIGHTINGS.c.verdict == VerdictKind.REVIEW.value)
    if needed == 1:
        return statement.where(SIGHTINGS.c.sighting_id.not_in(select(CORRECTIONS.c.sighting_id)))
    full = select(CORRECTIONS.c.sighting_id).group_by(CORRECTIONS.c.sighting_id).having(func.count() >= needed)
    mine = select(CORRECTIONS.c.sighting_id).where(CORRECTIONS.c.author == author)
    return statement.where(SIGHTINGS.c.sighting_id.not_in(full), SIGHTINGS.c.sighting_id.not_in(mine))
