"""Lists of known plates in a database, as they were entered."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from roadside.adapters.sql.locks import Lock, one_at_a_time
from roadside.adapters.sql.schema import KNOWN_LISTS, KNOWN_PLATES
from roadside.core.known import Action, KnownPlate
from roadside.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from roadside.adapters.sql.database import Database


class SqlKnownPlates:
    """The lists of one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def lists(self) -> Sequence[tuple[str, Action, int]]:
        """Name, action and number of plates of each list, by name."""
        count = select(func.count()).where(KNOWN_PLATES.c.list == KNOWN_LISTS.c.name).scalar_subquery()
        statement = select(KNOWN_LISTS.c.name, KNOWN_LISTS.c.action, count).order_by(KNOWN_LISTS.c.name)
        with self.database.read() as connection:
            return [(name, Action(action), number) for name, action, number in connection.execute(statement)]

    def entries(self, list_name: str | None = None) -> Sequence[KnownPlate]:
        """The plates of a list, or of all. Raises NotFoundError for a list that is not there."""
        statement = (
            select(KNOWN_PLATES, KNOWN_LISTS.c.action)
            .join(KNOWN_LISTS, KNOWN_LISTS.c.name == KNOWN_PLATES.c.list)
            .order_by(KNOWN_PLATES.c.list, KNOWN_PLATES.c.entry_id)
        )
        with self.database.read() as connection:
            if list_name is not None:
                _action(connection, list_name)
                statement = statement.where(KNOWN_PLATES.c.list == list_name)
            rows = connection.execute(statement).mappings().all()
        return [
            KnownPlate(
                row["list"],
                Action(row["action"]),
                row["plate"],
                row["country"],
                row["name"],
                row["group_name"],
                row["valid_from_ns"],
                row["valid_to_ns"],
            )
            for row in rows
        ]

    def put_list(self, name: str, action: Action) -> bool:
        """Make a list, or give it another action; whether it was made."""
        with self.database.write() as connection:
            one_at_a_time(connection, Lock.KEPT)
            changed = connection.execute(
                update(KNOWN_LISTS).where(KNOWN_LISTS.c.name == name).values(action=action.value)
            )
            if changed.rowcount:
                return False
            connection.execute(insert(KNOWN_LISTS).values(name=name, action=action.value))
            return True

    def put(self, list_name: str, plates: Sequence[KnownPlate], *, replace: bool = False) -> int:
        """Enter plates into a list, those that are there again anew, or in place of all; how many were removed.

        All or nothing. Raises NotFoundError for a list that is not there, InputError where two of `plates` are one.
        """
        keys = [plate.key for plate in plates]
        counts = Counter(keys)
        if twice := next((p.plate for p in plates if counts[p.key] > 1), None):
            raise InputError(f"{twice}: stands twice (O counts as 0, I as 1); leave one out")
        mine = KNOWN_PLATES.c.list == list_name
        with self.database.write() as connection:
            one_at_a_time(connection, Lock.KEPT)
            _action(connection, list_name)
            gone = delete(KNOWN_PLATES).where(mine if replace else mine & KNOWN_PLATES.c.key.in_(keys))
            removed: int = connection.execute(gone).rowcount
            if plates:
                connection.execute(insert(KNOWN_PLATES), [_row(list_name, plate) for plate in plates])
        return removed

    def remove(self, list_name: str, plate_key: str | None = None) -> int:
        """Remove a plate from a list, or the whole list; how many plates went. Raises NotFoundError."""
        mine = KNOWN_PLATES.c.list == list_name
        with self.database.write() as connection:
            one_at_a_time(connection, Lock.KEPT)
            _action(connection, list_name)
            if plate_key is not None:
                removed: int = connection.execute(
                    delete(KNOWN_PLATES).where(mine, KNOWN_PLATES.c.key == plate_key)
                ).rowcount
                if not removed:
                    raise NotFoundError(f"list {list_name}: holds no such plate")
                return removed
            removed = connection.execute(delete(KNOWN_PLATES).where(mine)).rowcount
            connection.execute(delete(KNOWN_LISTS).where(KNOWN_LISTS.c.name == list_name))
            return removed


def _action(connection: Connection, list_name: str) -> Action:
    row = connection.execute(select(KNOWN_LISTS.c.action).where(KNOWN_LISTS.c.name == list_name)).first()
    if row is None:
        raise NotFoundError(f"there is no list {list_name!r}; `roadside lists show` names those that there are")
    return Action(row.action)


def _row(list_name: str, plate: KnownPlate) -> dict[str, object]:
    return {
        "list": list_name,
        "plate": plate.plate,
        "key": plate.key,
        "country": plate.country,
        "name": plate.name,
        "group_name": plate.group,
        "valid_from_ns": plate.valid_from_ns,
        "valid_to_ns": plate.valid_to_ns,
    }
