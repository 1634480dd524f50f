"""Everything that is kept, open, for the commands of one process."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.adapters.sql import SqlSightingStore
from roadside.adapters.sql.registry import holds_list
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.sql.reviews import Reviews
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.anchoring import open_anchoring
from roadside.assembly.storage import (
    keys_file,
    open_asked_registry,
    open_judge,
    open_sightings,
    open_vault,
    own_registry,
)
from roadside.assembly.training import keep_for_training
from roadside.plates.review import Reviewing

if TYPE_CHECKING:
    from roadside.adapters.sql import Database, Vault
    from roadside.assembly.anchoring import Anchoring
    from roadside.assembly.settings import Settings
    from roadside.ports.registry import Registry
    from roadside.ports.system import Clock
    from roadside.registry.judge import Judge


@dataclass(frozen=True, slots=True)
class Records:
    """Databases, evidence and those who look after them."""

    database: Database
    store: SqlSightingStore
    vault: Vault
    registry: Registry
    judge: Judge
    registry_database: Database
    retention: RetentionManager
    reviews: Reviews
    anchoring: Anchoring

    def close(self) -> None:
        """Let the files go."""
        self.database.close()
        self.registry_database.close()


def open_records(settings: Settings) -> Records:
    """The records that the settings name. Raises StoreUnavailableError, SettingsError."""
    clock = SystemClock()
    database = open_sightings(settings)
    vault = open_vault(settings, database)
    registry_database = open_registry(settings, database)
    registry = open_asked_registry(settings, registry_database, clock)
    retention = RetentionManager(database, vault, clock)
    return Records(
        database=database,
        store=SqlSightingStore(database, vault, clock),
        vault=vault,
        registry=registry,
        judge=open_judge(
            settings, registry, clock, settings.reader_modeldir.parent, plates_alone=not names_registry(settings)
        ),
        registry_database=registry_database,
        retention=retention,
        reviews=Reviews(database, vault),
        anchoring=open_anchoring(settings, retention),
    )


def open_reviewing(records: Records, settings: Settings, clock: Clock) -> Reviewing:
    """The queue of what waits for a person, as the settings have it."""
    return Reviewing(
        records.store,
        records.reviews,
        records.judge.settle,
        clock,
        two=settings.review_two,
        keep=keep_for_training(records.store, settings.review_training),
    )


def names_registry(settings: Settings) -> bool:
    """Whether the settings say whom to ask who paid: then a registry that is empty is a fault."""
    return settings.registry is not None or settings.registry_http is not None


def reads_plates_alone(settings: Settings, records: Records) -> bool:
    """Whether there is nobody to ask who paid: no registry is named, and no list was ever imported.

    Raises StoreUnavailableError.
    """
    return not names_registry(settings) and not holds_list(records.registry_database)


def open_registry(settings: Settings, database: Database | None = None) -> Database:
    """The database of the registry: its own file, or that of the sightings. Raises StoreUnavailableError."""
    if settings.registry is not None and settings.registry == settings.db:
        return database or open_sightings(settings)
    return own_registry(settings) or database or open_sightings(settings)


def seal_lists(settings: Settings, registry: Database) -> None:
    """Seal what was imported into `registry` in the chain of evidence, where there are keys yet.

    Where there are none, or they are elsewhere, the sightings that are judged by it seal it.
    """
    if not keys_file(settings).exists():
        return
    database = open_sightings(settings)
    RetentionManager(database, open_vault(settings, database), SystemClock()).seal_lists(registry)


def person() -> str:
    """Who sits at this terminal, for the audit."""
    return getpass.getuser()
