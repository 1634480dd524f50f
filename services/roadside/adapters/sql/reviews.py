"""What people say of sightings that the machine was not sure of, and what training makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from roadside.adapters.sql.schema import CORRECTIONS, SIGHTINGS
from roadside.core.types import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

    from roadside.adapters.sql.database import Database
    from roadside.ports import Clock


class Action(StrEnum):
    """What a reviewer said."""

    CONFIRM = "confirm"
    CORRECT = "correct"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Correction:
    """One answer of a reviewer."""

    sighting_id: str
    at_ns: int
    author: str
    action: Action
    text: str
    """The plate as the person reads it; empty for an unreadable one, and once the vehicle is PAID or EXEMPT."""
    country: str
    read_text: str
    """What the machine had read."""


class Reviews:
    """The queue of sightings in REVIEW, oldest first, and the answers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def waiting(self) -> int:
        """How many sightings nobody has looked at."""
        with self._database.read() as connection:
            counted = select(func.count()).select_from(_unanswered(select(SIGHTINGS.c.sighting_id)).subquery())
            return connection.execute(counted).scalar_one()

    def next(self, skip: Sequence[str] = ()) -> str | None:
        """Sighting id of the oldest one that waits, save those in `skip`."""
        statement = _unanswered(select(SIGHTINGS.c.sighting_id))
        if skip:
            statement = statement.where(SIGHTINGS.c.sighting_id.not_in(skip))
        statement = statement.order_by(SIGHTINGS.c.last_seen_ns, SIGHTINGS.c.sequence).limit(1)
        with self._database.read() as connection:
            row = connection.execute(statement).first()
            return None if row is None else row.sighting_id

    def record(  # noqa: PLR0913 - the fields of an answer
        self, sighting_id: str, author: str, action: Action, *, text: str, country: str, read_text: str
    ) -> Correction:
        """Keep an answer with its author and time."""
        answer = Correction(sighting_id, self._clock.now_ns(), author, action, text, country, read_text)
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
            connection.execute(insert(CORRECTIONS).values(values))
        return answer

    def answers(self) -> Sequence[Correction]:
        """All of them, oldest first."""
        statement = select(CORRECTIONS).order_by(CORRECTIONS.c.correction_id)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [
            Correction(r.sighting_id, r.at_ns, r.author, Action(r.action), r.text, r.country, r.read_text) for r in rows
        ]


def _unanswered(statement: Select[tuple[str]]) -> Select[tuple[str]]:
    answered = select(CORRECTIONS.c.sighting_id)
    return statement.where(SIGHTINGS.c.verdict == VerdictKind.REVIEW.value, SIGHTINGS.c.sighting_id.not_in(answered))
