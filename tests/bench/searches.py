"""`make bench-searches`: every pair of filters on ten million sightings, and what is slow; made in a new database."""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import Database, SqlSightingStore, Vault, open_database
from roadside.adapters.system_clock import SystemClock
from roadside.core.outline import Direction
from roadside.core.sightings import SightingQuery, VerdictKind
from tests.bench.many_sightings import EVERY_NS, FIRST_NS, fill
from tests.databases import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW_MS = 300.0
FIRST_LOOK = 3
"""Times that each is asked before it is known whether it is slow."""


def filters(count: int) -> dict[str, dict[str, Any]]:
    """Of each kind what many have, what few have, and what nobody has or nobody of another kind: see `fill`."""
    last_ns = FIRST_NS + count * EVERY_NS
    hour_ns, day_ns = 3600 * 10**9, 86_400 * 10**9
    cameras = ("camera-0", "camera-3", "camera-5", "camera-7", "camera-9", "camera-rare", "camera-gone", "camera-no")
    return {
        "camera_id": {name: name for name in cameras},
        "verdict": {kind.value: kind for kind in VerdictKind},
        "country": {name: name for name in ("CZ", "SK", "PL", "FR")},
        "direction": {way.value: way for way in Direction},
        "known_list": {name: name for name in ("family", "staff", "guests", "nobody")},
        "plate_prefix": {name: name for name in ("1", "9", "A", "X", "1A", "1AB2", "1AB2345", "9AB")},
        "plate_like": {name: name for name in ("1AB2345", "AB1234C", "XXXXXXX")},
        "since_ns": {"an hour ago": last_ns - hour_ns, "a day ago": last_ns - day_ns, "the start": FIRST_NS},
        "until_ns": {"its first hour": FIRST_NS + hour_ns, "its middle": FIRST_NS + count * EVERY_NS // 2},
    }


def queries(count: int, together: int) -> Iterator[tuple[str, SightingQuery]]:
    """Every combination of so many kinds of filters, in words."""
    found = filters(count)
    for kinds in itertools.combinations(found, together):
        for values in itertools.product(*(found[kind].items() for kind in kinds)):
            name = ", ".join(f"{kind.partition('_')[0]} {word}" for kind, (word, _) in zip(kinds, values, strict=True))
            asked = dict(zip(kinds, (value for _, value in values), strict=True))
            yield name, replace(SightingQuery(), **asked)


def measure(database: Database, count: int, together: int, repeated: int) -> None:
    """Ask all; tell the spread, and each that is slow."""
    store = SqlSightingStore(database, Vault(Path("none"), new_keyring("k")), SystemClock())
    store.find(SightingQuery())
    medians = []
    for name, query in queries(count, together):
        took = [_ms(store, query) for _ in range(FIRST_LOOK)]
        if min(took) > SLOW_MS / 2:
            took += [_ms(store, query) for _ in range(repeated - FIRST_LOOK)]
            print(f"{name}: median {statistics.median(took):.0f} ms, worst {max(took):.0f} ms", flush=True)
        medians.append(statistics.median(took))
    shares = statistics.quantiles(medians, n=100)
    print(
        f"{len(medians)} queries of {together}: median {shares[49]:.0f} ms, 95 % under {shares[94]:.0f} ms, "
        f"slowest {max(medians):.0f} ms; over {SLOW_MS:.0f} ms: {sum(median > SLOW_MS for median in medians)}",
        flush=True,
    )


def _ms(store: SqlSightingStore, query: SightingQuery) -> float:
    started = time.perf_counter()
    store.find(query)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sightings", type=int, default=10_000_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--db", help="the address of a database that was filled before")
    parser.add_argument("--together", type=int, nargs="+", default=[1, 2], help="how many filters at once")
    parser.add_argument("--repeated", type=int, default=20)
    parsed = parser.parse_args()
    if parsed.db is not None:
        _measure_all(open_database(parsed.db), parsed)
        return
    for kind in parsed.databases:
        with tempfile.TemporaryDirectory(prefix="roadside-bench-") as folder:
            if kind == "sqlite":
                _fill_and_measure(f"sqlite:///{folder}/bench.db", parsed)
            else:
                with postgres() as server:
                    _fill_and_measure(fresh_postgres(server), parsed)


def _fill_and_measure(url: str, parsed: argparse.Namespace) -> None:
    database = open_database(url)
    database.migrate()
    fill(database, parsed.sightings)
    _measure_all(database, parsed)


def _measure_all(database: Database, parsed: argparse.Namespace) -> None:
    print("sqlite" if database.is_sqlite else "postgresql", flush=True)
    for together in parsed.together:
        measure(database, parsed.sightings, together, parsed.repeated)
    database.close()


if __name__ == "__main__":
    main()
