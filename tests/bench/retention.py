"""What retention costs an operator of many cameras: bytes a sighting leaves in each table, and how fast a purge is.

A part of `make bench-months`: sightings stored and sealed as plates does it, beside those that fill the table, and then
purged; of the purge's time that of each statement, so that it is known what dropping a partition would spare.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from roadside.adapters.sql import SqlSightingStore, Vault
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.system_clock import SystemClock
from roadside.core.sightings import VerdictKind
from tests.bench.saves import made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.adapters.sql import Database

TABLES = ("sightings", "evidence", "evidence_chain", "sealed_records", "arrivals")
AT_ONCE = 50
_SIZE = "SELECT pg_total_relation_size(to_regclass(:name))"


def costs(database: Database, vault: Vault, kind: VerdictKind, count: int) -> Iterator[str]:
    """Lines about `count` sightings of a `kind` that nothing else in the database has; they are gone afterwards."""
    before = _sizes(database)
    store = SqlSightingStore(database, vault, SystemClock())
    started_s = time.perf_counter()
    for first in range(0, count, AT_ONCE):
        store.save_all([_made(f"{kind.value}-{number}", kind) for number in range(first, min(count, first + AT_ONCE))])
    took_s, after = time.perf_counter() - started_s, _sizes(database)
    each = ", ".join(f"{table} {(after[table] - before[table]) / count:.0f}" for table in TABLES)
    yield f"{kind.value}: {count / took_s:.0f} stored a second; bytes each: {each}"
    retention = RetentionManager(database, vault, SystemClock())
    with _statements() as spent:
        started_s, cpu_s = time.perf_counter(), time.process_time()
        purged = sum(retention.purge({kind: 0.0}, "bench", scrub_every_s=1e9).sightings.values())
        took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    vacuum_s = spent.pop("VACUUM", 0.0)  # overwrites what was deleted, once for all of a purge
    took_s -= vacuum_s
    kept = (_sizes(database)["evidence_chain"] - before["evidence_chain"]) / count
    yield (
        f"  purge: {purged / took_s:.0f} a second, {cpu_s / purged * 1000:.2f} ms of our processor each, "
        f"and {vacuum_s:.1f} s of VACUUM; the chain keeps {kept:.0f} bytes each"
    )
    longest = sorted(spent.items(), key=lambda one: -one[1])[:8]
    yield "  of its time: " + ", ".join(f"{what} {seconds / took_s:.1%}" for what, seconds in longest)


def _made(name: str, kind: VerdictKind) -> Any:  # noqa: ANN401 - what a store takes
    seen, pictures = made(name)
    whole = replace(seen, verdict=replace(seen.verdict, kind=kind))
    return whole, () if kind in {VerdictKind.PAID, VerdictKind.EXEMPT} else pictures


def _sizes(database: Database) -> dict[str, int]:
    """Bytes of each table with its indices."""
    with database.read() as connection:
        return {name: int(connection.execute(text(_SIZE), {"name": name}).scalar_one()) for name in TABLES}


@contextmanager
def _statements() -> Iterator[defaultdict[str, float]]:
    """Seconds that statements take, by their first three words."""
    spent: defaultdict[str, float] = defaultdict(float)
    begun: list[float] = []

    def before(*_: object) -> None:
        begun.append(time.perf_counter())

    def after(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        words = statement.split()
        at = words.index("FROM") if words[0] == "SELECT" and "FROM" in words else 1
        name = " ".join((words[0], *words[at : at + 2]))
        spent[name] += time.perf_counter() - begun.pop()

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield spent
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)
