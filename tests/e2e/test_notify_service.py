"""`roadside serve notify` as a process: a real database, a real HTTP receiver, and a file of channels that changes."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.adapters.encryption import new_keyring
from roadside.adapters.notify.webhook import SIGNATURE_HEADER, is_signed
from roadside.adapters.sql import SqlSightingStore, Vault, open_database
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Answer, Sighting, Statement, Verdict, VerdictKind
from tests.ports import reserved_port
from tests.processes import Cluster
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.processes import ServiceProcess

PLATE = "1AB2345"
SECRET = "a secret of this test"  # noqa: S105
LONGEST_WAIT_S = 60.0


@dataclass
class Receiver:
    """Notes what is posted and answers with `status`."""

    status: int = 204
    got: list[tuple[str, str]] = field(default_factory=list)
    """Signature and body."""
    url: str = ""

    def sightings(self) -> list[str]:
        return [json.loads(body)["sighting_id"] for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.got.append((self.headers[SIGNATURE_HEADER], body))
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield made
    server.shutdown()
    server.server_close()


@dataclass
class World:
    """The service's database, its file of channels and its secrets."""

    cluster: Cluster
    store: SqlSightingStore

    @property
    def channels(self) -> Path:
        return self.cluster.folder / "notify.toml"

    def name(self, *receivers: Receiver, attempts: int = 2) -> None:
        """Write the file of channels: hook0, hook1..."""
        lines = [f"attempts = {attempts}", "backoff_s = 0.1"]
        for number, each in enumerate(receivers):
            lines += ["[[webhook]]", f'name = "hook{number}"', f'url = "{each.url}"', 'secret_env = "HOOK_SECRET"']
        self.channels.write_text("\n".join(lines))

    def start(self) -> ServiceProcess:
        folder = self.cluster.folder / "secrets"
        service = self.cluster.add("notify", notify=str(self.channels), notify_secrets=str(folder))
        service.start()
        return service

    def pass_by(self, name: str) -> None:
        rows = np.full((7, 36), 1 / 36, np.float32)
        plate = FusedPlate(PLATE, PLATE, "CZ", 0.9, rows, (), (), 2)
        confirmed = Statement(Answer.CONFIRMED, "other", "0" * 64, "AB12CDE")
        verdict = Verdict(VerdictKind.UNPAID, "no-paid-reading", 0, 0, witness=confirmed)
        now_ns = SystemClock().now_ns()
        self.store.save(Sighting(name, CameraId("gate"), f"t-{name}", now_ns - 5, now_ns, plate, verdict))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    # Nobody listens for Redis: this service does without.
    cluster = Cluster(tmp_path, f"redis://127.0.0.1:{reserved_port()}/0", f"sqlite:///{tmp_path / 'roadside.db'}")
    cluster.command("database", "migrate")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "HOOK_SECRET").write_text(SECRET + "\n")
    database = open_database(cluster.database_url)
    store = SqlSightingStore(database, Vault(tmp_path / "evidence", new_keyring("k1")), SystemClock())
    try:
        yield World(cluster, store)
    finally:
        cluster.stop()
        database.close()


def notices(service: ServiceProcess, outcome: str) -> float:
    return service.value("roadside_notify_notices_total", outcome=outcome)


def test_it_tells_of_what_is_new_counts_it_and_ends_well(world: World, receiver: Receiver) -> None:
    world.pass_by("before the first start")
    world.name(receiver)
    service = world.start()
    service.wait_ready()
    assert notices(service, "delivered") == 0
    world.pass_by("s1")
    wait_for(lambda: notices(service, "delivered") == 1, "the notice", LONGEST_WAIT_S)
    ((signature, body),) = receiver.got
    assert is_signed(SECRET, signature, body, SystemClock().now_ns() // 10**9)
    assert json.loads(body)["sighting_id"] == "s1"
    assert PLATE not in body
    assert service.probe("live") == 200
    assert service.stop() == 0
    lines = service.log_lines()
    assert [(e["channel"], e["sighting"], e["outcome"]) for e in lines if e["event"] == "notice"] == [
        ("hook0", "s1", "delivered")
    ]
    assert lines[-1]["event"] == "ended"
    assert PLATE not in service.log.read_text()

    world.pass_by("while it was away")
    service.start()
    wait_for(lambda: receiver.sightings() == ["s1", "while it was away"], "what happened meanwhile", LONGEST_WAIT_S)


def test_what_is_given_up_is_counted_listed_and_tried_again_on_request(world: World, receiver: Receiver) -> None:
    world.name(receiver)
    service = world.start()
    service.wait_ready()
    receiver.status = 503
    world.pass_by("s1")
    wait_for(lambda: service.value("roadside_notify_notices_given_up_count") == 1, "giving up", LONGEST_WAIT_S)
    assert (notices(service, "failed"), notices(service, "given_up"), notices(service, "delivered")) == (1, 1, 0)
    listed = world.cluster.command("notify", "--dead").stdout
    assert "hook0  s1  webhook hook0: HTTP 503" in listed
    receiver.status = 200
    arguments = ("--revive", "--once", "--notify", str(world.channels), "--notify-secrets")
    done = world.cluster.command("notify", *arguments, str(world.cluster.folder / "secrets"), check=False)
    assert "1 notices are tried again" in done.stdout
    wait_for(lambda: service.value("roadside_notify_notices_given_up_count") == 0, "the revived notice", LONGEST_WAIT_S)
    assert receiver.got


def test_a_wrong_file_is_told_and_mended_without_a_restart(world: World, receiver: Receiver) -> None:
    service = world.start()
    wait_for(lambda: service.missing() == ["channels"], "a service that waits for its channels", LONGEST_WAIT_S)
    wait_for(
        lambda: any(line["event"] == "channels" for line in service.log_lines()), "a word about it", LONGEST_WAIT_S
    )
    (told,) = [line for line in service.log_lines() if line["event"] == "channels"]
    assert (told["level"], told["going_on"]) == ("error", False)
    assert str(world.channels) in told["reason"]
    world.name(receiver)
    service.wait_ready()
    second = Receiver(url=receiver.url)
    world.name(receiver, second)
    wait_for(lambda: "hook1" in service.metrics(), "the second channel", LONGEST_WAIT_S)
    world.channels.write_text("[[webhook")
    wait_for(lambda: service.missing() == ["channels"], "the wrong file to be missed", LONGEST_WAIT_S)
    assert service.probe("live") == 200
    world.pass_by("s1")
    wait_for(lambda: receiver.sightings() == ["s1", "s1"], "both channels as they were", LONGEST_WAIT_S)


def test_without_channels_it_is_ready_and_idle(world: World) -> None:
    service = world.cluster.add("notify")
    service.start()
    service.wait_ready()
    world.pass_by("s1")
    assert any(line["event"].startswith("idle") for line in service.log_lines())
    assert service.value("roadside_notify_notices_waiting_count") == 0
    assert service.stop() == 0
