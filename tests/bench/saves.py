"""`make bench-saves`: sightings that several writers, each a process as a replica of plates is, store in PostgreSQL."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from roadside.adapters.encryption import Keyring, new_keyring
from roadside.adapters.sql import SqlSightingStore, Vault, open_database
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.core.sightings import Picture, PictureKind, VerdictKind
from tests.contract.test_store import sighting
from tests.databases import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.process import BaseProcess
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

    from roadside.core.sightings import Sighting
    from tests.servers import PostgresServer

CROP_BYTES, FRAME_BYTES = 5_000, 60_000


def main() -> None:
    """Print a line for each number of writers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16], help="sightings one writer takes at once")
    parser.add_argument("--seconds", type=float, default=5.0)
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="roadside-saves-") as folder, postgres() as server:
        for batch in parsed.batch:
            for writers in parsed.writers:
                measure(server, Path(folder), writers, batch, parsed.seconds)


def measure(server: PostgresServer, folder: Path, writers: int, batch: int, seconds: float) -> None:
    """One line: how many a second were stored and sealed, and whether the chain proves them."""
    url = fresh_postgres(server)
    database = open_database(url)
    database.migrate()
    keyring, evidence = new_keyring("k1"), Path(tempfile.mkdtemp(dir=folder))
    context = multiprocessing.get_context("spawn")
    ready, counts = context.Barrier(writers + 1), context.Queue()
    arguments = (url, evidence, keyring, batch, seconds, ready, counts)
    processes = [context.Process(target=write, args=(number, *arguments)) for number in range(writers)]
    for process in processes:
        process.start()
    ready.wait()
    started_s, began_s = time.perf_counter(), _cpu_s(server, processes)
    time.sleep(seconds)
    with database.read() as connection:
        stored = connection.execute(text("SELECT count(*) FROM sightings")).scalar_one()
    elapsed_s, cpu_s = time.perf_counter() - started_s, _cpu_s(server, processes) - began_s
    for _ in processes:
        counts.get()
    for process in processes:
        process.join()
    report = RetentionManager(database, Vault(evidence, keyring), SystemClock()).verify()
    told = f"{cpu_s / max(1, stored) * 1000:.1f} ms of CPU each; {report.sealed} sealed, {len(report.faults)} faults"
    print(f"{writers} writers, {batch} at once: {stored / elapsed_s:.0f} sightings a second, {told}", flush=True)
    database.close()


def _cpu_s(server: PostgresServer, writers: Sequence[BaseProcess]) -> float:
    """Seconds of CPU that PostgreSQL's workers and the writers have used."""
    assert server.process is not None
    workers = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text(encoding="ascii").split()
    used = 0.0
    for pid in [*map(int, workers), *(process.pid for process in writers)]:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            values = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            used += (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")
    return used


def write(  # noqa: PLR0917 - a process's start
    number: int,
    url: str,
    evidence: Path,
    keyring: Keyring,
    batch: int,
    seconds: float,
    ready: Barrier,
    counts: Queue[int],
) -> None:
    """Store for so long, and tell how many."""
    database = open_database(url)
    store = SqlSightingStore(database, Vault(evidence, keyring), SystemClock())
    ready.wait()
    until_s, taken = time.perf_counter() + seconds, 0
    while time.perf_counter() < until_s:
        some = [made(f"s-{number}-{taken + each}") for each in range(batch)]
        store.save_all(some)
        taken += batch
    counts.put(taken)
    database.close()


def made(name: str) -> tuple[Sighting, tuple[Picture, Picture]]:
    """A sighting that is no one's, with pictures of the size that cameras send."""
    pictures = (
        Picture(PictureKind.CROP, "image/png", name.encode().ljust(CROP_BYTES, b"c")),
        Picture(PictureKind.FRAME, "image/jpeg", name.encode().ljust(FRAME_BYTES, b"f")),
    )
    return replace(
        sighting(name, VerdictKind.UNPAID, time.time_ns()), camera_id=CameraId(f"camera-{name[:4]}")
    ), pictures


if __name__ == "__main__":
    main()
