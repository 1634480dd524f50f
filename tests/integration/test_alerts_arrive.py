"""An alert arrives: a real Prometheus with our rules, a real Alertmanager as `k3s/make-secrets` configures it, and
whoever is to be told, by webhook and by e-mail.
"""

from __future__ import annotations

import json
import re
import shutil
import socketserver
import subprocess
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from tests.ports import reserved_port
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

K3S = Path(__file__).parents[2] / "k3s"


class People:
    """A webhook and a mail server that keep what they are given."""

    def __init__(self) -> None:
        self.notices: list[dict[str, str]] = []
        self.mails: list[str] = []
        people = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                people.notices += [
                    {"status": alert["status"], **alert["labels"], **alert["annotations"]} for alert in body["alerts"]
                ]
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
                """Not worth a line."""

        class Mail(socketserver.StreamRequestHandler):
            """As much of SMTP as a sender of mails speaks."""

            def handle(self) -> None:
                self.wfile.write(b"220 test ESMTP\r\n")
                while line := self.rfile.readline():
                    match line[:4].upper():
                        case b"DATA":
                            self.wfile.write(b"354 go on\r\n")
                            text = b""
                            while (part := self.rfile.readline()) not in (b".\r\n", b""):
                                text += part
                            people.mails.append(text.decode(errors="replace"))
                            self.wfile.write(b"250 kept\r\n")
                        case b"QUIT":
                            self.wfile.write(b"221 bye\r\n")
                            return
                        case _:
                            self.wfile.write(b"250 test\r\n")

        self.hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)
        for server in (self.hook, self.mail):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def told(self, alert: str, status: str = "firing") -> list[dict[str, str]]:
        return [notice for notice in self.notices if (notice["alertname"], notice["status"]) == (alert, status)]

    def close(self) -> None:
        for server in (self.hook, self.mail):
            server.shutdown()
            server.server_close()


class Exporter:
    """What capture and plates tell Prometheus, as far as a test wants it told."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.up = Gauge("roadside_capture_camera_up_state", "", ["camera"], registry=self.registry)
        self.used = Gauge("roadside_plates_redis_used_bytes", "", registry=self.registry)
        self.limit = Gauge("roadside_plates_redis_limit_bytes", "", registry=self.registry)
        self.missing = Gauge("roadside_plates_missing_state", "", ["part"], registry=self.registry)
        self.held = Gauge("roadside_registry_horizon_still_seconds", "", ["camera"], registry=self.registry)
        self.frames = Gauge("roadside_capture_missing_state", "", ["part"], registry=self.registry)
        self.age = Gauge("roadside_registry_list_age_seconds", "", registry=self.registry)
        self.longest = Gauge("roadside_registry_list_longest_seconds", "", registry=self.registry)
        self.held.labels(camera="road").set(0)
        self.frames.labels(part="frames").set(0)
        self.age.set(10)
        self.longest.set(100)
        self.up.labels(camera="gate").set(1)
        self.up.labels(camera="road").set(1)
        self.used.set(50)
        self.limit.set(100)
        self.missing.labels(part="work").set(0)


@contextmanager
def running(folder: Path, program: str, *arguments: str, port: int) -> Iterator[None]:
    found = shutil.which(program)
    assert found, f"{program} is missing: see packages.txt"
    with (folder / f"{program}.log").open("wb") as log:
        process = subprocess.Popen([found, *arguments], stdout=log, stderr=subprocess.STDOUT, cwd=folder)

        def is_ready() -> bool:
            assert process.poll() is None, (folder / f"{program}.log").read_text()[-2000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                return False

        try:
            wait_for(is_ready, program)
            yield
        finally:
            process.terminate()
            process.wait(PLENTY_S)


def alertmanager_config(folder: Path, people: People) -> Path:
    """As an operator makes it, but told at once."""
    options = (
        *("--alert-webhook", f"http://127.0.0.1:{people.hook.server_address[1]}/"),
        *("--alert-email", "operator@example.org"),
        *("--alert-smtp", f"smtp://127.0.0.1:{people.mail.server_address[1]}?tls=no"),
    )
    command = [
        "bash",
        str(K3S / "make-secrets"),
        "--only",
        "alertmanager",
        *options,
        "--files",
        str(folder / "secrets"),
    ]
    subprocess.run(command, check=True)
    path = folder / "secrets" / "alertmanager" / "alertmanager.yml"
    text = path.read_text()
    path.write_text(re.sub(r"group_(wait|interval): \w+", r"group_\1: 1s", text))
    return path


def prometheus_config(folder: Path, scraped: int, alertmanager: int) -> Path:
    """Our rules as they are, but every second, and without their patience."""
    rules = (K3S / "prometheus" / "rules.yml").read_text()
    (folder / "rules.yml").write_text(re.sub(r"\bfor: \w+", "for: 1s", rules))
    path = folder / "prometheus.yml"
    path.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}\n"
        f"scrape_configs: [{{job_name: plates, static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]}}]\n"
    )
    return path


def test_an_alert_arrives_where_people_look(tmp_path: Path) -> None:
    exporter, people = Exporter(), People()
    ports = {name: reserved_port() for name in ("prometheus", "alertmanager", "metrics")}
    with ExitStack() as stack:
        stack.callback(people.close)
        server, _ = start_http_server(ports["metrics"], "127.0.0.1", registry=exporter.registry)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        config = alertmanager_config(tmp_path, people)
        address = f"127.0.0.1:{ports['alertmanager']}"
        arguments = (
            *(f"--config.file={config}", f"--storage.path={tmp_path / 'alerts'}"),
            *(f"--web.listen-address={address}", "--cluster.listen-address="),
        )
        stack.enter_context(running(tmp_path, "prometheus-alertmanager", *arguments, port=ports["alertmanager"]))
        arguments = (
            f"--config.file={prometheus_config(tmp_path, ports['metrics'], ports['alertmanager'])}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
        )
        stack.enter_context(running(tmp_path, "prometheus", *arguments, port=ports["prometheus"]))

        # Nothing else of the cluster is there: that services are down is told, so the way is open.
        wait_for(lambda: len({n["job"] for n in people.told("ServiceDown")}) == 6, "word of what is down")
        assert not people.told("CameraSilent")
        assert not people.told("RedisFilling")

        exporter.up.remove("gate")
        exporter.used.set(75)
        exporter.missing.labels(part="work").set(1)
        exporter.held.labels(camera="road").set(75)
        exporter.frames.labels(part="frames").set(1)
        exporter.age.set(90)
        wait_for(lambda: bool(people.told("CameraSilent")), "word of the camera that vanished")
        wait_for(lambda: bool(people.told("RedisFilling")), "word of a Redis that fills")
        wait_for(lambda: bool(people.told("PlatesCannotStore")), "word of what cannot be stored")
        wait_for(lambda: bool(people.told("ReadsHeld")), "word of reads that are held")
        wait_for(lambda: bool(people.told("CaptureWithoutFrames")), "word of a capture without frames")
        wait_for(lambda: bool(people.told("RegistryOld")), "word of an old list")
        assert {notice["camera"] for notice in people.told("ReadsHeld")} == {"road"}
        assert {notice["summary"] for notice in people.told("CameraSilent")} == {"Camera gate sends nothing"}
        assert "75%" in people.told("RedisFilling")[0]["summary"]
        wait_for(lambda: any("CameraSilent" in mail and "gate" in mail for mail in people.mails), "the e-mail")
        mail = next(mail for mail in people.mails if "CameraSilent" in mail)
        assert "To: operator@example.org" in mail

        exporter.up.labels(camera="gate").set(1)
        wait_for(lambda: bool(people.told("CameraSilent", "resolved")), "word that the camera is back")
