"""Temporary tables that hold a list while it is read, filled by the drivers' own bulk ways."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from roadside.registry.vignette_file import BadRow

IDENTITY = ("plate", "country", "category", "valid_from_ns", "valid_to_ns")
VIGNETTE_COLUMNS = (*IDENTITY, "head", "tail")
_UNREAD_COLUMNS = ("line", "reason", "plate", "whole")


class Stage:
    """The tables `incoming` (good rows) and `unread` (bad ones) of one connection."""

    def __init__(self, connection: Connection, *, sqlite: bool) -> None:
        self._connection = connection
        self._sqlite = sqlite

    def make(self) -> None:
        """Make both, empty."""
        self.drop()
        self._connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE incoming (plate TEXT, country TEXT, category TEXT, "
            "valid_from_ns BIGINT, valid_to_ns BIGINT, head TEXT, tail TEXT)"
        )
        self._connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE unread (line BIGINT, reason TEXT, plate TEXT, whole INTEGER)"
        )

    def index(self) -> None:
        """Make the good rows quick to find by their plate: without it, comparing millions takes hours."""
        self._connection.exec_driver_sql("CREATE INDEX incoming_plate ON incoming (plate)")
        self._connection.exec_driver_sql("ANALYZE incoming")

    def drop(self) -> None:
        """Remove both."""
        self._connection.exec_driver_sql("DROP TABLE IF EXISTS incoming")
        self._connection.exec_driver_sql("DROP TABLE IF EXISTS unread")

    def incoming(self, rows: Iterable[tuple[str, str, str, int, int, str, str]]) -> None:
        """Add good rows, in the order of VIGNETTE_COLUMNS."""
        self._fill("incoming", VIGNETTE_COLUMNS, rows)

    def unread(self, rows: Sequence[BadRow]) -> None:
        """Add bad rows."""
        self._fill("unread", _UNREAD_COLUMNS, ((r.line, r.reason, r.plate, int(r.whole)) for r in rows))

    def _fill(self, table: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
        """The drivers' own bulk ways: SQLAlchemy's would take longer than the parsing."""
        driver = self._connection.connection.driver_connection
        if driver is None:  # pragma: no cover - a pooled connection in use always has one
            return
        named = ", ".join(columns)
        if self._sqlite:
            marks = ",".join("?" * len(columns))
            driver.executemany(f"INSERT INTO temp.{table} ({named}) VALUES ({marks})", rows)  # noqa: S608 - constants
            return
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({named}) FROM STDIN") as copy:
            for values in rows:
                copy.write_row(values)


@contextmanager
def staging(connection: Connection, *, sqlite: bool) -> Iterator[Stage]:
    """The stage of `connection`; its tables are gone at the end, however it ends."""
    stage = Stage(connection, sqlite=sqlite)
    try:
        yield stage
    finally:
        with connection.begin():
            stage.drop()
