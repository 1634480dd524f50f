"""The whole of Roadside in containers, as docker/compose.yaml starts it, on a clip instead of a camera."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roadside.client import ClientOptions, PlatesClient, RegistryClient
from roadside.errors import UnavailableError
from tests.ports import reserved_port
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
USER = 10001
SERVICES = ("capture", "detector", "ocr", "registry", "plates", "notify")
BESIDE = ("console",)
"""Images of services that compose starts only where they are asked for."""
WHOLE = ("roadside",)
"""All of one computer in one image; no service of the cluster."""
KEEPERS = ("redis", "postgres", "prometheus", "alertmanager", "disk")
OVERRIDE = """
services:
  capture:
    environment: {{ROADSIDE_LOOPS: "{loops}", ROADSIDE_RECORDED_AT: now}}
    volumes: ["{clip}:/clips/street.mp4:ro"]
  plates:
    environment: {{ROADSIDE_PURGE_EVERY_S: "20"}}
"""


def docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def inspect(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", name))[0]
    return found


def compose_program() -> list[str]:
    """`docker compose`, or the older program of its own."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    return ["docker", "compose"] if plugin else ["docker-compose"]


@dataclass
class Stack:
    """One project of docker compose."""

    folder: Path
    clip: Path
    loops: int = 0
    project: str = field(default_factory=lambda: f"roadside-test-{os.getpid()}")
    ports: dict[str, int] = field(
        default_factory=lambda: {
            name: reserved_port() for name in ("PLATES_PORT", "REGISTRY_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")
        }
    )

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    def prepare(self) -> None:
        subprocess.run(["bash", str(ROOT / "k3s" / "make-secrets"), "--files", str(self.secrets)], check=True)
        for path in (self.secrets, *self.secrets.rglob("*")):
            os.chown(path, USER, USER)
        clip = shutil.copy(self.clip, self.folder / "street.mp4")
        Path(clip).chmod(0o644)
        self.folder.chmod(0o755)
        (self.folder / "override.yaml").write_text(OVERRIDE.format(loops=self.loops, clip=clip))

    def compose(self, *arguments: str, check: bool = True) -> str:
        files = ["-f", str(ROOT / "docker" / "compose.yaml"), "-f", str(self.folder / "override.yaml")]
        environment = {
            **os.environ,
            **{name: str(port) for name, port in self.ports.items()},
            "SECRETS": str(self.secrets),
            "CAMERAS": "street=/clips/street.mp4",
            "COMPOSE_HTTP_TIMEOUT": "600",
        }
        done = subprocess.run(
            [*compose_program(), "-p", self.project, *files, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"compose {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def container(self, service: str) -> str:
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        found = docker("ps", "--all", "--quiet", *filters).split()
        assert len(found) == 1, f"{len(found)} containers of {service}"
        return found[0]

    def execute(self, service: str, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """A command in a running container, with a text on its standard input."""
        return subprocess.run(
            ["docker", "exec", "--interactive", self.container(service), *command],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )

    def load_registry(self) -> None:
        """All of the street have paid but the first, which is exempt, and the last; as an operator does it."""
        vignettes, exemptions = self.folder / "vignettes.csv", self.folder / "exemptions.csv"
        street = self.clip.with_suffix(".tsv")
        subprocess.run([sys.executable, str(ROOT / "demo" / "registry.py"), street, vignettes, exemptions], check=True)
        # While there is no vignette nobody is judged: the exempt must be known before the first one is there.
        for action, file in (("exempt", exemptions), ("import", vignettes)):
            done = self.execute("plates", "roadside", "registry", action, "-", text=file.read_text())
            assert done.returncode == 0, done.stdout + done.stderr

    def healthy(self, *services: str) -> bool:
        return all(
            inspect(self.container(service))["State"].get("Health", {}).get("Status") == "healthy"
            for service in services
        )

    def logs(self) -> str:
        return self.compose("logs", "--tail", "15", check=False)

    def wait(self, condition: Any, what: str, timeout_s: float) -> None:  # noqa: ANN401 - any callable
        try:
            wait_for(condition, what, timeout_s, every_s=2.0)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.logs()}") from error

    @property
    def options(self) -> ClientOptions:
        token = (self.secrets / "api" / "token").read_text()
        return ClientOptions(token=token, ca_file=self.secrets / "grpc-tls" / "ca.crt", deadline_s=30)

    def plates(self, options: ClientOptions | None = None) -> PlatesClient:
        return PlatesClient(f"localhost:{self.ports['PLATES_PORT']}", options or self.options)

    def registry(self) -> RegistryClient:
        return RegistryClient(f"localhost:{self.ports['REGISTRY_PORT']}", self.options)

    def answers(self) -> bool:
        with self.plates() as plates:
            try:
                next(plates.sightings(), None)
            except UnavailableError:
                return False
            return True

    def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        """What Prometheus answers."""
        query = urllib.parse.urlencode(parameters)
        address = f"http://127.0.0.1:{self.ports['PROMETHEUS_PORT']}/api/v1/{path}?{query}"
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                body = json.load(answer)
        except urllib.error.HTTPError as error:
            body = json.load(error)
        assert body["status"] == "success", f"{path} {parameters}: {body}"
        return body["data"]

    def script(self, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """k3s/backup or k3s/restore."""
        return subprocess.run(
            ["bash", str(ROOT / "k3s" / name), "--compose", self.project, str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )

    def end(self) -> None:
        self.compose("down", "--volumes", "--timeout", "30", check=False)
