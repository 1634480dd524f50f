"""Opens what is kept, as the settings say: the databases, the vault, the registry and the judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.adapters.encryption import load_or_make_keyring
from roadside.adapters.sql import Database, SqlRegistry, SqlSightingStore, Vault, open_embedded
from roadside.adapters.system_clock import SystemClock
from roadside.core.confusions import Confusions, from_json, typical
from roadside.errors import SettingsError
from roadside.registry.judge import Judge

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.adapters.encryption import Keyring
    from roadside.ports import Clock, Registry
    from roadside.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that the embedded mode keeps, open."""

    database: Database
    store: SqlSightingStore
    vault: Vault
    keys: Path
    registry_database: Database
    registry: SqlRegistry
    clock: Clock

    def close(self) -> None:
        """Close the databases."""
        self.database.close()
        self.registry_database.close()


def open_records(settings: Settings) -> Records:
    """The records at `settings.db`, made where there are none. Raises StoreUnavailableError, SettingsError."""
    clock = SystemClock()
    folder = settings.db.parent
    database = open_embedded(settings.db)
    keys = settings.keys or folder / "keys.json"
    vault = Vault(settings.evidence or folder / "evidence", keyring_of(settings))
    registry_database = open_registry(settings, database)
    return Records(
        database,
        SqlSightingStore(database, vault, clock),
        vault,
        keys,
        registry_database,
        SqlRegistry(registry_database, settings.grace_s),
        clock,
    )


def open_registry(settings: Settings, database: Database | None = None) -> Database:
    """The database of the registry: its own file, or that of the sightings."""
    if settings.registry is not None and settings.registry != settings.db:
        return open_embedded(settings.registry)
    return database if database is not None else open_embedded(settings.db)


def keyring_of(settings: Settings) -> Keyring:
    """The keys, made at first use. Raises SettingsError."""
    return load_or_make_keyring(settings.keys or settings.db.parent / "keys.json", "k1")


def open_judge(settings: Settings, registry: Registry, clock: Clock) -> Judge:
    """The judge that asks `registry`. Raises SettingsError."""
    return Judge(registry, confusions_of(settings), settings.policy(), clock, settings.grace_s)


def confusions_of(settings: Settings) -> Confusions:
    """What is known of the reader's errors. Raises SettingsError."""
    beside = settings.reader_modeldir.parent / "confusions.json"
    path = settings.confusions or (beside if beside.is_file() else None)
    if path is None:
        return typical()
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error
