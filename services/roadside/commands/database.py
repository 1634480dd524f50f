"""`roadside database migrate|check`: the tables of this version of the program."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.sql import open_database
from roadside.assembly.settings import load_service_settings
from roadside.assembly.storage import database_address
from roadside.errors import StoreUnavailableError
from roadside.registry.config import StorageSection

if TYPE_CHECKING:
    import argparse

    from roadside.adapters.sql import Database
    from roadside.commands.flags import SubParsers

SQLITE = "sqlite:///"


def add_to(commands: SubParsers) -> None:
    """Add `roadside database`."""
    parser = commands.add_parser("database", help="the database of the services: migrate, check")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    migrate = actions.add_parser("migrate", help="bring the tables up to this version")
    migrate.set_defaults(execute=bring_up)
    check = actions.add_parser("check", help="exit code 0 where the tables are those of this version")
    check.set_defaults(execute=look)
    for action in (migrate, check):
        explained = StorageSection.model_fields["database_url"].description
        action.add_argument("--database-url", metavar="X", default=None, help=explained)


def bring_up(parsed: argparse.Namespace) -> int:
    """Migrate; may be run again."""
    database = _database(parsed)
    database.migrate()
    database.close()
    print("the database is up to date")
    return 0


def look(parsed: argparse.Namespace) -> int:
    """Raises SettingsError where the tables are others."""
    database = _database(parsed)
    database.check_migrated()
    database.close()
    print("the database is up to date")
    return 0


def _database(parsed: argparse.Namespace) -> Database:
    flags = {"database_url": parsed.database_url}
    settings = load_service_settings(StorageSection, flags, os.environ)
    address = database_address(settings)
    if address.startswith(SQLITE):
        _make(Path(address.removeprefix(SQLITE)).parent)
    return open_database(address)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"{folder}: {error.strerror}") from error
