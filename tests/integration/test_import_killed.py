"""SIGKILL in the middle of an import leaves the old registry whole, on SQLite and on PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.sql import SqlRegistry, import_vignettes, open_database
from roadside.core.moments import PassageTime
from roadside.core.vignettes import CandidateQuery, Vignette
from tests.databases import KINDS, fresh_postgres, postgres

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.adapters.sql import Database

ROWS = 60_000
IMPORTER = """
import sys, time
from pathlib import Path
from roadside.adapters.sql import import_vignettes, open_database
from roadside.registry.validity import zone
from roadside.registry.vignette_file import read_vignettes

def watched(rows):
    for number, row in enumerate(rows):
        if number == int(sys.argv[3]):
            print("there", flush=True)
            time.sleep(600)  # until it is killed
        yield row
    print("read", flush=True)

rows = read_vignettes(Path(sys.argv[2]), zone("Europe/Prague"))
import_vignettes(open_database(sys.argv[1]), watched(rows), "new.csv", 2, replace=True)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_import_leaves_the_old_registry_whole(kind: str, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    lines = (f"1AB{number:05d},CZ,2026-01-01,2026-12-31\n" for number in range(ROWS))
    new.write_text("plate,country,valid_from,valid_to\n" + "".join(lines))
    if kind == "sqlite":
        _kill_and_look(f"sqlite:///{tmp_path}/r.db", new)
    else:
        with postgres() as server:
            _kill_and_look(fresh_postgres(server), new)


def _kill_and_look(url: str, new: Path) -> None:
    database = open_database(url)
    database.migrate()
    old = [Vignette("9ZZ0001", "CZ", "", 0, 10), Vignette("9ZZ0002", "CZ", "", 0, 10)]
    import_vignettes(database, old, "old", 1)
    for row in (0, 1, ROWS // 2, ROWS - 1):
        assert _killed_at(row, url, new) == -signal.SIGKILL
        assert _is_old(database), f"killed at row {row}"
    for pause_s in (0.0, 0.05, 0.2):
        _killed_at(ROWS, url, new, pause_s)
        # What was read is being put in the old one's place, or has been: all of it is there, or nothing.
        assert SqlRegistry(database, grace_s=0.0, max_age_days=0.0).size() == ROWS or _is_old(database)
        import_vignettes(database, old, "old", 1, replace=True)
    assert _imported(url, new) == 0
    assert SqlRegistry(database, grace_s=0.0, max_age_days=0.0).size() == ROWS
    database.close()


def _is_old(database: Database) -> bool:
    registry = SqlRegistry(database, grace_s=0.0, max_age_days=0.0)
    found = registry.search(CandidateQuery(("9ZZ0001", "9ZZ0002"), (), (), 0.0), PassageTime.at(5)).vignettes
    return registry.size() == len(found) == 2


def _started(url: str, new: Path, stop_at: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", IMPORTER, url, str(new), str(stop_at)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _imported(url: str, new: Path) -> int:
    """Exit code of an import that nobody disturbs."""
    with _started(url, new, stop_at=-1) as process:
        process.communicate()
        return process.returncode


def _killed_at(row: int, url: str, new: Path, pause_s: float = 0.0) -> int:
    """Exit code of an import that is killed when it asks for a row, or some time after it has read the last."""
    with _started(url, new, stop_at=row) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == ("read\n" if row == ROWS else "there\n")
        time.sleep(pause_s)  # to hit another moment of what comes after the last row
        process.kill()
        return process.wait()
