"""A connection to SQLite or PostgreSQL, its transactions, and its migrations."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from roadside.errors import PoisonError, SettingsError, StoreUnavailableError
from roadside.kit.addresses import server_fault
from roadside.kit.extras import install_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_WRITE_OPTION = "roadside_write"
_BUSY_TIMEOUT_S = 60
_SCRUB_TIMEOUT_S = 10
_CACHE_KB = 1_000
"""Of pages that each connection keeps: what more it kept, a day's records would fill, and processes would grow."""
_BULK_CACHE_KB = 32_000
"""While a list is imported."""
_STATEMENTS = 32
"""That each connection to SQLite keeps prepared. Python's own 128 took 1.7 MB where they name up to 120 rows each."""
_PRAGMAS = (
    *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"),
    f"cache_size=-{_CACHE_KB}",
)
"""`secure_delete` is the default of some builds of SQLite only."""
_MIGRATING = 0x524F4149
"""The key of PostgreSQL's advisory lock: beside those of `roadside.adapters.sql.locks`."""


class Database:
    """One database, opened at first use. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite; otherwise it is PostgreSQL."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads. Raises StoreUnavailableError."""
        with _translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes, committed at the end of the block.

        Raises StoreUnavailableError; PoisonError for a value that is not taken, however often it is tried.
        """
        with _translated(), self._engine.connect() as connection:
            writing = connection.execution_options(**{_WRITE_OPTION: True})
            with writing.begin():
                yield writing

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that reads everything as it was at one moment. Raises StoreUnavailableError."""
        with _translated(), self._engine.connect() as connection:
            if not self.is_sqlite:  # where every reading transaction is a snapshot
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 - itself
            with connection.begin():
                yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection for several transactions and much at once. Raises StoreUnavailableError."""
        with _translated(), self._engine.connect() as connection:
            self._keep_pages(connection, _BULK_CACHE_KB)
            try:
                yield connection.execution_options(**{_WRITE_OPTION: True})
            finally:
                self._keep_pages(connection, _CACHE_KB)

    def _keep_pages(self, connection: Connection, size_kb: int) -> None:
        """Beside any transaction, which a statement of SQLAlchemy's would begin."""
        driver = connection.connection.driver_connection
        if self.is_sqlite and driver is not None:
            driver.execute(f"PRAGMA cache_size=-{size_kb}").close()
            driver.execute("PRAGMA shrink_memory").close()

    def migrate(self, to: str = "head") -> None:
        """Bring the tables up to this version of the program, or to an older one, as tests of migrations need it.

        Raises StoreUnavailableError, SettingsError.
        """
        with _translated(), self._alone(), self._engine.connect() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, to)
            except CommandError as error:
                raise SettingsError(f"the database was made by a newer Roadside: {error}") from error
            connection.commit()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of several who make or migrate the tables at once, one does; the others wait and find them done."""
        if not self.is_sqlite:
            with self._engine.connect() as connection:
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATING})
                try:
                    yield
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATING})
            return
        # SQLite's own locks do not reach from one migration to the next, nor over the switch to WAL.
        with ExitStack() as stack:
            with suppress(OSError):  # a folder that may not be read, or a file system without such locks
                folder = os.open(Path(self._engine.url.database or "").resolve().parent, os.O_RDONLY)
                stack.callback(os.close, folder)
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield

    def check_migrated(self) -> None:
        """Raise SettingsError where the tables are not those of this version of the program."""
        with self.read() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        newest = ScriptDirectory.from_config(_alembic()).get_current_head()
        if current != newest:
            state = "has no tables yet" if current is None else f"is at version {current}, not {newest}"
            raise SettingsError(f"the database {state}: run `roadside database migrate`")

    def scrub(self) -> bool:
        """Overwrite what was deleted; False where somebody else was at work and traces may be left.

        SQLite's file is written anew and its journal cut to nothing: `secure_delete` alone leaves copies of rows that
        were moved within a page, and pages in the journal. PostgreSQL frees the space for other rows, and forgets the
        values that its statistics name as examples of a column; what else it takes there is told in
        docs/data-protection.md.
        """
        try:
            if self.is_sqlite:
                return self._rewrite()
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM (ANALYZE)")
        except (DBAPIError, PoolTimeoutError, sqlite3.Error):
            return False
        return True

    def _rewrite(self) -> bool:
        """Past SQLAlchemy, which would begin a transaction: VACUUM takes none."""
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {_SCRUB_TIMEOUT_S * 1000}")
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, *_ = cursor.fetchone() or (1,)
            return not busy
        finally:
            connection.cursor().execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_S * 1000}")
            connection.close()

    @property
    def driver_error(self) -> type[Exception]:
        """What the driver raises."""
        found: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        return found

    def listen(self, channel: str) -> Any:  # noqa: ANN401 - a driver's own type
        """A connection of PostgreSQL's driver, beside the pool, that is notified on `channel`; the caller closes it.

        Raises StoreUnavailableError.
        """
        with _translated():
            pooled = self._engine.raw_connection()
            connection: Any = pooled.driver_connection
            pooled.detach()
            connection.rollback()
            connection.autocommit = True
            connection.execute(f"LISTEN {channel}")
        return connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def open_database(url: str) -> Database:
    """The database at `url` (sqlite:///path or postgresql://user:password@host/name), not yet connected.

    Raises SettingsError where the address is none.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            if fault := server_fault(url):
                raise SettingsError(f"the database address: {fault}")
            address = address.set(drivername="postgresql+psycopg")
            return Database(create_engine(address, pool_pre_ping=True, pool_size=4, max_overflow=4))
        if address.get_backend_name() != "sqlite":
            raise SettingsError(f"databases are sqlite:///path or postgresql://..., not {address.drivername}")
        return Database(_sqlite_engine(address))
    except (ArgumentError, NoSuchModuleError, ValueError) as error:  # ValueError: a port that is no number
        raise SettingsError("the database address is not an address such as sqlite:///roadside.db") from error
    except ModuleNotFoundError as error:
        mend = install_command("cluster", "psycopg")
        raise SettingsError(f"PostgreSQL needs a Python package ({error.name} is missing): {mend}") from error


def open_embedded(path: Path) -> Database:
    """The SQLite file of the embedded mode, made and migrated where needed; one that may not be written is only read.

    Raises StoreUnavailableError, SettingsError.
    """
    if is_read_only(path):
        return _open_read_only(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):  # SQLite would make it, and its journals, for everybody to read
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror}") from error
    database = Database(_sqlite_engine(URL.create("sqlite", database=str(path))))  # a name may hold a ?
    database.migrate()
    return database


def is_read_only(path: Path) -> bool:
    """Whether there is a file that, or beside which, nothing may be written: a copy on a disc or in an archive."""
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _open_read_only(path: Path) -> Database:
    """What lies in the file, for looking at. Raises SettingsError, StoreUnavailableError."""
    journal = path.with_name(f"{path.name}-wal")
    if journal.exists() and journal.stat().st_size:
        raise StoreUnavailableError(f"{path}: may not be written, and {journal.name} holds its newest part: copy both")
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False))
    database = Database(engine)
    database.check_migrated()
    return database


def _sqlite_engine(address: URL) -> Engine:
    engine = create_engine(address, connect_args={"timeout": _BUSY_TIMEOUT_S, "cached_statements": _STATEMENTS})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's own type
        connection.isolation_level = None  # transactions are begun below, as SQLAlchemy documents
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # A read that turns into a write fails at once when another writes; a write that waits does not.
        writes = connection.get_execution_options().get(_WRITE_OPTION, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of databases as errors of ours, without the values that they may tell."""
    try:
        yield
    except (IntegrityError, DataError, OverflowError, UnicodeEncodeError) as error:
        raise PoisonError(f"the database refuses what it was given ({_kind(error)})") from error
    except (DBAPIError, PoolTimeoutError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise StoreUnavailableError(f"the database: {reason[0] if reason else 'no answer'}") from error


def _kind(error: Exception) -> str:
    """The name of the driver's error: UniqueViolation, NumericValueOutOfRange..."""
    return type(getattr(error, "orig", None) or error).__name__
