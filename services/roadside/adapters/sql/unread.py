"""What rows that could not be read leave open: who may stand in one of them is not said not to have paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, text

from roadside.adapters.sql.schema import IMPORTS, UNREAD_ROWS
from roadside.registry.vignette_file import NOBODY

if TYPE_CHECKING:
    from sqlalchemy import Connection


def keep_unread(connection: Connection, source: str, *, replace: bool, forced: bool) -> tuple[int, int]:
    """Keep the staged rows that could not be read, for the newest import: how many have a plate, and how many none.

    Put right are rows of earlier imports of `source`, those of plates that are among the good rows now, and with
    `replace` all of them. Where it is `forced` nothing is kept: somebody says that nobody is lost by them.
    """
    of_source = select(IMPORTS.c.import_id).where(IMPORTS.c.source == source)
    put_right = delete(UNREAD_ROWS)
    connection.execute(put_right if replace else put_right.where(UNREAD_ROWS.c.import_id.in_(of_source)))
    connection.execute(text("DELETE FROM unread_rows WHERE plate IN (SELECT plate FROM incoming)"))
    if forced:
        return 0, 0
    newest = connection.execute(select(func.max(IMPORTS.c.import_id))).scalar_one()
    connection.execute(
        text(
            "INSERT INTO unread_rows (import_id, line, plate) SELECT :record, line, coalesce(plate, '') FROM unread "
            "WHERE plate IS NULL OR plate <> :nobody"
        ),
        {"record": newest, "nobody": NOBODY},
    )
    kept = select(func.count()).select_from(UNREAD_ROWS).where(UNREAD_ROWS.c.import_id == newest)
    unsure = connection.execute(kept.where(UNREAD_ROWS.c.plate == "")).scalar_one()
    return connection.execute(kept).scalar_one() - unsure, unsure


def unread_plates(connection: Connection) -> tuple[str, ...]:
    """The plates of the rows that could not be read, each once; an empty one where it could not be read either."""
    return tuple(connection.execute(select(UNREAD_ROWS.c.plate).distinct().order_by(UNREAD_ROWS.c.plate)).scalars())
