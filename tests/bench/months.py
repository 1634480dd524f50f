"""`make bench-months`: what PostgreSQL's partitions by month would give retention and cost searches (docs/adr/0017).

Sightings of twelve months (a million, unless said otherwise) in the table as it is, and the same in one that is
partitioned by month. Of both: what it takes to be rid of the oldest month, and how long searches take with and without
a span of time. Then what sightings stored as plates does it (EXEMPT, as PAID, without pictures; UNKNOWN with two) leave
in each table, and how fast a purge of them is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from roadside.adapters.encryption import new_keyring
from roadside.adapters.objects.folder import FolderPictures
from roadside.adapters.sql import Vault, open_database
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.system_clock import SystemClock
from roadside.core.sightings import VerdictKind
from tests.bench.retention import costs
from tests.servers import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

MONTHS = 12
TABLES = ("sightings", "months")
MONTH_NS = 30 * 86_400 * 10**9
FILL = """
INSERT INTO sightings (sighting_id, camera_id, track_id, first_seen_ns, last_seen_ns, verdict, decided_at_ns, country,
  plate_key, plate_head, plate_tail, plate_hash, plate, posterior, reasons)
SELECT 's' || n, 'camera-' || n % 20, 't' || n, at_ns, at_ns, (ARRAY['PAID', 'UNPAID', 'REVIEW'])[1 + n % 3], at_ns,
  CASE WHEN n % 3 > 0 THEN 'CZ' END, CASE WHEN n % 3 > 0 THEN upper(substr(md5(n::text), 1, 7)) END,
  CASE WHEN n % 3 > 0 THEN upper(substr(md5(n::text), 1, 3)) END, CASE WHEN n % 3 > 0 THEN
  upper(substr(md5(n::text), 5, 3)) END, CASE WHEN n % 3 = 0 THEN md5(n::text) END, NULL, NULL,
  '{"rule": "none", "told": "' || repeat(md5(n::text), 6) || '"}'
FROM (SELECT n, :from_ns + n * (:span_ns / :count) AS at_ns FROM generate_series(0, :count - 1) AS n) AS made
"""
SEARCHES = {
    "newest page": "ORDER BY last_seen_ns DESC, sequence DESC LIMIT 50",
    "a camera's newest": "WHERE camera_id = 'camera-7' ORDER BY last_seen_ns DESC, sequence DESC LIMIT 50",
    "one by its id": "WHERE sighting_id = 's4711'",
    "next for a watch": "WHERE sequence > :half ORDER BY sequence LIMIT 100",
    "a plate's beginning": "WHERE plate_key >= 'ABC1' AND plate_key < 'ABC2' ORDER BY last_seen_ns DESC LIMIT 50",
    "a month's count": "WHERE last_seen_ns >= :from_ns AND last_seen_ns < :to_ns",
}


def fill(connection: Connection, count: int, from_ns: int) -> None:
    """Sightings in the table as it is, and in one of months with the same indices."""
    connection.execute(text(FILL), {"count": count, "from_ns": from_ns, "span_ns": MONTHS * MONTH_NS})
    connection.execute(
        text("CREATE TABLE months (LIKE sightings INCLUDING DEFAULTS) PARTITION BY RANGE (last_seen_ns)")
    )
    for month in range(MONTHS):
        bounds = f"({from_ns + month * MONTH_NS}) TO ({from_ns + (month + 1) * MONTH_NS})"
        connection.execute(text(f"CREATE TABLE month_{month} PARTITION OF months FOR VALUES FROM {bounds}"))
    connection.execute(text("INSERT INTO months SELECT * FROM sightings"))
    plain = "SELECT indexdef FROM pg_indexes WHERE tablename = 'sightings'"
    for number, definition in enumerate(connection.execute(text(plain)).scalars().all()):
        _, _, what = definition.partition(" ON ")
        columns = what.partition(" USING ")[2]
        # None is unique: such an index must hold the column that the table is divided by, and an id alone would not do.
        connection.execute(text(f"CREATE INDEX months_{number} ON months USING {columns}"))
    connection.commit()


def timed(connection: Connection, statement: str, **given: int) -> tuple[float, float, float]:
    """Milliseconds that a search takes, those of them for its plan, and blocks that it touches: the best of five."""
    found = []
    for _ in range(5):
        asked = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
        (plan,) = connection.execute(asked, given).scalar_one()
        blocks = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
        found.append((plan["Planning Time"] + plan["Execution Time"], plan["Planning Time"], blocks))
    return min(found)


def riddance(connection: Connection, statement: str, **given: int) -> tuple[float, float]:
    """Seconds, and MB of the write-ahead log, that a statement takes."""
    before = connection.execute(text("SELECT pg_current_wal_lsn()")).scalar_one()
    started_s = time.perf_counter()
    connection.execute(text(statement), given)
    connection.commit()
    seconds = time.perf_counter() - started_s
    written = connection.execute(
        text("SELECT pg_current_wal_lsn() - CAST(:lsn AS pg_lsn)"), {"lsn": before}
    ).scalar_one()
    return seconds, float(written) / 1e6


def report(folder: Path, count: int) -> Iterator[str]:
    """The lines of the report."""
    server = PostgresServer(folder / "server")
    server.create()
    server.start()
    database = open_database(server.url)
    try:
        database.migrate()
        now_ns = time.time_ns()
        from_ns = now_ns - MONTHS * MONTH_NS
        with database.session() as connection:
            fill(connection, count, from_ns)
            connection.execute(text("ANALYZE"))
            connection.commit()
            span = {"from_ns": from_ns + 6 * MONTH_NS, "to_ns": from_ns + 7 * MONTH_NS, "half": count // 2}
            for name, rest in SEARCHES.items():
                what = "count(*)" if "count" in name else "*"
                given = {key: value for key, value in span.items() if f":{key}" in rest}
                both = [f"SELECT {what} FROM {table} {rest}" for table in TABLES]  # noqa: S608 - of this file
                each = [timed(connection, statement, **given) for statement in both]
                yield f"{name:22}" + "   ".join(f"{ms:8.2f} ms (plan {p:5.2f}), {n:6.0f} blocks" for ms, p, n in each)
            yield "DROP of a month        {:.3f} s, {:.1f} MB of WAL".format(
                *riddance(connection, "DROP TABLE month_0")
            )
            end = {"to_ns": from_ns + MONTH_NS}
            gone = riddance(connection, "DELETE FROM sightings WHERE last_seen_ns < :to_ns AND verdict = 'PAID'", **end)
            yield "DELETE of its third    {:.3f} s, {:.1f} MB of WAL".format(*gone)
        vault = Vault(FolderPictures(folder / "pictures"), new_keyring("k1"))
        yield from costs(database, vault, VerdictKind.EXEMPT, max(100, count // 400))
        yield from costs(database, vault, VerdictKind.UNKNOWN, max(100, count // 2000))
        retention = RetentionManager(database, vault, SystemClock())
        started_s, cpu_s = time.perf_counter(), time.process_time()
        purged = retention.purge({VerdictKind.UNPAID: (MONTHS - 1) * 30.0}, "bench", scrub_every_s=1e9)
        number, taken_s = sum(purged.sightings.values()), time.perf_counter() - started_s
        used_s = time.process_time() - cpu_s
        yield f"purge of another third {taken_s:.3f} s for {number}, {used_s:.3f} s of our processor"
    finally:
        database.close()
        server.stop()


def main() -> int:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory(prefix="roadside-months-") as folder:
        Path(folder).chmod(0o755)  # the user postgres must get through
        print(f"{'':22}the table as it is{'':25}in months")
        for line in report(Path(folder), parser.parse_args().rows):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
