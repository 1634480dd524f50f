"""Notices to a real HTTP receiver and a real mosquitto: signed, tried again, given up, and without a plate."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import subprocess
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from roadside.adapters.encryption import new_keyring
from roadside.adapters.notify.mqtt import MqttChannel
from roadside.adapters.notify.webhook import SIGNATURE_HEADER, Webhook, is_signed, sign
from roadside.adapters.sql import SqlSightingStore, Vault, open_embedded
from roadside.adapters.sql.outbox import SqlOutbox
from roadside.core.frames import CameraId
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Answer, Sighting, Statement, Verdict, VerdictKind
from roadside.errors import SettingsError, UnavailableError
from roadside.notify.dispatcher import Dispatcher
from roadside.notify.options import MqttOptions, NotifyOptions, WebhookOptions, load_notify_options
from roadside.notify.policy import compose
from tests.clocks import HandClock
from tests.ports import reserved_port
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "correct horse battery staple"  # noqa: S105 - of this test alone
NOW_NS = 1_800_000_000 * 10**9


@dataclass
class Receiver:
    statuses: list[int] = field(default_factory=lambda: [204])
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.got.append((dict(self.headers), body))
            self.send_response(made.statuses.pop(0) if len(made.statuses) > 1 else made.statuses[0])
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
class Broker:
    """A mosquitto that can be killed and started again; it forgets everything in between."""

    folder: Path
    options: str = "allow_anonymous true"
    port: int = field(default_factory=reserved_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        assert found is not None, "mosquitto is missing: see packages.txt"
        settings = self.folder / "mosquitto.conf"
        settings.write_text(f"listener {self.port} 127.0.0.1\n{self.options}\npersistence false\nuser root\n")
        self.process = subprocess.Popen(
            [found, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.answers, "mosquitto")

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(PLENTY_S)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    yield made
    made.kill()


@dataclass
class Listener:
    """Everything that a broker has to tell, topic by topic."""

    got: dict[str, str] = field(default_factory=dict)
    client: paho.Client = field(default_factory=lambda: paho.Client(CallbackAPIVersion.VERSION2))

    def listen(self, broker: Broker, topics: str = "#") -> None:
        subscribed = threading.Event()
        self.client.on_message = lambda _client, _data, message: self.got.update(
            {message.topic: message.payload.decode()}
        )
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.client.subscribe(topics, 1)
        assert subscribed.wait(PLENTY_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def confirmed(kind: VerdictKind) -> Verdict:
    return Verdict(kind, "no-paid-reading", 0, 0, witness=Statement(Answer.CONFIRMED, "other", "0" * 64, "AB12CDE"))


def sighting(name: str = "s1", kind: VerdictKind = VerdictKind.UNPAID) -> Sighting:
    rows = np.full((7, 36), 1 / 36, np.float32)
    plate = FusedPlate("1AB2345", "1AB2345", "CZ", 0.9, rows, (), (), 2)
    return Sighting(name, CameraId("gate 1"), "t", NOW_NS - 9, NOW_NS, plate, confirmed(kind))


def hook(receiver: Receiver, **options: object) -> WebhookOptions:
    return WebhookOptions.model_validate({"name": "hook", "url": receiver.url, "secret_env": "HOOK_SECRET", **options})


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


def test_a_notice_is_signed_and_holds_no_plate_unless_asked_for(receiver: Receiver) -> None:
    for with_plate in (False, True):
        options = NotifyOptions(webhook=(hook(receiver, with_plate=with_plate),))
        (draft,) = compose(sighting(), options)
        assert draft.channel == "hook"
        Webhook(options.webhook[0], HandClock(NOW_NS)).send(draft.body)
        headers, got = receiver.got[-1]
        assert got == draft.body
        assert is_signed(SECRET, headers[SIGNATURE_HEADER], got, NOW_NS // 10**9 + 10)
        assert ("1AB2345" in got) == with_plate
        assert json.loads(got)["verdict"] == "UNPAID"
        assert headers["Idempotency-Key"] == "s1-UNPAID"


def test_a_changed_an_old_or_an_unsigned_notice_is_told_apart() -> None:
    header = sign(SECRET, 1000, "{}")
    assert is_signed(SECRET, header, "{}", 1000)
    for key, signature, body, now in (
        ("other", header, "{}", 1000),
        (SECRET, header, "{ }", 1000),
        (SECRET, header, "{}", 2000),
        (SECRET, header.replace("t=1000", "t=1001"), "{}", 1000),
        (SECRET, "", "{}", 1000),
        (SECRET, "t=x,v1=y", "{}", 1000),
    ):
        assert not is_signed(key, signature, body, now)


def test_only_the_chosen_verdicts_are_told() -> None:
    options = NotifyOptions.model_validate(
        {"mqtt": [{"name": "home", "host": "x", "verdicts": ["PAID"]}, {"name": "all", "host": "x"}]}
    )
    told = {kind: [draft.channel for draft in compose(sighting("s", kind), options)] for kind in VerdictKind}
    assert told == {"PAID": ["home"], "EXEMPT": [], "UNPAID": ["all"], "REVIEW": ["all"], "UNKNOWN": []}


def test_a_failed_notice_is_tried_again_later_and_given_up_in_the_end(receiver: Receiver, tmp_path: Path) -> None:
    clock = HandClock(NOW_NS)
    database = open_embedded(tmp_path / "r.db")
    store = SqlSightingStore(database, Vault(tmp_path / "e", new_keyring("k")), clock)
    outbox = SqlOutbox(database)
    options = NotifyOptions(webhook=(hook(receiver),), attempts=3, backoff_s=10.0)
    dispatcher = Dispatcher(outbox, {"hook": Webhook(options.webhook[0], clock)}, options, clock, random.Random(1))
    store.save(sighting("s1"))
    outbox.collect(lambda seen: compose(seen, options), clock.ns)
    receiver.statuses = [500, 204]
    assert dispatcher.deliver().failed == 1
    assert dispatcher.deliver().failed == 0
    clock.advance(10)
    assert dispatcher.deliver().delivered == 1

    store.save(replace(sighting("s2"), sighting_id="s2"))
    outbox.collect(lambda seen: compose(seen, options), clock.ns)
    receiver.statuses = [503]
    for _ in range(3):
        dispatcher.deliver()
        clock.advance(3600)
    assert [(n.sighting_id, n.fault) for n in outbox.dead()] == [("s2", "webhook hook: HTTP 503")]
    receiver.statuses = [200]
    assert outbox.revive(clock.ns) == 1
    assert dispatcher.deliver().delivered == 1
    assert len({headers["Idempotency-Key"] for headers, body in receiver.got if "s2" in body}) == 1
    database.close()


def test_nothing_listens_is_unavailable() -> None:
    options = WebhookOptions(name="hook", url="http://127.0.0.1:1/", secret_env="HOOK_SECRET")  # noqa: S106
    with pytest.raises(UnavailableError):
        Webhook(options, HandClock(NOW_NS)).send('{"sighting_id": "s", "verdict": "UNPAID"}')
    with pytest.raises(UnavailableError):
        MqttChannel(MqttOptions(name="m", host="127.0.0.1", port=1)).send(compose_one())


def compose_one() -> str:
    options = NotifyOptions.model_validate({"mqtt": [{"name": "m", "host": "x"}]})
    return compose(sighting(), options)[0].body


ANNOUNCEMENT = "homeassistant/sensor/roadside_gate_1/verdict/config"


def test_mqtt_brings_notices_and_home_assistant_finds_the_camera(broker: Broker) -> None:
    listener, late = Listener(), Listener()
    listener.listen(broker)
    channel = MqttChannel(MqttOptions(name="m", host="127.0.0.1", port=broker.port, home_assistant=True))
    body = compose_one()
    channel.send(body)
    wait_for(lambda: len(listener.got) >= 3, "three messages")
    channel.close()
    assert listener.got["roadside/gate_1/unpaid"] == listener.got["roadside/gate_1/state"] == body
    config = json.loads(listener.got[ANNOUNCEMENT])
    assert config["state_topic"] == "roadside/gate_1/state"
    assert config["unique_id"] == "roadside_gate_1_verdict"
    late.listen(broker, "homeassistant/#")
    wait_for(lambda: list(late.got) == [ANNOUNCEMENT], "the retained announcement")
    listener.leave()
    late.leave()


def test_a_broker_that_was_killed_gets_the_notice_and_the_announcement_later(broker: Broker, tmp_path: Path) -> None:
    clock = HandClock(NOW_NS)
    database = open_embedded(tmp_path / "r.db")
    store = SqlSightingStore(database, Vault(tmp_path / "e", new_keyring("k")), clock)
    outbox = SqlOutbox(database)
    mqtt = {"name": "m", "host": "127.0.0.1", "port": broker.port, "home_assistant": True, "timeout_s": 2.0}
    options = NotifyOptions.model_validate({"mqtt": [mqtt], "attempts": 5, "backoff_s": 1.0})
    channel = MqttChannel(options.mqtt[0])
    dispatcher = Dispatcher(outbox, {"m": channel}, options, clock, random.Random(1))

    def pass_by(name: str) -> None:
        store.save(replace(sighting(), sighting_id=name))
        outbox.collect(lambda seen: compose(seen, options), clock.ns)

    pass_by("before")
    assert dispatcher.deliver().delivered == 1
    broker.kill()
    pass_by("meanwhile")
    assert dispatcher.deliver().failed == 1
    broker.start()
    listener = Listener()
    listener.listen(broker)
    clock.advance(60)
    assert dispatcher.deliver().delivered == 1
    wait_for(lambda: len(listener.got) >= 3, "three messages")
    assert json.loads(listener.got["roadside/gate_1/unpaid"])["sighting_id"] == "meanwhile"
    assert ANNOUNCEMENT in listener.got, "the new broker knows nothing of the camera"
    assert outbox.due(clock.ns) == []
    channel.close()
    listener.leave()
    database.close()


def test_a_broker_with_a_password_lets_in_who_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "roadside", SECRET], check=True)
    broker = Broker(tmp_path, f"allow_anonymous false\npassword_file {passwords}")
    broker.start()
    options = MqttOptions(
        name="m",
        host="127.0.0.1",
        port=broker.port,
        username="roadside",
        password_env="HOOK_SECRET",  # noqa: S106 - the variable's name
        timeout_s=2.0,
    )
    try:
        channel = MqttChannel(options)
        channel.send(compose_one())
        channel.close()
        monkeypatch.setenv("HOOK_SECRET", "wrong")
        with pytest.raises(UnavailableError):
            MqttChannel(options).send(compose_one())
    finally:
        broker.kill()


def test_a_receiver_that_drips_its_answer_holds_nobody_up() -> None:
    released = threading.Event()

    def drip() -> None:
        conversation, _ = server.accept()
        with conversation, contextlib.suppress(OSError):
            conversation.sendall(b"HTTP/1.1 200 OK\r\n")
            while not released.wait(0.1):
                conversation.sendall(b"X-More: and another\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip)
        dripping.start()
        options = WebhookOptions.model_validate(
            {"name": "h", "url": f"http://127.0.0.1:{server.getsockname()[1]}/", "secret_env": "HOOK_SECRET"}
        )
        try:
            # Its status comes at once, the end of its answer never.
            Webhook(options.model_copy(update={"timeout_s": 2.0}), HandClock(NOW_NS)).send(compose_one())
        finally:
            released.set()
            dripping.join()


def test_a_receiver_that_answers_before_it_has_read_all_is_understood() -> None:
    """And hangs up, as it may: what we were still sending has nowhere to go, its answer is there nevertheless."""

    def refuse(status: bytes) -> None:
        conversation, _ = server.accept()
        with conversation:
            conversation.recv(100)
            conversation.sendall(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n\r\n")

    body = json.dumps({"sighting_id": "s", "verdict": "UNPAID", "filling": "x" * 20_000_000})
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        webhook = Webhook(WebhookOptions(name="h", url=url, secret_env="HOOK_SECRET", timeout_s=60), HandClock(NOW_NS))  # noqa: S106
        for status, said in ((b"413 Content Too Large", "HTTP 413"), (b"204 No Content", "")):
            answering = threading.Thread(target=refuse, args=(status,))
            answering.start()
            with pytest.raises(UnavailableError, match=said) if said else contextlib.nullcontext():
                webhook.send(body)
            answering.join()


@pytest.mark.parametrize(
    "text",
    [
        "webhook = 3",
        '[[webhook]]\nname = "a"\nurl = "ftp://x"\nsecret_env = "A"',
        '[[mqtt]]\nname = "a"\nhost = "x"\n[[mqtt]]\nname = "a"\nhost = "y"',
        '[[mqtt]]\nname = "a"\nhost = "x"\nverdicts = ["MAYBE"]',
        "[[mqtt",
    ],
)
def test_wrong_channels_are_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notify.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_notify_options(path)
    assert "\n" not in str(caught.value)


def test_a_missing_secret_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(SettingsError, match="HOOK_SECRET"):
        Webhook(hook(receiver), HandClock(NOW_NS))
