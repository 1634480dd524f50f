"""What is deleted is gone: every byte of every file of a data folder is searched for it."""

from __future__ import annotations

import multiprocessing
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from roadside.adapters.checkpoint import CheckpointFolder
from roadside.adapters.encryption import load_or_make_keyring
from roadside.adapters.sql import Database, SqlSightingStore, Vault, open_embedded
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.sql.reviews import Reviews
from roadside.assembly.anchoring import Anchoring
from roadside.assembly.settings import Settings
from roadside.assembly.storage import open_vault
from roadside.core.reviews import Correction, ReviewAction
from roadside.core.sightings import VerdictKind
from roadside.errors import SettingsError
from tests.clocks import HandClock
from tests.contract.test_store import CROP, FRAME, sighting

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

MINE, PAID, OLD = "7F77777", "9Z98765", "5K55555"
FORMS = {plate: (plate.encode(), plate.lower().encode(), plate.encode("utf-16-le")) for plate in (MINE, PAID, OLD)}


def without_secure_delete(database: Database) -> None:
    """As SQLite is where it was built without that default, and even where somebody takes it away from us."""

    @event.listens_for(database._engine, "connect")  # noqa: SLF001 - the build of SQLite cannot be exchanged
    def _connected(connection: object, _record: object) -> None:
        connection.execute("PRAGMA secure_delete = OFF").close()  # type: ignore[attr-defined]

    database._engine.dispose()  # noqa: SLF001 - as above


def found(folder: Path, plate: str) -> list[str]:
    """Files that hold the plate, in capitals, small letters or UTF-16."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    return [path.name for path in files if any(form in path.read_bytes() for form in FORMS[plate])]


@pytest.mark.parametrize("secure_delete", [True, False])
def test_no_file_of_a_data_folder_holds_what_was_deleted(tmp_path: Path, *, secure_delete: bool) -> None:
    database, clock = open_embedded(tmp_path / "r.db"), HandClock()
    if not secure_delete:
        without_secure_delete(database)
    vault = Vault(tmp_path / "r.evidence", load_or_make_keyring(tmp_path / "r.keys.json", "k1"))
    store, retention = SqlSightingStore(database, vault, clock), RetentionManager(database, vault, clock)
    for number in range(60):  # enough to split pages, so that rows were moved
        store.save(sighting(f"s{number}", VerdictKind.UNPAID, clock.ns, f"OTHER{number:02d}"), [CROP])
    for number in range(0, 60, 3):
        store.decide(f"s{number}", replace(store.get(f"s{number}").verdict, rule="read-by-person"), "jana")
    for name, plate in (("mine", MINE), ("paid-later", PAID)):
        kind = VerdictKind.UNKNOWN if plate == PAID else VerdictKind.UNPAID
        store.save(sighting(name, kind, clock.ns, plate), [FRAME])
    now_ns, clock.ns = clock.ns, clock.ns - 40 * 86_400 * 10**9
    store.save(sighting("old", VerdictKind.REVIEW, clock.ns, OLD))
    clock.ns = now_ns
    Reviews(database, vault).record(Correction("mine", clock.ns, "jana", ReviewAction.CONFIRM, MINE, "CZ", MINE))
    store.decide_unknown("paid-later", replace(store.get("paid-later").verdict, kind=VerdictKind.PAID), "night")
    Anchoring(retention, CheckpointFolder(tmp_path / "r.checkpoints")).write()
    assert found(tmp_path, MINE)
    assert found(tmp_path, OLD)
    assert retention.purge({VerdictKind.REVIEW: 30.0}, "cron").scrubbed
    assert retention.forget(MINE, "dpo").scrubbed
    assert {plate: found(tmp_path, plate) for plate in FORMS} == {plate: [] for plate in FORMS}
    database.close()
    assert {plate: found(tmp_path, plate) for plate in FORMS} == {plate: [] for plate in FORMS}


def test_a_reader_that_holds_the_journal_is_told_and_the_next_purge_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roadside.adapters.sql.database._SCRUB_TIMEOUT_S", 0)
    database, clock = open_embedded(tmp_path / "r.db"), HandClock()
    vault = Vault(tmp_path / "r.evidence", load_or_make_keyring(tmp_path / "r.keys.json", "k1"))
    store, retention = SqlSightingStore(database, vault, clock), RetentionManager(database, vault, clock)
    store.save(sighting("mine", VerdictKind.UNPAID, clock.ns, MINE), [CROP])
    other = open_embedded(tmp_path / "r.db")
    with other.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM sightings").scalar()
        assert not retention.forget(MINE, "dpo").scrubbed
    assert retention.purge({}, "cron").scrubbed
    assert found(tmp_path, MINE) == []


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        home = tmp_path / "home"
        database = open_embedded(home / "r.db")
        settings = Settings(db=home / "r.db")
        vault = open_vault(settings, database)
        SqlSightingStore(database, vault, HandClock()).save(sighting("s", VerdictKind.UNPAID, 1000), [CROP])
        Anchoring(RetentionManager(database, vault, HandClock()), CheckpointFolder(home / "r.checkpoints")).write()
        kinds = {path: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.rglob("*"))}
    finally:
        os.umask(old)
    assert {path.name: oct(mode) for path, mode in kinds.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}
    assert any(path.name == "r.db-wal" for path in kinds)


@pytest.mark.parametrize("kind", [VerdictKind.UNPAID, VerdictKind.PAID])
def test_keys_are_not_made_anew_beside_what_needs_the_old_ones(tmp_path: Path, kind: VerdictKind) -> None:
    settings = Settings(db=tmp_path / "r.db")
    database = open_embedded(tmp_path / "r.db")
    vault = open_vault(settings, database)
    SqlSightingStore(database, vault, HandClock()).save(sighting("s", kind, 1000), [CROP])
    keys = tmp_path / "r.keys.json"
    kept = keys.read_bytes()
    keys.unlink()
    with pytest.raises(SettingsError, match="put your copy of the file back") as caught:
        open_vault(settings, database)
    assert "\n" not in str(caught.value)
    assert not keys.exists()
    keys.write_bytes(kept)
    assert open_vault(settings, database).keyring.hash_plate(MINE) == vault.keyring.hash_plate(MINE)


def test_a_link_in_place_of_the_keys_leads_nowhere_new(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    (tmp_path / "r.keys.json").symlink_to(target)
    with pytest.raises(SettingsError):
        load_or_make_keyring(tmp_path / "r.keys.json", "k1")
    assert not target.exists()


def _start(path: str, barrier: Barrier, answers: Queue[str]) -> None:
    barrier.wait()
    try:
        from pathlib import Path  # noqa: PLC0415 - in a process of its own

        open_embedded(Path(path) / "r.db").close()
        answers.put(load_or_make_keyring(Path(path) / "keys.json", "k1").hash_plate(MINE))
    except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
        answers.put(repr(error))


def test_who_start_at_once_share_one_database_and_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(3), context.Queue()
    starting = [context.Process(target=_start, args=(str(tmp_path), barrier, answers)) for _ in range(3)]
    for process in starting:
        process.start()
    said = [answers.get(timeout=120) for _ in starting]
    for process in starting:
        process.join()
    assert len(set(said)) == 1
    assert said[0].startswith("k1:")


def test_the_memory_of_a_database_does_not_grow_with_what_it_keeps(tmp_path: Path) -> None:
    """Each connection kept up to 32 MB of pages, and a day's records filled them."""
    database = open_embedded(tmp_path / "r.db")
    kept = [_cache_kb(database)]
    with database.session() as connection:
        kept.append(abs(connection.connection.driver_connection.execute("PRAGMA cache_size").fetchone()[0]))
    kept.append(_cache_kb(database))
    assert kept == [1_000, 32_000, 1_000], "much is kept while a list is imported, and no longer"


def _cache_kb(database: Database) -> int:
    with database.read() as connection:
        return abs(int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one()))
