"""Fills the registry with millions of rows: staged beside the tables, then merged in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import delete, func, insert, select, text

from roadside.adapters.sql.schema import EXEMPTIONS, IMPORTS, VIGNETTES
from roadside.core.candidates import head_bucket, tail_bucket
from roadside.core.verdict import is_pattern
from roadside.core.vignettes import Exemption, Vignette
from roadside.registry.vignette_file import BadRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from roadside.adapters.sql.database import Database

_BATCH_ROWS = 20_000
_MOST_NAMED = 1_000
_COLUMNS = "plate, country, category, valid_from_ns, valid_to_ns, head, tail"
_IDENTITY = ("plate", "country", "category", "valid_from_ns", "valid_to_ns")
Entry = TypeVar("Entry", Vignette, Exemption)
_Values = tuple[str, str, str, int, int, str, str]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import changed."""

    read: int
    """Good rows."""
    added: int
    """Rows that were not there before."""
    removed: int
    rejected: int
    bad_rows: tuple[BadRow, ...]
    """The first thousand of the rejected ones."""
    elapsed_s: float


class _Sieve:
    """Lets the good rows through and remembers the bad ones."""

    def __init__(self) -> None:
        self.read = 0
        self.rejected = 0
        self.named: list[BadRow] = []

    def good(self, rows: Iterable[Entry | BadRow]) -> Iterator[Entry]:
        for row in rows:
            if isinstance(row, BadRow):
                self.rejected += 1
                if len(self.named) < _MOST_NAMED:
                    self.named.append(row)
            else:
                self.read += 1
                yield row


def import_vignettes(
    database: Database, rows: Iterable[Vignette | BadRow], source: str, at_ns: int, *, replace: bool = False
) -> ImportReport:
    """Add the good `rows`, and with `replace` remove all others, in one transaction or not at all.

    A row that is there already stays as it is. Raises StoreUnavailableError and whatever `rows`
    raises; then nothing has changed.
    """
    started = time.perf_counter()
    sieve = _Sieve()
    with database.session() as connection:
        try:
            with connection.begin():
                _make_staging(connection)
                good = sieve.good(rows)
                while batch := [_values(vignette) for vignette in islice(good, _BATCH_ROWS)]:
                    _stage(connection, batch, sqlite=database.is_sqlite)
            with connection.begin():
                added, removed = _merge(connection, source, at_ns, sieve.rejected, replace=replace)
        finally:
            with connection.begin():
                connection.exec_driver_sql("DROP TABLE IF EXISTS incoming")
    elapsed_s = time.perf_counter() - started
    return ImportReport(sieve.read, added, removed, sieve.rejected, tuple(sieve.named), elapsed_s)


def import_exemptions(database: Database, rows: Iterable[Exemption | BadRow], source: str, at_ns: int) -> ImportReport:
    """Replace all exemptions by the good `rows`, in one transaction or not at all. Raises as above."""
    started = time.perf_counter()
    sieve = _Sieve()
    entries = [
        {
            "pattern": e.pattern,
            "country": e.country,
            "reason": e.reason,
            "valid_from_ns": e.valid_from_ns,
            "valid_to_ns": e.valid_to_ns,
            "wild": int(is_pattern(e.pattern)),
        }
        for e in sieve.good(rows)
    ]
    with database.write() as connection:
        removed = connection.execute(delete(EXEMPTIONS)).rowcount
        if entries:
            connection.execute(insert(EXEMPTIONS), entries)
        _record(connection, "exemptions", source, at_ns, (len(entries), removed, 0, sieve.rejected))
    elapsed_s = time.perf_counter() - started
    return ImportReport(sieve.read, len(entries), removed, sieve.rejected, tuple(sieve.named), elapsed_s)


def _make_staging(connection: Connection) -> None:
    connection.exec_driver_sql("DROP TABLE IF EXISTS incoming")
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE incoming (plate TEXT, country TEXT, category TEXT, "
        "valid_from_ns BIGINT, valid_to_ns BIGINT, head TEXT, tail TEXT)"
    )


def _stage(connection: Connection, batch: Sequence[_Values], *, sqlite: bool) -> None:
    """The drivers' own bulk ways: SQLAlchemy's would take longer than the parsing."""
    driver = connection.connection.driver_connection
    if driver is None:  # pragma: no cover - a pooled connection in use always has one
        return
    if sqlite:
        driver.executemany(f"INSERT INTO temp.incoming ({_COLUMNS}) VALUES (?,?,?,?,?,?,?)", batch)  # noqa: S608 - constants
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY incoming ({_COLUMNS}) FROM STDIN") as copy:
        for values in batch:
            copy.write_row(values)


def _merge(connection: Connection, source: str, at_ns: int, rejected: int, *, replace: bool) -> tuple[int, int]:
    before = connection.execute(select(func.count()).select_from(VIGNETTES)).scalar_one()
    removed = 0
    if replace and before:
        connection.exec_driver_sql("CREATE INDEX incoming_plate ON incoming (plate)")
        connection.exec_driver_sql("ANALYZE incoming")
        same = " AND ".join(f"i.{name} = vignettes.{name}" for name in _IDENTITY)
        removed = connection.execute(
            text(f"DELETE FROM vignettes WHERE NOT EXISTS (SELECT 1 FROM incoming i WHERE {same})")  # noqa: S608
        ).rowcount
    record = _record(connection, "vignettes", source, at_ns, (0, removed, before - removed, rejected))
    added = connection.execute(
        text(
            f"INSERT INTO vignettes ({_COLUMNS}, import_id) SELECT {_COLUMNS}, :record FROM incoming "  # noqa: S608
            "WHERE true ORDER BY plate ON CONFLICT DO NOTHING"
        ),
        {"record": record},
    ).rowcount
    connection.execute(IMPORTS.update().where(IMPORTS.c.import_id == record).values(added=added))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
    connection.exec_driver_sql("ANALYZE vignettes")  # without it a planner may read the whole table
    return added, removed


def _record(connection: Connection, content: str, source: str, at_ns: int, counts: tuple[int, int, int, int]) -> int:
    added, removed, kept, rejected = counts
    statement = insert(IMPORTS).values(
        at_ns=at_ns, content=content, source=source, added=added, removed=removed, kept=kept, rejected=rejected
    )
    return int(connection.execute(statement.returning(IMPORTS.c.import_id)).scalar_one())


def _values(v: Vignette) -> _Values:
    return (
        v.plate,
        v.country,
        v.category,
        v.valid_from_ns,
        v.valid_to_ns,
        head_bucket(v.plate),
        tail_bucket(v.plate),
    )
