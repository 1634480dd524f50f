"""The services as real processes, each on ports of its own, on a Redis and a database that the test brings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import redis

from tests.ports import reserved_port
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STREAMS = ("frames", "crops", "reads", "sightings")
PREFIX = "{roadside}:"
"""Of every key in Redis."""
START_TIMEOUT_S = 300.0
"""Importing OpenCV and gRPC five times takes its time on two busy cores."""


@dataclass
class ServiceProcess:
    """One replica of one service."""

    service: str
    name: str
    environment: dict[str, str]
    log: Path
    grpc_port: int = field(default_factory=reserved_port)
    health_port: int = field(default_factory=reserved_port)
    metrics_port: int = field(default_factory=reserved_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ports = {
            "ROADSIDE_GRPC_PORT": str(self.grpc_port),
            "ROADSIDE_HEALTH_PORT": str(self.health_port),
            "ROADSIDE_METRICS_PORT": str(self.metrics_port),
            "ROADSIDE_CONSUMER": self.name,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "roadside.cli", "serve", self.service],
                env={**os.environ, **self.environment, **ports},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        wait_for(self.is_ready, f"{self.name} ready, see {self.log}", timeout_s)

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended:\n{self.log.read_text()[-3000:]}"
        return self.probe("ready") == 200

    def probe(self, what: str) -> int:
        """The status of GET /live or /ready; 0 where nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/{what}", timeout=PLENTY_S) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)
        except OSError:
            return 0

    def missing(self) -> list[str]:
        """What /ready names; nothing where nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/ready", timeout=5) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                body = error.read()
        except OSError:
            return []
        return list(json.loads(body)["missing"])

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=PLENTY_S) as answer:
            return str(answer.read().decode())

    def value(self, name: str, **labels: str) -> float:
        """The sum of a metric over all label sets that match; 0 where there is none."""
        total = 0.0
        for line in self.metrics().splitlines():
            head, _, value = line.rpartition(" ")
            if head.partition("{")[0] == name and all(f'{k}="{v}"' in head for k, v in labels.items()):
                total += float(value)
        return total

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_s: float = 120.0) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return int(self.process.returncode)

    def log_lines(self) -> list[dict[str, Any]]:
        """Every JSON line of the log; native libraries write others."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@dataclass
class Cluster:
    """Services that share a bus and a database."""

    folder: Path
    redis_url: str
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    services: dict[str, ServiceProcess] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ROADSIDE_REDIS_URL": self.redis_url,
            "ROADSIDE_DATABASE_URL": self.database_url,
            "ROADSIDE_EVIDENCE": str(self.folder / "evidence"),
            "ROADSIDE_KEYS": str(self.folder / "keys.json"),
            "ROADSIDE_CHECKPOINTS": str(self.folder / "checkpoints"),
            **self.settings,
        }

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`roadside ...` with the environment of the services."""
        done = subprocess.run(
            [sys.executable, "-m", "roadside.cli", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def add(self, service: str, name: str | None = None, **settings: str) -> ServiceProcess:
        """A replica, not started; settings as `modeldir="..."`."""
        name = name or service
        variables = {f"ROADSIDE_{key.upper()}": value for key, value in settings.items()}
        process = ServiceProcess(service, name, {**self.environment, **variables}, self.folder / f"{name}.log")
        self.services[name] = process
        return process

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start all that were added and wait until they are ready."""
        for process in self.services.values():
            if process.process is None:
                process.start()
        for process in self.services.values():
            process.wait_ready(timeout_s)

    def is_settled(self, cameras: Sequence[str]) -> bool:
        """Whether the recordings of these cameras were played to their end, and nothing is on its way any more."""
        with redis.Redis.from_url(self.redis_url, socket_timeout=60) as client:
            ended = all(client.hget(f"{PREFIX}camera:{camera}", "ended") == b"1" for camera in cameras)
            return ended and not any(client.xlen(PREFIX + stream) for stream in STREAMS)

    def stop(self) -> dict[str, int]:
        """SIGTERM upstream first; exit codes by name."""
        order = ("capture", "detector", "ocr", "registry", "plates", "notify", "console")
        by_stage = sorted(self.services.values(), key=lambda p: order.index(p.service))
        return {p.name: p.stop() for p in by_stage if p.process is not None}
