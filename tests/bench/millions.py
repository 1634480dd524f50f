"""`make bench-millions`: twelve million vignettes in blocks as issued, imported and searched near a plate, on both."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import text

from models.verdict.blocks import all_series, issued
from models.verdict.fleet import fleet
from roadside.adapters.sql import Safeguard, SqlRegistry, import_vignettes, open_database
from roadside.core.moments import PassageTime
from roadside.core.nearness import nearness_query
from roadside.registry.safeguards import ImportLimits
from roadside.registry.validity import zone
from roadside.registry.vignette_file import read_vignettes
from tests.databases import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.sql import Database

VALID = PassageTime.at(1_798_700_000 * 10**9)


def main() -> None:
    """Print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vignettes", type=int, default=12_000_000)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parsed = parser.parse_args()
    rng = np.random.default_rng(1)
    series = all_series(rng)
    plates = [plate for length in (6, 7, 8) for _, plate in fleet(length, parsed.searches, series, rng)]
    asked = [plates[int(place)] for place in rng.permutation(len(plates))[: parsed.searches]]
    with tempfile.TemporaryDirectory(prefix="roadside-bench-") as folder:
        listed = Path(folder) / "vignettes.csv"
        writer = get_context("spawn").Process(target=write_list, args=(listed, parsed.vignettes))
        writer.start()  # a process of its own: what it takes is not the importer's memory
        writer.join()
        if "sqlite" in parsed.databases:
            measure("sqlite", f"sqlite:///{folder}/bench.db", listed, asked)
        if "postgresql" in parsed.databases:
            with postgres() as server:
                measure("postgresql", fresh_postgres(server), listed, asked)


def write_list(listed: Path, count: int) -> None:
    """A CSV of about so many vignettes, a year each."""
    with listed.open("w", encoding="utf-8") as file:
        file.write("plate,country,valid_from,valid_to,category\n")
        for some in issued(count, 1, all_series(np.random.default_rng(1))).texts():
            file.writelines(f"{plate},CZ,2026-01-01,2027-02-01,car\n" for plate in some)


def measure(kind: str, url: str, listed: Path, asked: Sequence[str]) -> None:
    """All figures of one database."""
    database = open_database(url)
    database.migrate()
    cpu = time.process_time()
    rows = read_vignettes(listed, zone("Europe/Prague"))
    report = import_vignettes(database, rows, "bench", 1, safeguard=Safeguard(ImportLimits()))
    print(
        f"{kind}: {report.added:,} vignettes imported in {report.elapsed_s:.0f} s ({time.process_time() - cpu:.0f} s "
        f"of processor here), {_peak_mb():.0f} MB at most; the database has {_size_bytes(database) / 2**30:.2f} GiB",
        flush=True,
    )
    registry = SqlRegistry(database, grace_s=0.0, max_age_days=0.0)
    taken, used, found = [], [], []
    for plate in asked:
        started, cpu = time.perf_counter(), time.process_time()
        found.append(len(registry.search(nearness_query(plate), VALID).vignettes))
        taken.append(time.perf_counter() - started)
        used.append(time.process_time() - cpu)
    (half, most), (half_used, most_used) = (np.percentile(figures, (50, 99)) for figures in (taken, used))
    near = f"{int(np.median(found)):,} vignettes near one plate, {max(found):,} at most"
    print(
        f"{kind}: {len(asked)} near searches, p50 {half:.3f} s, p99 {most:.3f} s (of processor here {half_used:.3f} "
        f"and {most_used:.3f} s); {near}; {_peak_mb():.0f} MB",
        flush=True,
    )
    database.close()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _size_bytes(database: Database) -> int:
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with database.read() as connection:
        asked = text(pages if database.is_sqlite else "SELECT pg_database_size(current_database())")
        return int(connection.execute(asked).scalar_one())


if __name__ == "__main__":
    main()
