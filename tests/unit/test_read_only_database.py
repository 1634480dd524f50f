"""A database that may not be written can be looked at, and is not changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from roadside.adapters.sql import open_embedded
from roadside.errors import StoreUnavailableError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "archive" / "a b?.db"
    database = open_embedded(path)
    database.close()
    path.chmod(0o400)
    path.parent.chmod(0o500)
    # The tests may run as root, who may write everywhere: the permissions of the file are what is asked for.
    monkeypatch.setattr(os, "access", lambda of, mode: mode != os.W_OK or bool(Path(of).stat().st_mode & 0o200))
    return path


def test_it_is_read_and_nothing_is_written_beside_it(file: Path) -> None:
    before = sorted(file.parent.iterdir()), file.read_bytes()
    database = open_embedded(file)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sightings").scalar() == 0
    with pytest.raises(StoreUnavailableError, match="readonly"), database.write() as connection:
        connection.exec_driver_sql("DELETE FROM sightings")
    database.close()
    assert (sorted(file.parent.iterdir()), file.read_bytes()) == before


def test_a_part_in_a_journal_is_not_passed_over(file: Path) -> None:
    file.with_name(f"{file.name}-wal").write_bytes(b"what was written last")
    with pytest.raises(StoreUnavailableError, match="copy both"):
        open_embedded(file)
