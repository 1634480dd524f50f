"""Notices that wait to be delivered: written down before they are sent, and kept where they cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from roadside.adapters.sql.locks import Lock, one_at_a_time
from roadside.adapters.sql.schema import CHANGES, CURSORS, OUTBOX, SIGHTINGS
from roadside.adapters.sql.store import known_sighting
from roadside.core.notices import Notice, OutboxCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select

    from roadside.adapters.sql.database import Database
    from roadside.core.notices import Draft
    from roadside.ports.notify import Compose

_BATCH = 200
PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"
_OF_SIGHTINGS, _OF_CHANGES = "notified sightings", "notified changes"
"""Names of the cursors: how far each table has been followed."""


class SqlOutbox:
    """The Outbox of a database, where the sightings are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self, compose: Compose, now_ns: int) -> int:
        """Write notices for all that was stored, or decided anew, since the last call; how many.

        Each sighting is looked at once for being stored and once for each change of its verdict, whatever is
        killed in between: the notices and how far it came are written in one transaction.
        """
        return sum(
            self._follow(name, compose, now_ns, column)
            for name, column in ((_OF_SIGHTINGS, "sightings"), (_OF_CHANGES, "changes"))
        )

    def start_here(self) -> None:
        """Pass over what is stored already: at the first start nobody wants a notice of last year."""
        with self._database.write() as connection:
            one_at_a_time(connection, Lock.OUTBOX)
            for name, newest in (
                (_OF_SIGHTINGS, select(func.max(SIGHTINGS.c.sequence))),
                (_OF_CHANGES, select(func.max(CHANGES.c.change_id))),
            ):
                known = connection.execute(select(CURSORS).where(CURSORS.c.name == name)).first()
                if known is None:
                    position = connection.execute(newest).scalar_one() or 0
                    connection.execute(insert(CURSORS).values(name=name, position=position))

    def include_past(self) -> None:
        """Have the next `collect` tell of all that is stored of which a channel was told nothing yet."""
        with self._database.write() as connection:
            one_at_a_time(connection, Lock.OUTBOX)
            connection.execute(update(CURSORS).where(CURSORS.c.name == _OF_SIGHTINGS).values(position=0))

    def due(self, now_ns: int, limit: int = 50) -> Sequence[Notice]:
        """Those to be sent now, oldest first."""
        wanted = (OUTBOX.c.state == PENDING, OUTBOX.c.next_at_ns <= now_ns)
        return self._notices(select(OUTBOX).where(*wanted).order_by(OUTBOX.c.notification_id).limit(limit))

    def claim(self, notice: Notice, now_ns: int, until_ns: int) -> bool:
        """Take a notice that is due for oneself until a time; False where another has it, or it is done.

        Where whoever took it dies, it is due again from then on.
        """
        mine = (OUTBOX.c.notification_id == notice.notification_id, OUTBOX.c.attempts == notice.attempts)
        due = (OUTBOX.c.state == PENDING, OUTBOX.c.next_at_ns <= now_ns)
        with self._database.write() as connection:
            return connection.execute(update(OUTBOX).where(*mine, *due).values(next_at_ns=until_ns)).rowcount == 1

    def dead(self) -> Sequence[Notice]:
        """Those given up, oldest first."""
        return self._notices(select(OUTBOX).where(OUTBOX.c.state == DEAD).order_by(OUTBOX.c.notification_id))

    def delivered(self, notice: Notice) -> None:
        """It arrived: its body is not needed any more."""
        self._set(notice, state=DELIVERED, attempts=notice.attempts + 1, body="", fault="")

    def failed(self, notice: Notice, fault: str, next_at_ns: int | None) -> None:
        """It did not arrive; None where it is given up."""
        state = DEAD if next_at_ns is None else PENDING
        self._set(notice, state=state, attempts=notice.attempts + 1, fault=fault, next_at_ns=next_at_ns or 0)

    def revive(self, now_ns: int) -> int:
        """Try the dead ones again; how many."""
        statement = update(OUTBOX).where(OUTBOX.c.state == DEAD)
        with self._database.write() as connection:
            return connection.execute(statement.values(state=PENDING, attempts=0, next_at_ns=now_ns)).rowcount

    def counts(self) -> OutboxCounts:
        """How many notices have not arrived."""
        by_state = select(OUTBOX.c.state, func.count()).where(OUTBOX.c.state != DELIVERED).group_by(OUTBOX.c.state)
        with self._database.read() as connection:
            found = {str(state): int(count) for state, count in connection.execute(by_state)}
        return OutboxCounts(waiting=found.get(PENDING, 0), given_up=found.get(DEAD, 0))

    def _follow(self, name: str, compose: Compose, now_ns: int, kind: str) -> int:
        written = 0
        while True:
            with self._database.write() as connection:
                one_at_a_time(connection, Lock.OUTBOX)
                position = connection.execute(select(CURSORS.c.position).where(CURSORS.c.name == name)).scalar() or 0
                rows = connection.execute(_since(kind, position)).all()
                for row in rows:
                    drafts = _drafts(connection, row.sighting_id, compose)
                    if kind == "sightings" and drafts:
                        drafts = _without_known(connection, row.sighting_id, drafts)
                    written += _write(connection, row.sighting_id, drafts, now_ns)
                if rows:
                    _move(connection, name, int(rows[-1].position))
            if len(rows) < _BATCH:
                return written

    def _notices(self, statement: Select[Any]) -> Sequence[Notice]:
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [Notice(r.notification_id, r.sighting_id, r.channel, r.body, r.attempts, r.fault) for r in rows]

    def _set(self, notice: Notice, **values: object) -> None:
        mine = OUTBOX.c.notification_id == notice.notification_id
        with self._database.write() as connection:
            connection.execute(update(OUTBOX).where(mine).values(**values))


def _drafts(connection: Connection, sighting_id: str, compose: Compose) -> Sequence[Draft]:
    sighting = known_sighting(connection, sighting_id)
    return () if sighting is None else compose(sighting)


def _without_known(connection: Connection, sighting_id: str, drafts: Sequence[Draft]) -> Sequence[Draft]:
    """`drafts` but for channels that have a notice of the sighting, delivered or not."""
    told = set(connection.execute(select(OUTBOX.c.channel).where(OUTBOX.c.sighting_id == sighting_id)).scalars())
    return [draft for draft in drafts if draft.channel not in told]


def _write(connection: Connection, sighting_id: str, drafts: Sequence[Draft], now_ns: int) -> int:
    for draft in drafts:
        values = {"sighting_id": sighting_id, "channel": draft.channel, "body": draft.body}
        state = {"state": PENDING, "attempts": 0, "next_at_ns": now_ns, "fault": ""}
        connection.execute(insert(OUTBOX).values(**values, **state))
    return len(drafts)


def _since(kind: str, position: int) -> Select[tuple[int, str]]:
    table, counted = (SIGHTINGS, SIGHTINGS.c.sequence) if kind == "sightings" else (CHANGES, CHANGES.c.change_id)
    chosen = select(counted.label("position"), table.c.sighting_id)
    return chosen.where(counted > position).order_by(counted).limit(_BATCH)


def _move(connection: Connection, name: str, position: int) -> None:
    moved = connection.execute(update(CURSORS).where(CURSORS.c.name == name).values(position=position))
    if moved.rowcount == 0:
        connection.execute(insert(CURSORS).values(name=name, position=position))
