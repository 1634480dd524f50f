"""Opens what is kept, as the settings say: databases, vault, registry, judge, and those who look after them."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.adapters.encryption import load_or_make_keyring
from roadside.adapters.http.registry import HttpRegistry, load_http_options
from roadside.adapters.sql import Database, SqlRegistry, SqlSightingStore, Vault, open_database, open_embedded
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.sql.reviews import Reviews
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.settings import PREFIX
from roadside.core.confusions import Confusions, from_json, typical
from roadside.errors import SettingsError
from roadside.kit.weights import check_shipped
from roadside.registry.judge import Judge

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.assembly.settings import Settings
    from roadside.ports.registry import Registry
    from roadside.ports.system import Clock

FIRST_KEY = "k1"


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that is kept, open."""

    database: Database
    store: SqlSightingStore
    vault: Vault
    registry: Registry
    judge: Judge
    registry_database: Database
    retention: RetentionManager
    reviews: Reviews

    def close(self) -> None:
        """Let the files go."""
        self.database.close()
        self.registry_database.close()


def open_records(settings: Settings) -> Records:
    """The records that the settings name. Raises StoreUnavailableError, SettingsError."""
    clock = SystemClock()
    database = open_sightings(settings)
    vault = Vault(
        settings.evidence or beside(settings.db, "evidence"),
        load_or_make_keyring(keys_file(settings), FIRST_KEY),
    )
    registry_database = open_registry(settings, database)
    registry: Registry = SqlRegistry(registry_database, settings.grace_s)
    if settings.registry_http is not None:
        registry = HttpRegistry(load_http_options(settings.registry_http), clock)
    return Records(
        database=database,
        store=SqlSightingStore(database, vault, clock),
        vault=vault,
        registry=registry,
        judge=open_judge(settings, registry, clock),
        registry_database=registry_database,
        retention=RetentionManager(database, vault, clock),
        reviews=Reviews(database),
    )


def open_sightings(settings: Settings) -> Database:
    """The database at `settings.db`, made where there is none; or that of the services, which must be migrated.

    Raises StoreUnavailableError, SettingsError.
    """
    if settings.database_url is None:
        return open_embedded(settings.db)
    if "db" in settings.model_fields_set:
        raise SettingsError(f"give {PREFIX}DATABASE_URL or db, not both: which of the two is meant?")
    database = open_database(settings.database_url.get_secret_value())
    database.check_migrated()
    return database


def open_registry(settings: Settings, database: Database | None = None) -> Database:
    """The database of the registry: its own file, or that of the sightings."""
    if settings.registry is not None and settings.registry != settings.db:
        return open_embedded(settings.registry)
    return database if database is not None else open_sightings(settings)


def keys_file(settings: Settings) -> Path:
    """Where the keys are."""
    return settings.keys or beside(settings.db, "keys.json")


def beside(database: Path, what: str) -> Path:
    """The file or folder that belongs to a database: roadside.db has roadside.keys.json."""
    return database.with_name(f"{database.stem}.{what}")


def open_judge(settings: Settings, registry: Registry, clock: Clock) -> Judge:
    """The judge that asks `registry`. Raises SettingsError."""
    return Judge(registry, confusions_of(settings), settings.policy(), clock, settings.grace_s)


def confusions_of(settings: Settings) -> Confusions:
    """What is known of the reader's errors. Raises SettingsError."""
    beside_reader = settings.reader_modeldir.parent / "confusions.json"
    path = settings.confusions or (beside_reader if beside_reader.is_file() else None)
    if path is None:
        return typical()
    check_shipped(path)
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error


def person() -> str:
    """Who sits at this terminal, for the audit."""
    return getpass.getuser()
