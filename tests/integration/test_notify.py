"""Notices to a real HTTP receiver and a real mosquitto: signed, tried again, given up, and without a plate."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest
import standardwebhooks

from roadside.adapters.encryption import new_keyring
from roadside.adapters.notify.mqtt import MqttChannel
from roadside.adapters.notify.opening import open_channels
from roadside.adapters.notify.push import Push
from roadside.adapters.notify.webhook import SIGNATURE_HEADER, Webhook, is_signed, sign
from roadside.adapters.sql import SqlSightingStore, Vault, open_embedded
from roadside.adapters.sql.outbox import SqlOutbox
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Answer, PictureKind, Sighting, Statement, Verdict, VerdictKind
from roadside.errors import SettingsError, UnavailableError
from roadside.notify.dispatcher import Dispatcher
from roadside.notify.options import MqttOptions, NotifyOptions, WebhookOptions, load_notify_options
from roadside.notify.policy import compose
from tests.brokers import Broker, Listener
from tests.clocks import HandClock
from tests.waiting import wait_for

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


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    yield made
    made.kill()


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


@pytest.mark.parametrize("secret", [SECRET, "whsec_" + b64encode(b"32 bytes that only two may know..").decode()])
def test_standard_webhooks_own_library_knows_the_signature(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("HOOK_SECRET", secret)
    clock = SystemClock()  # the library looks at its own
    options = NotifyOptions(webhook=(hook(receiver, pictures=["crop", "frame"]),))
    kept = {PictureKind.CROP: b"\x89PNG"}
    webhook = Webhook(options.webhook[0], clock, picture_of=lambda _, kind: kept.get(kind))
    webhook.send(compose(sighting(), options)[0].body)
    ((headers, body),) = receiver.got
    verifying = standardwebhooks.Webhook(secret if secret.startswith("whsec_") else secret.encode())
    told = verifying.verify(body, {name.lower(): value for name, value in headers.items()})
    assert told["pictures"] == {"crop": {"media_type": "image/png", "base64": b64encode(b"\x89PNG").decode()}}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verifying.verify(body + " ", {name.lower(): value for name, value in headers.items()})


def test_a_secret_that_only_looks_like_a_standard_one_is_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "whsec_no base64!")
    with pytest.raises(SettingsError, match="HOOK_SECRET: after whsec_ a secret is base64"):
        Webhook(hook(receiver), HandClock(NOW_NS))


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # one of Apprise's plugins
def test_a_push_goes_through_apprise_with_its_picture(receiver: Receiver) -> None:
    address = receiver.url.replace("http", "json", 1)
    options = NotifyOptions.model_validate(
        {"push": [{"name": "me", "url_env": "PUSH", "with_plate": True, "pictures": ["crop"]}]}
    )
    channel = Push(options.push[0], lambda _: address, picture_of=lambda _name, _kind: b"\x89PNG")
    body = compose(sighting(), options)[0].body
    receiver.statuses = [204, 503]
    channel.send(body)
    told = json.loads(receiver.got[0][1])
    assert told["title"] == "UNPAID at gate 1"
    assert told["message"].startswith("1AB2345 (CZ), 2027-01-1")
    assert told["message"].endswith(": a vignette was not paid")
    assert [(a["filename"], b64decode(a["base64"])) for a in told["attachments"]] == [("crop.png", b"\x89PNG")]
    with pytest.raises(UnavailableError, match="push me: the service did not take it"):
        channel.send(body)
    with pytest.raises(SettingsError, match="PUSH holds no address that Apprise understands"):
        Push(options.push[0], lambda _: "nonsense")


def test_a_process_without_keys_sends_no_pictures_and_says_so(receiver: Receiver) -> None:
    options = NotifyOptions(webhook=(hook(receiver, pictures=["crop"]),))
    with pytest.raises(SettingsError, match="channel hook: this process has no keys to open pictures"):
        open_channels(options, HandClock(NOW_NS))


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
    assert told == {
        "PAID": ["home"],
        "EXEMPT": [],
        "UNPAID": ["all"],
        "REVIEW": ["all"],
        "UNKNOWN": [],
        "NONE": ["all"],
    }


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
    channel.close()
    wait_for(lambda: listener.got.get("roadside/status") == "offline", "the end")
    assert listener.got["roadside/gate_1/unpaid"] == listener.got["roadside/gate_1/state"] == body
    config = json.loads(listener.got[ANNOUNCEMENT])
    assert config["state_topic"] == "roadside/gate_1/state"
    assert config["unique_id"] == "roadside_gate_1_verdict"
    late.listen(broker, "homeassistant/#")
    wait_for(lambda: ANNOUNCEMENT in late.got, "the retained announcement")
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
    wait_for(lambda: "roadside/gate_1/event" in listener.got, "the last message")
    assert json.loads(listener.got["roadside/gate_1/unpaid"])["sighting_id"] == "meanwhile"
    assert ANNOUNCEMENT in listener.got, "the new broker knows nothing of the camera"
    assert outbox.due(clock.ns) == []
    channel.close()
    listener.leave()
    database.close()


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
