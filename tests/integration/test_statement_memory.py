"""What SQLite keeps of statements does not grow with what is stored."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import SqlSightingStore, Vault, open_embedded
from roadside.core.sightings import SightingQuery, VerdictKind
from tests.clocks import HandClock
from tests.contract.test_store import CROP, sighting

if TYPE_CHECKING:
    from pathlib import Path

STORED = 120


@pytest.fixture
def library() -> ctypes.CDLL:
    """SQLite as Python uses it: shared, so that its count of bytes is of the same connections."""
    name = ctypes.util.find_library("sqlite3")
    if name is None:
        pytest.skip("SQLite is no shared library here")
    found = ctypes.CDLL(name)
    found.sqlite3_memory_used.restype = ctypes.c_int64
    return found


def test_looking_through_more_and_more_keeps_no_statement_for_each_number(tmp_path: Path, library: ctypes.CDLL) -> None:
    database, clock = open_embedded(tmp_path / "r.db"), HandClock()
    store = SqlSightingStore(database, Vault(tmp_path / "e", new_keyring("k")), clock)
    for number in range(STORED):
        store.save(sighting(f"s{number}", VerdictKind.UNKNOWN, clock.ns, f"OTHER{number:03d}"), [CROP])
    used = {}
    for limit in range(1, STORED + 1):
        assert len(store.find(SightingQuery(limit=limit)).sightings) == limit
        used[limit] = library.sqlite3_memory_used()
    database.close()
    assert used[1] > 0, "another SQLite than Python's"
    assert used[STORED] - used[8] < 600_000
