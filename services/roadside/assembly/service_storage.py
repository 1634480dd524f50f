"""A service's database: waited for at the start, and asked now and then whether it is still there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from roadside.adapters.sql import open_database
from roadside.assembly.storage import database_address
from roadside.errors import StoreUnavailableError
from roadside.kit.backoff import Backoff
from roadside.kit.logs import fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from roadside.adapters.sql import Database
    from roadside.assembly.context import ServiceContext
    from roadside.kit.config import ServiceSettingsT
    from roadside.kit.health import Health
    from roadside.registry.config import StorageSection

STORE = "store"
"""The part of a process's health that is kept here."""
STORE_TICKS = 5

_log = logging.getLogger(__name__)


def wait_for_database(context: ServiceContext[ServiceSettingsT], settings: StorageSection) -> Database:
    """The database once it answers. Raises SettingsError where it was not migrated."""
    database = open_database(database_address(settings))
    backoff = Backoff(context.rng)
    stopping = context.lifecycle.stopping
    while not stopping.is_set():
        try:
            database.check_migrated()
        except StoreUnavailableError as error:
            pause_s = backoff.next_s()
            _log.warning("waiting", extra=fields(loop="start", reason=str(error), seconds=round(pause_s, 2)))
            stopping.wait(pause_s)
        else:
            context.health.set(STORE, ready=True)
            break
    return database


def store_tick(health: Health, ask: Callable[[], int]) -> Callable[[], None]:
    """Keeps readiness: every few ticks the database is asked something small."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks % STORE_TICKS:
            return
        try:
            ask()
        except StoreUnavailableError as error:
            health.set(STORE, ready=False, reason=str(error))
            raise
        health.set(STORE, ready=True)

    return tick
