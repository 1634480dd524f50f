"""Databases for tests: a SQLite file, and a schema of its own in a real PostgreSQL."""

from __future__ import annotations

import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import roadside.adapters.sql.migrations
from tests.servers import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("sqlite", "postgresql")


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="roadside-pg-") as parent:
        Path(parent).chmod(0o755)  # the server runs as another user
        server = PostgresServer(Path(parent) / "server")
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def fresh_postgres(server: PostgresServer) -> str:
    """The address of an empty database."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url.removesuffix("/postgres") + f"/{name}"


def sqlite_of_revision(path: Path, revision: str) -> None:
    """Makes the SQLite file `path` as an older version of the program left it."""
    config = Config()
    config.set_main_option("script_location", str(Path(roadside.adapters.sql.migrations.__path__[0])))
    config.set_main_option("path_separator", "os")
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()
