"""A real mosquitto, with TLS and passwords: what Home Assistant finds there, and what it is told of whom."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.adapters.notify.home_assistant import announcements, topic_level
from roadside.adapters.notify.mqtt import MqttChannel
from roadside.core.frames import CameraId
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Answer, PictureKind, Sighting, Statement, Verdict, VerdictKind
from roadside.errors import UnavailableError
from roadside.notify.options import MqttOptions, NotifyOptions
from roadside.notify.policy import compose
from tests.brokers import Broker, Listener
from tests.certificates import Authority
from tests.clocks import HandClock
from tests.ports import reserved_port
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conftest import Program

PLATE = "1AB2345"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of this test alone
NOW_NS = 1_800_000_000 * 10**9
ENTITIES = {
    "sensor": {"name", "state_topic", "value_template", "json_attributes_topic", "icon", "device_class"},
    "event": {"name", "state_topic", "event_types"},
    "image": {"name", "image_topic", "content_type"},
    "binary_sensor": {
        *("name", "state_topic", "device_class", "entity_category", "icon", "value_template", "off_delay"),
        "json_attributes_topic",
    },
}
"""The keys that Home Assistant's documents name for each kind, of those that are used."""
COMMON = {"unique_id", "availability_topic", "device", "origin"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    made = Listener()
    made.listen(broker)
    yield made
    made.leave()


def options(port: int = 1883, **others: object) -> MqttOptions:
    told = {"name": "home", "host": "127.0.0.1", "port": port, "home_assistant": True, "timeout_s": 5.0, **others}
    return MqttOptions.model_validate(told)


def sighting(name: str = "s1", kind: VerdictKind = VerdictKind.UNPAID, seconds: int = 0) -> Sighting:
    rows = np.full((7, 36), 1 / 36, np.float32)
    plate = FusedPlate(PLATE, PLATE, "CZ", 0.9, rows, (), (), 2)
    said = Statement(Answer.CONFIRMED, "other", "0" * 64, PLATE)
    verdict = Verdict(kind, "no-paid-reading", 0, 0, witness=said)
    at_ns = NOW_NS + seconds * 10**9
    return Sighting(name, CameraId("gate 1"), "t", at_ns - 9, at_ns, plate, verdict)


def body(seen: Sighting, chosen: MqttOptions) -> str:
    (draft,) = compose(seen, NotifyOptions(mqtt=(chosen,)))
    return draft.body


def decided(seen: Sighting, kind: VerdictKind) -> Sighting:
    """As a person has decided."""
    return replace(seen, verdict=replace(seen.verdict, kind=kind, rule="read-by-person"))


def configurations(chosen: MqttOptions, *, watched: bool = True) -> Mapping[str, dict[str, object]]:
    return {topic: json.loads(payload) for topic, payload in announcements(chosen, "gate 1", watched=watched)}


EVERYTHING = {"with_plate": True, "pictures": ["crop", "frame"], "verdicts": [kind.value for kind in VerdictKind]}


def test_a_camera_is_a_device_with_its_entities() -> None:
    found = configurations(options(**EVERYTHING))
    assert [topic.removeprefix("homeassistant/").removesuffix("/config") for topic in found] == [
        "sensor/roadside_gate_1/verdict",
        "sensor/roadside_gate_1/plate",
        "sensor/roadside_gate_1/seen",
        "event/roadside_gate_1/passage",
        "image/roadside_gate_1/crop",
        "image/roadside_gate_1/frame",
        "binary_sensor/roadside_gate_1/known",
        "binary_sensor/roadside_gate_1/online",
    ]
    for topic, payload in found.items():
        assert payload.keys() - COMMON <= ENTITIES[topic.split("/")[1]]
        assert payload.keys() >= COMMON
        assert payload["availability_topic"] == "roadside/status"
    assert len({payload["unique_id"] for payload in found.values()}) == len(found)
    assert len({json.dumps(payload["device"]) for payload in found.values()}) == 1


def test_what_was_not_asked_for_is_not_announced() -> None:
    found = configurations(options(discovery_prefix="ha", topic="street/east"), watched=False)
    assert [topic.split("/")[3] for topic in found] == ["verdict", "seen", "passage", "known"]
    assert all(topic.startswith("ha/") for topic in found)
    assert {payload.get("state_topic") for payload in found.values()} == {
        "street/east/gate_1/state",
        "street/east/gate_1/event",
    }


def test_home_assistants_own_schemas_take_the_announcements(tmp_path: Path) -> None:
    """In an environment of its own (`pip install homeassistant`), which HOME_ASSISTANT_PYTHON names."""
    python = os.environ.get("HOME_ASSISTANT_PYTHON")
    if not python:
        pytest.skip("HOME_ASSISTANT_PYTHON names no Python that has the package homeassistant")
    told = [[t, json.dumps(p)] for chosen in ({}, EVERYTHING) for t, p in configurations(options(**chosen)).items()]
    (tmp_path / "told.json").write_text(json.dumps(told))
    checking = Path(__file__).with_name("home_assistant_schemas.py")
    done = subprocess.run([python, checking, tmp_path / "told.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == f"{len(told)} taken, {len(told)} spoiled ones refused\n"


def test_the_last_passage_is_kept_for_who_comes_later_and_the_event_is_not(broker: Broker, listener: Listener) -> None:
    chosen = options(broker.port, with_plate=True)
    channel = MqttChannel(chosen)
    channel.send(body(sighting(), chosen))
    wait_for(lambda: "roadside/gate_1/event" in listener.got, "the event")
    event = json.loads(listener.got["roadside/gate_1/event"])
    assert (event["event_type"], event["plate"], event["camera"]) == ("unpaid", PLATE, "gate 1")
    late = Listener()
    late.listen(broker, "roadside/#")
    wait_for(lambda: {"roadside/status", "roadside/gate_1/state"} == late.got.keys(), "what is retained")
    assert json.loads(late.got["roadside/gate_1/state"])["plate"] == PLATE
    assert late.got["roadside/status"] == "online"
    channel.close()
    wait_for(lambda: late.got["roadside/status"] == "offline", "leaving")
    late.leave()


def test_pictures_go_with_a_passage_and_none_stays_of_another(broker: Broker, listener: Listener) -> None:
    pictures = {("s1", PictureKind.CROP): b"\x89PNG first"}
    chosen = options(broker.port, pictures=["crop"])
    channel = MqttChannel(chosen, picture_of=lambda name, kind: pictures.get((name, kind)))
    channel.send(body(sighting(), chosen))
    channel.send(body(sighting("s2", seconds=1), chosen))
    channel.close()
    wait_for(lambda: listener.got.get("roadside/status") == "offline", "the end")
    crops = [m.payload for m in listener.messages if m.topic == "roadside/gate_1/crop"]
    assert crops == [b"\x89PNG first", b""]


def test_a_notice_that_comes_late_does_not_turn_the_state_back(broker: Broker, listener: Listener) -> None:
    chosen = options(broker.port)
    for name, seconds in (("s2", 5), ("s1", 0)):
        channel = MqttChannel(chosen, clock=HandClock(NOW_NS))  # each as after a restart: the broker remembers
        channel.camera("gate 1", online=True)
        wait_for(lambda: "roadside/status" in listener.got, "a connection")
        channel.send(body(sighting(name, seconds=seconds), chosen))
        channel.close()
    wait_for(lambda: len(listener.all_of("roadside/gate_1/unpaid")) == 2, "both notices")
    assert [json.loads(text)["sighting_id"] for text in listener.all_of("roadside/gate_1/state")] == ["s2"]


@pytest.mark.parametrize("kept", ['{"sighting_id": "x", "seen_at": "9999"}', '{"sighting_id": "x", "seen_at": "~"}'])
def test_a_state_of_the_future_keeps_nothing_from_being_told(broker: Broker, listener: Listener, kept: str) -> None:
    """Of a process whose clock was wrong, or of anybody who may publish."""
    listener.client.publish("roadside/gate_1/state", kept, qos=1, retain=True)
    wait_for(lambda: "roadside/gate_1/state" in listener.got, "what the broker keeps")
    chosen = options(broker.port)
    channel = MqttChannel(chosen)
    channel.camera("gate 1", online=True)
    channel.send(body(sighting(), chosen))
    channel.close()
    wait_for(lambda: listener.got.get("roadside/status") == "offline", "the end")
    assert json.loads(listener.got["roadside/gate_1/state"])["sighting_id"] == "s1"
    assert "roadside/gate_1/event" in listener.got


def test_gates_that_are_called_in_another_script_are_not_one_device() -> None:
    names = ("Вход", "Зона", "Příjezd", "PYíjezd", "北", "*", "ab\x00")
    levels = {topic_level(name) for name in names}
    assert len(levels) == len(names)
    assert all(re.fullmatch(r"[0-9A-Za-z_-]+", level) for level in levels)
    assert topic_level("gate 1/north.a+#") == "gate_1_north_a__"


def test_who_is_cleared_by_a_person_is_shown_as_accused_no_more(broker: Broker, listener: Listener) -> None:
    pictures = {PictureKind.CROP: b"\x89PNG"}
    chosen = options(broker.port, with_plate=True, pictures=["crop"])
    channel = MqttChannel(chosen, picture_of=lambda _, kind: pictures.get(kind))
    accused = sighting()
    channel.send(body(accused, chosen))
    other = decided(sighting("another"), VerdictKind.PAID)
    channel.send(body(other, chosen))
    channel.send(body(decided(accused, VerdictKind.PAID), chosen))
    channel.close()
    wait_for(lambda: listener.got.get("roadside/status") == "offline", "the end")
    states = [json.loads(text) for text in listener.all_of("roadside/gate_1/state")]
    assert [(state["sighting_id"], state["verdict"]) for state in states] == [("s1", "UNPAID"), ("s1", "PAID")]
    assert "plate" not in states[-1]
    assert listener.got["roadside/gate_1/crop"] == ""
    assert len(listener.all_of("roadside/gate_1/event")) == 1
    assert "roadside/gate_1/paid" not in listener.got, "that verdict was not chosen"


def test_where_nobody_is_judged_a_passage_is_seen(broker: Broker, listener: Listener) -> None:
    chosen = options(broker.port, with_plate=True)
    channel = MqttChannel(chosen)
    channel.send(body(sighting(kind=VerdictKind.NONE), chosen))
    channel.close()
    wait_for(lambda: listener.got.get("roadside/status") == "offline", "the end")
    event = json.loads(listener.got["roadside/gate_1/event"])
    assert (event["event_type"], event["verdict"], event["plate"]) == ("seen", None, PLATE)
    assert "roadside/gate_1/seen" in listener.got
    announced = json.loads(listener.got["homeassistant/event/roadside_gate_1/passage/config"])
    assert "seen" in announced["event_types"]


def test_nobody_else_is_told_of_what_was_withdrawn() -> None:
    hook = {"name": "hook", "url": "http://127.0.0.1:9/", "secret_env": "X"}
    chosen = NotifyOptions.model_validate({"webhook": [hook], "mqtt": [{"name": "plain", "host": "x"}]})
    assert compose(decided(sighting(), VerdictKind.PAID), chosen) == []


def test_a_camera_is_told_online_and_offline_once_each(broker: Broker, listener: Listener) -> None:
    channel = MqttChannel(options(broker.port))
    for online in (False, True, True, False):
        channel.camera("gate 1", online=online)
    channel.close()
    wait_for(lambda: listener.got.get("roadside/status") == "offline", "the end")
    assert listener.all_of("roadside/gate_1/online") == ["OFF", "ON", "OFF"]
    assert "homeassistant/binary_sensor/roadside_gate_1/online/config" in listener.got


def test_of_two_processes_that_share_a_prefix_one_may_end(broker: Broker, listener: Listener) -> None:
    first, second = MqttChannel(options(broker.port)), MqttChannel(options(broker.port))
    first.camera("gate 1", online=True)
    second.camera("gate 2", online=True)
    first.close()
    wait_for(lambda: listener.all_of("roadside/status")[-2:] == ["offline", "online"], "the one that is still here")
    second.close()
    wait_for(lambda: listener.got["roadside/status"] == "offline", "the end of both")


def test_a_process_that_dies_is_told_offline_by_the_broker(broker: Broker, listener: Listener) -> None:
    program = (
        "import os\n"
        "from roadside.adapters.notify.mqtt import MqttChannel\n"
        "from roadside.notify.options import MqttOptions\n"
        f"MqttChannel(MqttOptions(name='m', host='127.0.0.1', port={broker.port})).camera('gate', online=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    wait_for(lambda: listener.all_of("roadside/status") == ["online", "offline"], "the last will")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[tuple[Broker, dict[str, object]]]:
    """A broker over TLS that knows its clients by certificate and password, and how to get in."""
    authority = Authority(tmp_path, "ca").create()
    server, client = authority.sign("broker"), authority.sign("client")
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "roadside", PASSWORD], check=True)
    broker = Broker(
        tmp_path,
        f"cafile {authority.certificate}\ncertfile {server.certificate}\nkeyfile {server.key}\n"
        f"require_certificate true\nallow_anonymous false\npassword_file {passwords}",
    )
    broker.start()
    yield (
        broker,
        {
            "host": f"mqtts://127.0.0.1:{broker.port}",
            "tls_ca": str(authority.certificate),
            "tls_certificate": str(client.certificate),
            "tls_key": str(client.key),
            "username": "roadside",
            "password_env": "BROKER_PASSWORD",
        },
    )
    broker.kill()


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed <ssl:ResourceWarning")
def test_a_broker_with_tls_certificates_and_passwords_lets_in_who_has_all(
    locked: tuple[Broker, dict[str, object]],
) -> None:
    _, way_in = locked

    def send(password: str = PASSWORD, **others: object) -> None:
        chosen = MqttOptions.model_validate({"name": "m", "timeout_s": 10.0, **way_in, **others})
        channel = MqttChannel(chosen, secrets=lambda _: password)
        try:
            channel.send(body(sighting(), chosen))
        finally:
            channel.close()

    send()
    with pytest.raises(UnavailableError, match="mqtt m: the broker refused: Not authorized"):
        send("wrong")
    with pytest.raises(UnavailableError, match=r"certificate is not trusted"):
        send(tls_ca=None)
    with pytest.raises(UnavailableError):
        send(tls_certificate=None, tls_key=None)


def test_a_run_tells_a_broker_of_its_camera_and_of_what_passed(
    broker: Broker, listener: Listener, program: Program, tmp_path: Path
) -> None:
    channels = tmp_path / "notify.toml"
    channels.write_text(
        f'[[mqtt]]\nname = "home"\nhost = "127.0.0.1"\nport = {broker.port}\nhome_assistant = true\nwith_plate = true\n'
        f'pictures = ["crop", "frame"]\nverdicts = {[kind.value for kind in VerdictKind]}\n'
    )
    street = Path(__file__).parents[2] / "examples/street.jpg"
    done = program.run("run", street, "--camera", "drive", "--notify", channels)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: listener.got.get("roadside/status") == "offline", "the end")
    events = [json.loads(text) for text in listener.all_of("roadside/drive/event")]
    assert {event["plate"] for event in events} == {"9K74182", "HK47TVN"}
    assert listener.all_of("roadside/drive/online")[-1] == "OFF"
    (frame,) = {m.payload[:3] for m in listener.messages if m.topic == "roadside/drive/frame"}
    assert frame == b"\xff\xd8\xff", "a JPEG"
    (crop,) = {m.payload[:4] for m in listener.messages if m.topic == "roadside/drive/crop"}
    assert crop == b"\x89PNG"
    audit = program.run("audit").stdout
    assert audit.count("notifications") == 2 * len(events)


def test_a_run_whose_broker_is_away_says_so_and_keeps_the_notices(program: Program, tmp_path: Path) -> None:
    channels = tmp_path / "notify.toml"
    channels.write_text(
        f'backoff_s = 0\n[[mqtt]]\nname = "home"\nhost = "127.0.0.1"\nport = {reserved_port()}\n'
        f"verdicts = {[kind.value for kind in VerdictKind]}\n"
    )
    street = Path(__file__).parents[2] / "examples/street.jpg"
    done = program.run("run", street, "--notify", channels)
    assert done.returncode == 0, done.stderr
    assert "mqtt home: " in done.stderr
    assert "2 notices did not arrive yet: `roadside notify --once` tries them again" in done.stderr
    again = program.run("notify", "--once", "--notify", channels)
    assert again.returncode == 1
    assert "0 new notices; 0 delivered, 2 to be tried again" in again.stdout
    assert "mqtt home: no broker answers at 127.0.0.1:" in again.stderr
    assert "2 notices did not arrive yet, and the next attempt comes after a pause" in again.stderr


def test_notices_whose_pause_is_not_over_are_no_success(program: Program, tmp_path: Path) -> None:
    channels = tmp_path / "notify.toml"
    channels.write_text(
        f'backoff_s = 3600\n[[mqtt]]\nname = "home"\nhost = "127.0.0.1"\nport = {reserved_port()}\n'
        f"verdicts = {[kind.value for kind in VerdictKind]}\n"
    )
    assert program.run("run", Path(__file__).parents[2] / "examples/street.jpg", "--notify", channels).returncode == 0
    again = program.run("notify", "--once", "--notify", channels)
    assert again.returncode == 1
    assert "2 notices did not arrive yet, and the next attempt comes after a pause" in again.stderr


def test_what_a_broker_refuses_is_said_with_what_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "mosquitto").mkdir()
    (tmp_path / "users").write_text("")
    broker = Broker(tmp_path / "mosquitto", f"allow_anonymous false\npassword_file {tmp_path / 'users'}")
    broker.start()
    channel = MqttChannel(MqttOptions(name="home", host="127.0.0.1", port=broker.port), lambda _: "")
    try:
        with pytest.raises(UnavailableError, match=r"the broker refused: .*; check username and password_env"):
            channel.camera("gate", online=True)
    finally:
        channel.close()
        broker.kill()
    with pytest.raises(UnavailableError, match=r"the network knows no broker\.invalid; check the name"):
        MqttChannel(MqttOptions(name="home", host="broker.invalid"), lambda _: "").camera("gate", online=True)


def test_a_certificate_that_is_not_there_ends_a_run_before_it_begins(program: Program, tmp_path: Path) -> None:
    channels = tmp_path / "notify.toml"
    channels.write_text('[[mqtt]]\nname = "home"\nhost = "mqtts://127.0.0.1"\ntls_ca = "none.pem"\n')
    done = program.run("run", Path(__file__).parents[2] / "examples/street.jpg", "--notify", channels)
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("channel home: tls_ca none.pem is not there, or may not be read")


def test_a_file_of_channels_that_is_wrong_ends_a_run_before_it_begins(program: Program, tmp_path: Path) -> None:
    (tmp_path / "notify.toml").write_text('[[mqtt]]\nname = "home"\nhost = "x"\ntopic = "street/#"\n')
    street = Path(__file__).parents[2] / "examples/street.jpg"
    done = program.run("run", street, "--notify", tmp_path / "notify.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "mqtt.0.topic: " in done.stderr.splitlines()[-1]
    assert "is a topic without + and #" in done.stderr
