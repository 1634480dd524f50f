"""The loop around a stage, health, settings, logs and metrics of the services."""

from __future__ import annotations

import io
import json
import logging
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.documents import metrics_page
from roadside.assembly.services import SERVICES, service_named
from roadside.assembly.settings import (
    PROCESSES,
    CaptureSettings,
    OcrSettings,
    PlatesSettings,
    load_service_settings,
)
from roadside.capture.config import cameras_of
from roadside.commands.settings import groups
from roadside.core.frames import CameraId
from roadside.errors import BusUnavailableError, PoisonError, SettingsError, StoreUnavailableError
from roadside.kit.backoff import Backoff
from roadside.kit.health import STILL_AFTER_S, Health, HealthServer
from roadside.kit.http_server import MOST_CONNECTIONS
from roadside.kit.logs import JsonFormatter, fields
from roadside.kit.metrics import EVERY, Kind
from roadside.kit.prometheus import PrometheusMeter
from roadside.kit.rates import RatedMeter
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts, RunnerLimits, StageRunner
from roadside.ports.bus import CROPS, FRAMES, Backlog
from tests.notes import Note
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

GATE = CameraId("gate")
DOCS = Path(__file__).resolve().parents[2] / "docs"


class Moody:
    """A stage that does what the message says."""

    def __init__(self) -> None:
        self.away = 2
        self.seen: list[str] = []

    def handle(self, event: Note) -> Sequence[Note]:
        self.seen.append(event.identity)
        match event.body:
            case b"poison":
                raise PoisonError("no picture")
            case b"fault":
                raise ZeroDivisionError
            case b"away" if self.away:
                self.away -= 1
                raise StoreUnavailableError("the database: gone")
        return [Note(event.captured_at_ns, event.identity + ":1,2,3,4", b"crop")]


class Running:
    """A runner in a thread."""

    def __init__(self, bus: MemoryBus) -> None:
        self.stage = Moody()
        self.stopping = threading.Event()
        self.health = Health(("bus",), time.monotonic)
        self.registry = CollectorRegistry()
        meter = PrometheusMeter("detector", service_named("detector").metrics, self.registry)
        retry = RetryPolicy(
            "frames",
            meter=meter,
            health=self.health,
            backoff=Backoff(random.Random(1), first_s=0.01, longest_s=0.02),
            stopping=self.stopping,
            drain_s=1,
        )
        parts = LoopParts(bus, meter, SystemClock(), self.health, retry, self.stopping)
        runner = StageRunner(FRAMES, CROPS, self.stage, parts, RunnerLimits(block_s=0.05, most_failures=3))
        self.thread = threading.Thread(target=runner.run)
        self.thread.start()

    def outcome(self, name: str) -> float:
        value = self.registry.get_sample_value("roadside_detector_messages_total", {"outcome": name})
        assert value is not None
        return value

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join(PLENTY_S)
        assert not self.thread.is_alive()


def bus_of(*payloads: bytes) -> MemoryBus:
    bus: MemoryBus = MemoryBus(MemoryBroker(SystemClock(), idle_s=30, leadership_s=5), "detector")
    for sequence, payload in enumerate(payloads):
        bus.publish(FRAMES, Note(time.time_ns(), str(sequence), payload))
    return bus


def test_each_message_has_its_outcome() -> None:
    bus = bus_of(b"good", b"poison", b"fault", b"away", b"good")
    running = Running(bus)
    wait_for(lambda: bus.backlog(FRAMES) == Backlog(0, 0), "all to be handled")
    running.stop()
    assert bus.backlog(CROPS).waiting == 3
    letters = {letter.identity: letter.reason for letter in bus.dead_letters()}
    assert letters == {"1": "no picture", "2": "failed 3 times, with ZeroDivisionError"}
    assert running.stage.seen.count("2") == 3, "a fault is tried again before it is given up"
    assert running.stage.seen.count("3") == 3, "what waits for a database is tried until it is back"
    assert [running.outcome(name) for name in ("done", "dead", "failed", "duplicate")] == [3, 2, 2, 0]
    assert not running.health.missing()


def test_a_stop_gives_back_what_was_not_begun() -> None:
    bus = bus_of(*[b"good"] * 3)
    first = bus.receive(FRAMES, max_messages=3, block_s=0)
    bus.release([delivery.receipt for delivery in first])
    running = Running(bus)
    running.stop()
    left = bus.backlog(FRAMES)
    assert left.waiting + left.pending + bus.backlog(CROPS).waiting == 3


def test_retrying_ends_with_the_drain() -> None:
    stopping = threading.Event()
    health = Health(("bus",), time.monotonic)
    meter = PrometheusMeter("ocr", service_named("ocr").metrics, CollectorRegistry())
    backoff = Backoff(random.Random(1), first_s=0.01, longest_s=0.02)
    retry = RetryPolicy("crops", meter=meter, health=health, backoff=backoff, stopping=stopping, drain_s=0.1)
    calls = 0

    def away() -> bool:
        nonlocal calls
        calls += 1
        if calls == 4:
            stopping.set()
        raise BusUnavailableError("Redis does not answer")

    assert retry.call(away, otherwise=False) is False
    assert calls >= 4
    assert health.missing() == ["bus"]


def test_what_has_nothing_in_hand_ends_at_once() -> None:
    stopping = threading.Event()
    health = Health(("bus",), time.monotonic)
    meter = PrometheusMeter("ocr", service_named("ocr").metrics, CollectorRegistry())
    backoff = Backoff(random.Random(1), first_s=0.01, longest_s=0.02)
    retry = RetryPolicy("crops", meter=meter, health=health, backoff=backoff, stopping=stopping, drain_s=10 * PLENTY_S)
    calls = 0

    def away() -> list[str]:
        nonlocal calls
        calls += 1
        if calls == 4:
            stopping.set()
        raise BusUnavailableError("Redis does not answer")

    nothing: list[str] = []
    assert retry.call(away, otherwise=nothing, draining=False) is nothing
    assert calls == 4


def test_backoff_grows_to_its_end() -> None:
    backoff = Backoff(random.Random(1), first_s=1, longest_s=8)
    pauses = [backoff.next_s() for _ in range(6)]
    assert all(full / 2 <= pause <= full for pause, full in zip(pauses, (1, 2, 4, 8, 8, 8), strict=True))
    backoff.reset()
    assert backoff.next_s() <= 1


def status(port: int, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=PLENTY_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error) if error.code == 503 else {}


def test_live_and_ready_are_two_things() -> None:
    now_s = 100.0
    health = Health(("bus", "model"), lambda: now_s)
    server = HealthServer(health, "127.0.0.1", 0)
    try:
        assert status(server.port, "ready") == (503, {"ok": False, "missing": ["bus", "model"]})
        assert status(server.port, "live")[0] == 200
        health.set("bus", ready=True)
        health.set("model", ready=True)
        health.beat("frames")
        assert status(server.port, "ready") == (200, {"ok": True, "missing": []})
        now_s += STILL_AFTER_S + 1
        assert status(server.port, "live") == (503, {"ok": False, "still": ["frames"]})
        health.done("frames")
        assert status(server.port, "live")[0] == 200
        health.drain()
        assert status(server.port, "ready") == (503, {"ok": False, "missing": ["draining"]})
        assert status(server.port, "elsewhere")[0] == 404
    finally:
        server.close()


@pytest.mark.parametrize("what", ["health", "metrics"])
def test_idle_connections_take_no_threads_and_no_answers_from_probes(what: str) -> None:
    health, meter = Health((), time.monotonic), PrometheusMeter("detector", EVERY, CollectorRegistry())
    probes = HealthServer(health, "127.0.0.1", 0)
    metrics, _ = meter.serve("127.0.0.1", 0)
    port = probes.port if what == "health" else int(metrics.server_address[1])
    idle = []
    try:
        for number in range(500):
            connection = socket.create_connection(("127.0.0.1", port))
            idle.append(connection)
            if number % 2:
                connection.sendall(b"GET /live HTTP/1.1\r\nX: ")  # and no more
        before = threading.active_count()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{'live' if what == 'health' else 'metrics'}") as answer:
            assert answer.status == 200
            body = answer.read()
        assert b"ok" in body if what == "health" else b"build_info" in body
        assert before < MOST_CONNECTIONS + 100, "not a thread for each"
    finally:
        for connection in idle:
            connection.close()
        probes.close()
        metrics.shutdown()
        metrics.server_close()


def test_a_taken_port_is_said() -> None:
    health = Health((), time.monotonic)
    server = HealthServer(health, "127.0.0.1", 0)
    try:
        with pytest.raises(SettingsError, match="health_port"):
            HealthServer(health, "127.0.0.1", server.port)
    finally:
        server.close()


def test_a_log_line_is_one_json_object() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("detector"))
    logger = logging.getLogger("tests.one_line")
    logger.addHandler(handler)
    try:
        int("with\na line break")
    except ValueError:
        logger.exception("failed", extra=fields(camera="gate", id="7"))
    finally:
        logger.removeHandler(handler)
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert (said["service"], said["event"], said["camera"], said["id"]) == ("detector", "failed", "gate", "7")
    assert said["error"] == "ValueError"


def test_metrics_are_documented() -> None:
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == metrics_page(), "run make docs"


def test_metrics_are_named_as_they_should_be() -> None:
    units = ("total", "seconds", "bytes", "messages", "ratio", "count", "state", "info", "tracks", "per_second")
    for service in SERVICES:
        registry = CollectorRegistry()
        PrometheusMeter(service.name, service.metrics, registry)
        assert generate_latest(registry)
        for spec in service.metrics:
            assert spec.name.endswith(units), spec.name
            assert (spec.kind is Kind.COUNTER) == spec.name.endswith("_total")
            assert (spec.kind is Kind.HISTOGRAM) == bool(spec.buckets)
            assert "plate" not in spec.labels


def test_frames_a_second_by_camera() -> None:
    now_s = 0.0
    registry = CollectorRegistry()
    meter = RatedMeter(PrometheusMeter("capture", service_named("capture").metrics, registry), lambda: now_s)
    for _ in range(20):
        meter.count("frames_total", 5, camera="gate")
        meter.tick()
        now_s += 1
    assert registry.get_sample_value("roadside_capture_frames_per_second", {"camera": "gate"}) == pytest.approx(5)


def test_settings_are_checked(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("a-token-of-some-length\n")
    good = load_service_settings(PlatesSettings, {"token_file": str(secret), "grpc_port": "6000"}, {})
    assert good.bearer_token() == "a-token-of-some-length"
    assert (good.grpc_port, good.consumer_name("plates")[:7]) == (6000, "plates-")
    faults: list[tuple[str, dict[str, str], str]] = [
        ("plates", {"grpc_port": "70000"}, "grpc_port"),
        ("plates", {"token": "short"}, "token"),
        ("ocr", {"redis_url": "http://x"}, "redis_url"),
        ("ocr", {"tls_certificate": "/nowhere"}, "belong together"),
        ("ocr", {"tls_certificate": "/nowhere", "tls_key": "/nowhere"}, "cannot be read"),
        ("capture", {"cameras": "gate"}, "name=source"),
    ]
    for service, flags, said in faults:
        with pytest.raises(SettingsError, match=said):
            load_service_settings(service_named(service).settings, flags, {})


def test_an_unknown_variable_is_an_error() -> None:
    known = {"ROADSIDE_MODELDIR": "x", "ROADSIDE_DATA": "y", "OTHER": "z"}
    load_service_settings(OcrSettings, {}, known)
    with pytest.raises(SettingsError, match="ROADSIDE_REDIS_ULR"):
        load_service_settings(OcrSettings, {}, {"ROADSIDE_REDIS_ULR": "redis://x"})


def test_one_setting_has_one_default_and_one_meaning() -> None:
    """Whatever process has it."""
    seen: dict[str, tuple[object, str | None]] = {}
    for model in PROCESSES:
        for name, field in model.model_fields.items():
            default = field.get_default(call_default_factory=True, validated_data={})
            assert seen.setdefault(name, (default, field.description)) == (default, field.description), name


def test_every_setting_is_explained_and_listed() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "roadside.cli", "settings"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    ).stdout
    for _, settings in groups():
        for name, field in settings.items():
            assert field.description, name
            assert f"ROADSIDE_{name.upper()} " in listed


def test_cameras_are_named() -> None:
    assert cameras_of(" gate=rtsp://u:p@h/1?a=b ; yard = /dev/video0;") == (
        ("gate", "rtsp://u:p@h/1?a=b"),
        ("yard", "/dev/video0"),
    )
    with pytest.raises(ValueError, match="same name"):
        cameras_of("a=1; a=2")
    assert load_service_settings(CaptureSettings, {"cameras": "a=1"}, {}).cameras == "a=1"
