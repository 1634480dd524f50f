"""Opens what is kept, as the settings say, for one process and for the services: databases, vault, registry, judge."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from roadside.adapters.encryption import load_or_make_keyring
from roadside.adapters.frame_clock import SteadyClock
from roadside.adapters.http.options import load_http_options
from roadside.adapters.http.registry import HttpRegistry
from roadside.adapters.sql import Database, SqlRegistry, Vault, open_database, open_embedded
from roadside.adapters.sql.vault import needs_keys
from roadside.assembly.beside import beside
from roadside.assembly.pictures import open_pictures
from roadside.core import joint_errors
from roadside.core.confusions import Confusions, from_json, typical
from roadside.errors import SettingsError
from roadside.kit.config import PREFIX
from roadside.kit.weights import check_shipped, weights_folder
from roadside.registry.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from roadside.core.joint_errors import JointErrors
    from roadside.ports.registry import Registry
    from roadside.ports.system import Clock
    from roadside.registry.config import KeepingSection, RegistrySection, StorageSection, VerdictSection

FIRST_KEY = "k1"
CONFUSIONS_FILE = "confusions.json"
JOINT_ERRORS_FILE = "joint_errors.json"
Statistics = TypeVar("Statistics")


def open_sightings(settings: StorageSection) -> Database:
    """The database at `settings.db`, made where there is none; or the one that is named, which must be migrated.

    Raises StoreUnavailableError, SettingsError.
    """
    if settings.database_url is None:
        return open_embedded(settings.db)
    if "db" in settings.model_fields_set:
        raise SettingsError(f"give {PREFIX}DATABASE_URL or db, not both: which of the two is meant?")
    database = open_database(settings.database_url.get_secret_value())
    database.check_migrated()
    return database


def database_address(settings: StorageSection) -> str:
    """The address of the database of services, which `roadside database migrate` makes: sqlite:///... or another."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return f"sqlite:///{settings.db}"


def own_registry(settings: RegistrySection) -> Database | None:
    """The SQLite file of the registry where it has its own, made where there is none. Raises StoreUnavailableError."""
    return None if settings.registry is None else open_embedded(settings.registry)


def open_vault(settings: KeepingSection, database: Database) -> Vault:
    """The encrypted pictures, with their keys, which are made where nothing needs any yet.

    Raises SettingsError where they are gone from beside what only they open.
    """
    pictures, path = open_pictures(settings), keys_file(settings)
    if not path.exists() and needs_keys(database, pictures):
        raise SettingsError(
            f"{path}: the keys are gone, and what is stored needs them: put your copy of the file back, or name it "
            f"with {PREFIX}KEYS. Without it no picture opens; to begin anew, choose another db"
        )
    return Vault(pictures, load_or_make_keyring(path, FIRST_KEY))


def keys_file(settings: KeepingSection) -> Path:
    """Where the keys are."""
    return settings.keys or beside(settings, "keys.json")


def checkpoints_folder(settings: KeepingSection) -> Path:
    """Where the signed ends of the evidence's chain are."""
    return settings.checkpoints or beside(settings, "checkpoints")


def open_asked_registry(settings: VerdictSection, database: Database, clock: Clock) -> Registry:
    """Who is asked who paid: `database`, or an office's HTTP interface where one is described. Raises SettingsError."""
    if settings.registry_http is not None:
        return HttpRegistry(load_http_options(settings.registry_http), SteadyClock(clock))
    return open_held_registry(settings, database)


def open_held_registry(settings: VerdictSection, database: Database) -> SqlRegistry:
    """The registry in `database`."""
    return SqlRegistry(database, settings.grace_s, settings.registry_max_age_days)


@contextmanager
def open_registry_alone(settings: VerdictSection, clock: Clock) -> Iterator[Registry]:
    """The registry that is named, its own file or an office's HTTP interface, without a database of sightings.

    Raises StoreUnavailableError, SettingsError.
    """
    with ExitStack() as stack:
        if settings.registry_http is not None:
            yield HttpRegistry(load_http_options(settings.registry_http), SteadyClock(clock))
        elif settings.registry is not None:
            database = open_embedded(settings.registry)
            stack.callback(database.close)
            yield open_held_registry(settings, database)
        else:
            raise SettingsError("no registry is named: give registry or registry_http")


def open_judge(
    settings: VerdictSection,
    registry: Registry,
    clock: Clock,
    models: Path | None = None,
    *,
    plates_alone: bool = False,
) -> Judge:
    """The judge that asks `registry`; `models` is the folder that may hold what is known of the reader's errors.

    With `plates_alone` nothing is said of anybody while the registry holds no list. Raises SettingsError, ModelError.
    """
    folder = models or weights_folder()
    confusions = replace(confusions_of(settings, folder), joint=joint_errors_of(settings, folder))
    tolerance_s = settings.verdict_time_tolerance_s
    return Judge(
        registry, confusions, settings.policy(), clock, settings.grace_s, tolerance_s, plates_alone=plates_alone
    )


def confusions_of(settings: VerdictSection, models: Path) -> Confusions:
    """What is known of the reader's errors: the file that is set, or that of the folder `models`, or what is typical.

    Raises SettingsError, ModelError.
    """
    path = settings.confusions or models / CONFUSIONS_FILE
    if settings.confusions is None and not path.is_file():
        return typical()
    return _statistics(path, from_json)


def joint_errors_of(settings: VerdictSection, models: Path) -> JointErrors:
    """What is known of errors that come together: the file beside the confusions, or what is typical.

    Raises SettingsError, ModelError.
    """
    path = settings.confusions.with_name(JOINT_ERRORS_FILE) if settings.confusions else models / JOINT_ERRORS_FILE
    return _statistics(path, joint_errors.from_json) if path.is_file() else joint_errors.typical()


def _statistics(path: Path, parse: Callable[[str], Statistics]) -> Statistics:
    check_shipped(path)
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"confusions {path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"confusions {path}: {error}") from error
