"""Fills the registry with millions of rows: staged beside the tables, then merged in one transaction."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import delete, func, insert, select, text

from roadside.adapters.sql.import_seals import seal_import
from roadside.adapters.sql.losses import exemptions_replaced, vignettes_replaced
from roadside.adapters.sql.schema import EXEMPTIONS, IMPORTS, VIGNETTES
from roadside.adapters.sql.staging import IDENTITY, VIGNETTE_COLUMNS, staging
from roadside.adapters.sql.unread import keep_unread
from roadside.core.candidates import head_bucket, tail_bucket
from roadside.core.verdict import is_pattern
from roadside.core.vignettes import Exemption, Vignette
from roadside.errors import ImportRefusedError
from roadside.registry.safeguards import objections
from roadside.registry.vignette_file import NOBODY, BadRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Connection

    from roadside.adapters.sql.database import Database
    from roadside.registry.safeguards import ImportLimits, Replacement

_BATCH_ROWS = 20_000
_MOST_NAMED = 1_000
Entry = TypeVar("Entry", Vignette, Exemption)


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
    forced: tuple[str, ...] = ()
    """What spoke against the replacement, which was made nevertheless, or only looked at."""
    doubted: int = 0
    """Plates of rows that could not be read: nobody is UNPAID under one of them until the row is put right."""
    unsure: int = 0
    """Rows of which not even the plate could be read: until they are put right nobody is UNPAID at all."""


@dataclass(frozen=True, slots=True)
class Safeguard:
    """What an import is held to."""

    limits: ImportLimits
    force: bool = False
    """Replace whatever speaks against it."""
    open_row: Callable[[], Vignette | Exemption | BadRow | None] = lambda: None
    """Asked when the rows have ended: the last one where it has no line end, as `ListFile.open_row`."""
    sha256: str | None = None
    """Of the file that holds the rows: the record of the import keeps it, so that evidence can name the list."""
    looking: bool = False
    """Only tell what speaks against it; for a dry run, of which nothing is left."""


class _Sieve:
    """Lets the good rows through and remembers the bad ones."""

    def __init__(self, spill: Callable[[list[BadRow]], None]) -> None:
        """`spill` takes the bad rows, many at a time."""
        self.read = 0
        self.rejected = 0
        self.empty = 0
        self.named: list[BadRow] = []
        self._spill = spill
        self._held: list[BadRow] = []

    def good(self, rows: Iterable[Entry | BadRow]) -> Iterator[Entry]:
        for row in rows:
            if isinstance(row, BadRow):
                self._bad(row)
            else:
                self.read += 1
                yield row
        self._spill(self._held)

    def _bad(self, row: BadRow) -> None:
        self.rejected += 1
        self.empty += row.plate == NOBODY
        if len(self.named) < _MOST_NAMED:
            self.named.append(row)
        self._held.append(row)
        if len(self._held) == _BATCH_ROWS:
            self._spill(self._held)
            self._held = []


def import_vignettes(  # noqa: PLR0913 - what every import needs, by name
    database: Database,
    rows: Iterable[Vignette | BadRow],
    source: str,
    at_ns: int,
    *,
    replace: bool = False,
    safeguard: Safeguard | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Add the good `rows`, and with `replace` remove all others, in one transaction or not at all.

    A row that is there already stays as it is; with `dry_run` everything does, and the report is of what would be.
    Raises StoreUnavailableError, ImportRefusedError where the `safeguard`
    (none given: nothing) speaks against it, and whatever `rows` raises; then nothing has changed.
    """
    started = time.perf_counter()
    with database.session() as connection, staging(connection, sqlite=database.is_sqlite) as stage:
        sieve = _Sieve(stage.unread)
        with connection.begin():
            stage.make()
            good = sieve.good(rows)
            while batch := list(islice(good, _BATCH_ROWS)):
                stage.incoming(_values(vignette) for vignette in batch)
        doubted = unsure = 0
        with _transaction(connection, undone=dry_run):
            if replace:
                stage.index()
            forced: tuple[str, ...] = ()
            if safeguard is not None and (replace or not sieve.rejected):
                facts = vignettes_replaced(connection, safeguard.open_row(), replace=replace)
                forced = _weigh(_of(facts, sieve), safeguard)
            if safeguard is None or forced or sieve.read:
                added, removed = _merge(connection, _said(source, forced), at_ns, sieve.rejected, replace=replace)
                doubted, unsure = keep_unread(
                    connection, source, replace=replace, forced=safeguard is not None and safeguard.force
                )
                _note_file(connection, safeguard, dry_run=dry_run)
            else:  # rows without a good one make no list: nothing was imported
                added = removed = 0
    elapsed_s = time.perf_counter() - started
    bad = (sieve.rejected, tuple(sieve.named))
    return ImportReport(sieve.read, added, removed, *bad, elapsed_s, forced, doubted, unsure)


def import_exemptions(  # noqa: PLR0913 - as above
    database: Database,
    rows: Iterable[Exemption | BadRow],
    source: str,
    at_ns: int,
    *,
    safeguard: Safeguard | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Replace all exemptions by the good `rows`, in one transaction or not at all. Raises as above."""
    started = time.perf_counter()
    bad: list[BadRow] = []
    sieve = _Sieve(bad.extend)
    entries = list(sieve.good(rows))
    with database.session() as connection, _transaction(connection, undone=dry_run):
        forced: tuple[str, ...] = ()
        if safeguard is not None:
            facts = exemptions_replaced(connection, entries, bad, safeguard.open_row())
            if facts.held:
                forced = _weigh(_of(facts, sieve), safeguard)
        removed = connection.execute(delete(EXEMPTIONS)).rowcount
        if entries:
            connection.execute(insert(EXEMPTIONS), [_exemption_values(e) for e in entries])
        counts = (len(entries), removed, 0, sieve.rejected)
        _record(connection, "exemptions", _said(source, forced), at_ns, counts)
        _note_file(connection, safeguard, dry_run=dry_run)
    elapsed_s = time.perf_counter() - started
    return ImportReport(sieve.read, len(entries), removed, sieve.rejected, tuple(sieve.named), elapsed_s, forced)


@contextmanager
def _transaction(connection: Connection, *, undone: bool) -> Iterator[None]:
    """Committed at the end of the block, or with `undone` rolled back, as after an error."""
    with connection.begin() as transaction:
        yield
        if undone:
            transaction.rollback()


def _of(facts: Replacement, sieve: _Sieve) -> Replacement:
    return facts.with_rows(sieve.read, sieve.rejected - sieve.empty)


def _weigh(facts: Replacement, safeguard: Safeguard) -> tuple[str, ...]:
    """What speaks against it, where it is forced. Raises ImportRefusedError where it is not."""
    against = objections(facts, safeguard.limits)
    if against and not safeguard.force and not safeguard.looking:
        raise ImportRefusedError("; ".join(against))
    return against


def _said(source: str, forced: tuple[str, ...]) -> str:
    return f"{source} (forced)" if forced else source


def _merge(connection: Connection, source: str, at_ns: int, rejected: int, *, replace: bool) -> tuple[int, int]:
    before = connection.execute(select(func.count()).select_from(VIGNETTES)).scalar_one()
    removed = 0
    if replace and before:
        same = " AND ".join(f"i.{name} = vignettes.{name}" for name in IDENTITY)
        removed = connection.execute(
            text(f"DELETE FROM vignettes WHERE NOT EXISTS (SELECT 1 FROM incoming i WHERE {same})")  # noqa: S608
        ).rowcount
    record = _record(connection, "vignettes", source, at_ns, (0, removed, before - removed, rejected))
    columns = ", ".join(VIGNETTE_COLUMNS)
    added = connection.execute(
        text(
            f"INSERT INTO vignettes ({columns}, import_id) SELECT {columns}, :record FROM incoming "  # noqa: S608
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


def _note_file(connection: Connection, safeguard: Safeguard | None, *, dry_run: bool) -> None:
    """Keep the SHA-256 of the file with the import that was recorded last, and seal it."""
    newest = connection.execute(select(func.max(IMPORTS.c.import_id))).scalar_one()
    if safeguard is not None and safeguard.sha256 is not None:
        connection.execute(IMPORTS.update().where(IMPORTS.c.import_id == newest).values(sha256=safeguard.sha256))
    if not dry_run:
        seal_import(connection, newest)


def _values(v: Vignette) -> tuple[str, str, str, int, int, str, str]:
    """In the order of VIGNETTE_COLUMNS."""
    return (
        v.plate,
        v.country,
        v.category,
        v.valid_from_ns,
        v.valid_to_ns,
        head_bucket(v.plate),
        tail_bucket(v.plate),
    )


def _exemption_values(e: Exemption) -> dict[str, str | int | None]:
    single = not is_pattern(e.pattern)
    return {
        "pattern": e.pattern,
        "country": e.country,
        "reason": e.reason,
        "valid_from_ns": e.valid_from_ns,
        "valid_to_ns": e.valid_to_ns,
        "wild": int(not single),
        "head": head_bucket(e.pattern) if single else None,
        "tail": tail_bucket(e.pattern) if single else None,
    }
