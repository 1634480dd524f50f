"""SIGKILL in the middle of an import leaves the old registry whole, on SQLite and on PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.sql import SqlRegistry, import_vignettes, open_database
from roadside.core.vignettes import CandidateQuery, Vignette
from tests.databases import KINDS, fresh_postgres, postgres

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 60_000
IMPORTER = """
import sys
from pathlib import Path
from roadside.adapters.sql import import_vignettes, open_database
from roadside.registry.validity import zone
from roadside.registry.vignette_file import read_vignettes
print("started", flush=True)
rows = read_vignettes(Path(sys.argv[2]), zone("Europe/Prague"))
import_vignettes(open_database(sys.argv[1]), rows, "new.csv", 2, replace=True)
print("ended", flush=True)
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
    started = time.monotonic()
    assert _import(url, new, kill_after_s=None) == 0
    whole_s = time.monotonic() - started
    assert SqlRegistry(database).size() == ROWS
    import_vignettes(database, old, "old", 1, replace=True)
    kills = 0
    # The machine may be quicker or slower than it was the first time: earlier and earlier, until four were hit.
    for share in (0.95, 0.8, 0.65, 0.55, 0.45, 0.35, 0.3, 0.25, 0.2):
        if _import(url, new, kill_after_s=share * whole_s) == -signal.SIGKILL:
            kills += 1
            # Either all of it was there, or none.
            assert SqlRegistry(database).size() in (2, ROWS)
            if SqlRegistry(database).size() == 2:
                found = SqlRegistry(database).search(CandidateQuery(("9ZZ0001", "9ZZ0002"), (), (), 0.0), 5).vignettes
                assert len(found) == 2
        else:
            import_vignettes(database, old, "old", 1, replace=True)
        if kills == 4:
            break
    assert kills >= 2
    assert _import(url, new, kill_after_s=None) == 0
    assert SqlRegistry(database).size() == ROWS
    database.close()


def _import(url: str, new: Path, kill_after_s: float | None) -> int:
    """Exit code of an import in a process of its own, killed some time after it was started."""
    process = subprocess.Popen(
        [sys.executable, "-c", IMPORTER, url, str(new)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        return process.wait(kill_after_s if kill_after_s is not None else 280)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
    finally:
        assert process.stdout is not None
        process.stdout.close()
