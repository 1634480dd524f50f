"""What the registry holds, row by row, in the order of its plates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from roadside.adapters.sql.schema import VIGNETTES
from roadside.core.vignettes import Vignette

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.adapters.sql.database import Database

_AT_ONCE = 2000


def held_vignettes(database: Database, country: str | None = None, limit: int | None = None) -> Iterator[Vignette]:
    """All of them, or those of one country, at most `limit`; read as they are asked for.

    Raises StoreUnavailableError.
    """
    v = VIGNETTES.c
    statement = select(v.plate, v.country, v.category, v.valid_from_ns, v.valid_to_ns)
    if country is not None:
        statement = statement.where(v.country == country)
    # Key order in both databases, whatever their collation: two exports of one registry are the same file.
    statement = statement.order_by(v.plate, v.country, v.category, v.valid_from_ns, v.valid_to_ns)
    if limit is not None:
        statement = statement.limit(limit)
    with database.read() as connection:
        for row in connection.execution_options(yield_per=_AT_ONCE).execute(statement):
            yield Vignette(row.plate, row.country, row.category, row.valid_from_ns, row.valid_to_ns)
