"""The way from a known plate to a relay behind a real mosquitto, over TLS and with a password."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from roadside.adapters.sql import open_embedded
from roadside.adapters.sql.known import SqlKnownPlates
from roadside.assembly.gates import Gates
from roadside.assembly.known import KnownBook
from roadside.assembly.site import parse_site
from roadside.core.confusions import typical
from roadside.core.known import Action, KnownPolicy
from roadside.errors import SettingsError
from tests.brokers import Broker
from tests.certificates import Authority
from tests.unit.test_known import GATE, of, track
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse battery staple"  # noqa: S105 - of this test alone
TOPIC = "drive/barrier/set"
SITE = """\
[camera.gate]
source = "rtsp://127.0.0.1/stream"
opens = ["barrier"]

[relay.barrier]
kind = "mqtt"
host = "127.0.0.1"
port = {port}
tls = true
tls_ca = "{ca}"
username = "{user}"
password_env = "BARRIER_PASSWORD"
topic = "{topic}"
payload = "OPEN"
timeout_s = 10
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca").create()


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    """One that lets nobody in without TLS and a password."""
    server, passwords = authority.sign("broker"), tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "roadside", PASSWORD], check=True)
    made = Broker(
        tmp_path,
        f"cafile {authority.certificate}\ncertfile {server.certificate}\nkeyfile {server.key}\n"
        f"allow_anonymous false\npassword_file {passwords}",
    )
    made.start()
    yield made
    made.kill()


class Barrier:
    """What stands behind the broker: everything that it is told."""

    def __init__(self, broker: Broker, authority: Authority) -> None:
        self.told: list[tuple[str, str, int, bool]] = []
        subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("roadside", PASSWORD)
        self._client.tls_set(str(authority.certificate))
        self._client.on_message = lambda _client, _data, one: self.told.append(
            (one.topic, one.payload.decode(), one.qos, one.retain)
        )
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._client.subscribe("#", 1)
        assert subscribed.wait(PLENTY_S)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def drive_past(folder: Path, text: str, user: str = "roadside", ca: Path | None = None, port: int = 0) -> list[str]:
    """What the gates say while the vehicle of the list, and a stranger, stand before the camera."""
    said: list[str] = []
    plates = SqlKnownPlates(open_embedded(folder / f"{user}.db"))
    plates.put_list("residents", Action.OPEN)
    plates.put("residents", [of(text)])
    site = parse_site(SITE.format(port=port, ca=ca, user=user, topic=TOPIC), folder / "site.toml")
    try:
        with Gates(site, KnownBook(plates, typical(), KnownPolicy()), said.append, tell=lambda _: None) as gates:
            gates.keeper.look(GATE, [track(100, 200)], ["barrier"])
    finally:
        plates.database.close()
    return said


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed <ssl:ResourceWarning")
def test_a_known_plate_opens_a_barrier_over_a_broker_and_a_stranger_does_not(
    tmp_path: Path, broker: Broker, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARRIER_PASSWORD", PASSWORD)
    barrier = Barrier(broker, authority)
    try:
        assert drive_past(tmp_path, "3AB 9999", "stranger", authority.certificate, broker.port) == []
        assert drive_past(tmp_path, "3AB 1234", "roadside", authority.certificate, broker.port) == []
        wait_for(lambda: bool(barrier.told), "the barrier")
        monkeypatch.setenv("BARRIER_PASSWORD", "wrong")
        (refused,) = drive_past(tmp_path, "3AB 1234", "nobody", authority.certificate, broker.port)
        other = Authority(tmp_path, "other").create().certificate
        (stranger,) = drive_past(tmp_path, "3AB 1234", "roadside", other, broker.port)
    finally:
        barrier.leave()
    assert barrier.told == [(TOPIC, "OPEN", 1, False)], "once, and not kept for whoever comes later"
    assert refused.endswith("relay barrier: the broker refused: Not authorized; check username and password_env")
    assert stranger.startswith("a gate was not opened: relay barrier: the broker's certificate is not trusted (")


def test_certificates_that_are_not_there_are_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARRIER_PASSWORD", PASSWORD)
    with pytest.raises(SettingsError, match=r"relay barrier: tls_ca .*none\.crt is not there"):
        drive_past(tmp_path, "3AB 1234", ca=tmp_path / "none.crt", port=1883)
