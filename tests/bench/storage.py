"""`make bench-storage`: a million vignettes imported and searched, ten million sightings listed, on both databases."""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import (
    Database,
    Safeguard,
    SqlRegistry,
    SqlSightingStore,
    Vault,
    import_vignettes,
    open_database,
)
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.core.moments import PassageTime
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.core.vignettes import CandidateQuery
from roadside.registry.safeguards import ImportLimits
from roadside.registry.validity import zone
from roadside.registry.vignette_file import read_vignettes
from tests.databases import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Callable

LETTERS = "ABCEHJKLMPSTUZ"
MORE = "ABCDEFHJKLMNPRSTUVXYZ0123456789"
VALID_NS = 1_798_700_000 * 10**9
VALID = PassageTime.at(VALID_NS)
LISTS = ("readings", "vignettes", "lapsed", "exemptions")
FIRST_NS = 1_700_000_000 * 10**9


def main() -> None:
    """Print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vignettes", type=int, default=1_000_000)
    parser.add_argument("--sightings", type=int, default=10_000_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="roadside-bench-") as folder:
        listed = Path(folder) / "vignettes.csv"
        write_vignettes(listed, parsed.vignettes)
        for kind in parsed.databases:
            if kind == "sqlite":
                measure(kind, f"sqlite:///{folder}/bench.db", listed, parsed.sightings)
            else:
                with postgres() as server:
                    measure(kind, fresh_postgres(server), listed, parsed.sightings)


def write_vignettes(path: Path, count: int) -> None:
    """A CSV of distinct Czech plates, a year each."""
    rng = random.Random(5)
    seen: set[str] = set()
    with path.open("w", encoding="utf-8") as file:
        file.write("plate,country,valid_from,valid_to,category\n")
        while len(seen) < count:
            plate = f"{rng.randint(1, 9)}{rng.choice(LETTERS)}{rng.choice(MORE)}{rng.randint(0, 9999):04d}"
            if plate not in seen:
                seen.add(plate)
                month, day = rng.randint(1, 12), rng.randint(1, 28)
                file.write(f"{plate[:3]} {plate[3:]},CZ,2026-{month:02d}-{day:02d},2027-{month:02d}-{day:02d},car\n")


def measure(kind: str, url: str, listed: Path, sightings: int) -> None:
    """All figures of one database."""
    database = open_database(url)
    database.migrate()
    for replace in (False, True):
        cpu = time.process_time()
        rows = read_vignettes(listed, zone("Europe/Prague"))
        safeguard = Safeguard(ImportLimits())
        report = import_vignettes(database, rows, "bench", 1, replace=replace, safeguard=safeguard)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{kind}: import{' --replace' if replace else ''}: {report.read:,} rows, {report.added:,} added, "
            f"{report.elapsed_s:.1f} s ({time.process_time() - cpu:.1f} s of processor here), {peak_mb:.0f} MB",
            flush=True,
        )
    registry = SqlRegistry(database, grace_s=0.0, max_age_days=0.0)
    wanted = CandidateQuery(("1AB2345", "1A82345"), ("71AB", "718B"), ("72345", "72845"), 0.0)
    found = len(registry.search(wanted, VALID).vignettes)
    _timed(
        f"{kind}: search that finds {found} vignettes in reach",
        lambda: registry.search(wanted, VALID),
    )
    near = CandidateQuery(("1AB2345",), (), (), 0.0, near=("1AB2345",))
    found = len(registry.search(near, VALID).vignettes)
    _timed(
        f"{kind}: search that finds {found} vignettes at most three errors away",
        lambda: registry.search(near, VALID),
    )
    if not sightings:
        return
    fill(database, sightings)
    store = SqlSightingStore(database, Vault(listed.parent / "none", new_keyring("k")), SystemClock())
    page = store.find(SightingQuery(limit=50))
    for name, query in {
        "recent 50": SightingQuery(limit=50),
        "the next 50": SightingQuery(limit=50, page_token=page.next_page_token),
        "50 of a camera": SightingQuery(limit=50, camera_id=CameraId("camera-7")),
        "50 UNPAID": SightingQuery(limit=50, verdict=VerdictKind.UNPAID),
        "50 with a prefix": SightingQuery(limit=50, plate_prefix="1AB23"),
        "50 like a plate": SightingQuery(limit=50, plate_like="1AB2345"),
        "50 of an hour": SightingQuery(limit=50, since_ns=FIRST_NS, until_ns=FIRST_NS + 3600 * 10**9),
    }.items():
        _timed(f"{kind}: {name} of {sightings:,} sightings", lambda query=query: store.find(query))  # type: ignore[misc]


def fill(database: Database, count: int) -> None:
    """Sightings as a year leaves them, made by the database itself."""
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) SELECT i FROM n"
        if database.is_sqlite
        else "SELECT generate_series(1, :count) AS i"
    )
    key = "printf('%dAB%04d', 1 + i % 9, i * 7919 % 10000)" if database.is_sqlite else (
        "(1 + i % 9) || 'AB' || lpad((i * 7919::bigint % 10000)::text, 4, '0')"
    )  # fmt: skip
    blob = ":posterior" if database.is_sqlite else "CAST(:posterior AS bytea)"
    plate = '{"text": "1AB2345", "raw": "1AB2345", "confidence": 0.9, "looks": 3, "alternatives": [], "countries": []}'
    reasons = (
        '{"rule": "r", "p_paid": 0, "p_exempt": 0, "readings": [], "vignettes": [], "lapsed": [], "exemptions": []}'
    )
    paid = "i % 20 > 1"
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO sightings (sighting_id, camera_id, track_id, first_seen_ns, last_seen_ns, verdict, "  # noqa: S608
                "decided_at_ns, country, plate_key, plate, posterior, plate_hash, reasons, direction) "
                f"SELECT 's' || i, 'camera-' || (i % 20), 't', :first + i * 3000000000, :first + i * 3000000000, "
                f"CASE WHEN {paid} THEN 'PAID' WHEN i % 20 = 0 THEN 'UNPAID' ELSE 'REVIEW' END, 0, "
                f"CASE WHEN {paid} THEN NULL ELSE 'CZ' END, CASE WHEN {paid} THEN NULL ELSE {key} END, "
                f"CASE WHEN {paid} THEN NULL ELSE :plate END, CASE WHEN {paid} THEN NULL ELSE {blob} END, "
                f"CASE WHEN {paid} THEN 'k1:' || i ELSE NULL END, :reasons, "
                f"CASE WHEN i % 3 = 0 THEN 'in' END FROM ({numbers}) AS numbers"
            ),
            {"count": count, "first": FIRST_NS, "plate": plate, "reasons": reasons, "posterior": b"\0" * 1008},
        )
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO known_matches (sighting_id, list, last_seen_ns, sequence, camera_id, verdict, country) "
                "SELECT sighting_id, 'family', last_seen_ns, sequence, camera_id, verdict, country "
                "FROM sightings WHERE verdict = 'REVIEW'"
            )
        )
        connection.execute(text("ANALYZE"))


def _timed(name: str, ask: Callable[[], object]) -> None:
    took = []
    for _ in range(15):
        started = time.perf_counter()
        ask()
        took.append((time.perf_counter() - started) * 1000)
    print(f"{name}: median {statistics.median(took):.1f} ms, worst {max(took):.1f} ms", flush=True)


if __name__ == "__main__":
    main()
