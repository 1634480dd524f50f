"""Databases for tests: a SQLite file, and a schema of its own in a real PostgreSQL."""

from __future__ import annotations

import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

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
