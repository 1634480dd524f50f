"""ONVIF cameras are found and asked: against a simulated device, for no real one was at hand."""

from __future__ import annotations

import json

import pytest

from roadside.adapters.onvif import Login, OnvifCamera, find_cameras, without_login
from roadside.cli import main
from roadside.errors import SourceError
from tests.onvif_device import MATCH, Device, onvif_device
from tests.rude_servers import rude_server

BOB = Login("bob", "pass & word")


def test_a_camera_is_found_and_tells_its_streams(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADSIDE_CAMERA_PASSWORD", BOB.password)
    with onvif_device(Device(BOB.user, BOB.password)) as device:
        command = ["cameras", "find", "--interface", "127.0.0.1", "--seconds", "2", "--user", BOB.user]
        assert main(command) == 0
        people = capsys.readouterr().out
        assert main([*command, "--json"]) == 0
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert f"Yard north  {device.address}" in people
    assert "1920 x 1080" in people
    assert "leaked" not in people
    assert "\x9b" not in people, "what a camera says steers no terminal"
    assert [each["address"] for each in told] == ["rtsp://127.0.0.1:554/main", "rtsp://127.0.0.1:554/sub"]
    assert [each["snapshot"] for each in told] == ["http://127.0.0.1/main.jpg", ""]
    assert told[0]["camera"] == {"address": device.address, "name": "Yard north"}


def test_a_wrong_password_is_told_and_not_repeated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADSIDE_CAMERA_PASSWORD", "hunter2")
    with onvif_device(Device(BOB.user, BOB.password)) as device:
        host = device.address.split("/")[2]
        assert main(["cameras", "find", "--host", host, "--user", "bob", "--seconds", "5"]) == 1
    said = capsys.readouterr().err
    assert "127.0.0.1: the camera refuses the user or the password" in said
    assert "hunter2" not in said


def test_what_answers_for_another_host_is_not_asked() -> None:
    elsewhere = MATCH.format(addresses="http://10.9.9.9/onvif/device_service").encode()
    strange = [b"", b"<", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', elsewhere]
    with onvif_device(Device(), *strange):
        assert list(find_cameras(1.0, "127.0.0.1")) == []


def test_a_media_service_elsewhere_is_asked_at_the_camera_itself() -> None:
    with onvif_device(Device(media="10.9.9.9")) as device:
        streams = OnvifCamera(device.address, None, 5).streams()
    assert [stream.profile[:3] for stream in streams] == ["mai", "sub"]


GROWING = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;&a;</x>'.encode("utf-16")
STRANGE = [
    b"<x" * 10,
    b"<x/>",
    b"<!DOCTYPE x><x/>",
    b"<x>" * 600_000,
    GROWING,
    b'<?xml version="1.0" encoding="rot13"?><x/>',
]


@pytest.mark.parametrize("answer", STRANGE)
def test_strange_answers_are_plain_errors_or_no_streams(answer: bytes) -> None:
    device = Device()
    device.answer = answer
    with onvif_device(device):
        camera = OnvifCamera(device.address, BOB, 5)
        if answer == b"<x/>":
            assert camera.streams() == []
        else:
            with pytest.raises(SourceError, match="cameras: an answer"):
                camera.streams()


def test_nobody_is_told_with_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cameras", "find", "--interface", "127.0.0.1", "--seconds", "0.2"]) == 1
    assert "--interface and --host say where to look" in capsys.readouterr().err
    assert main(["cameras", "find", "--interface", "eth0"]) == 2
    assert main(["cameras", "find", "--interface", "203.0.113.9", "--seconds", "0.2"]) != 0
    assert main(["cameras", "find", "--host", "127.0.0.1:9", "--seconds", "1"]) == 1


def test_addresses_that_are_none_are_left_out() -> None:
    assert without_login("rtsp://bob:x@10.0.0.7/a?b=1") == "rtsp://10.0.0.7/a?b=1"
    for odd in ("file:///etc/passwd", "rtsp://a\x1b[31m", "", "rtsp://"):
        assert without_login(odd) == ""


REFUSES = b"HTTP/1.1 401 no\r\nContent-Length: 0\r\nWWW-Authenticate: "
RUDE = {
    "another login": REFUSES + b'Bearer realm="x"\r\n\r\n',
    "half a digest": REFUSES + b"Digest realm\r\n\r\n",
    "a digest that nobody knows": REFUSES + b'Digest realm="x", nonce="y", algorithm=ROT13\r\n\r\n',
    "elsewhere, to no address": b"HTTP/1.1 302 go\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000,
    "broken off": b"HTTP/1.1 500 no\r\nContent-Length: 100\r\n\r\nabc",
}


@pytest.mark.parametrize("says", RUDE.values(), ids=RUDE)
def test_rude_answers_are_plain_errors(says: bytes) -> None:
    with rude_server(says) as port, pytest.raises(SourceError, match=r"127\.0\.0\.1: (no ONVIF|the camera)"):
        OnvifCamera(f"http://127.0.0.1:{port}/onvif/device_service", BOB, 5).streams()


@pytest.mark.parametrize("says", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n<"])
def test_a_camera_that_drips_is_left(says: bytes) -> None:
    with rude_server(says, drips=b"a") as port, pytest.raises(SourceError):
        OnvifCamera(f"http://127.0.0.1:{port}/onvif/device_service", BOB, 0.5).streams()


def test_addresses_that_no_url_can_be_are_no_end_of_a_search() -> None:
    media = b'<x><Media><XAddr>http://[</XAddr></Media><Profiles token="a"/><Uri>rtsp://[</Uri></x>'
    device = Device()
    device.answer = media
    with onvif_device(device, MATCH.format(addresses="http://[").encode()):
        assert list(find_cameras(1.0, "127.0.0.1")) == []
        assert [stream.address for stream in OnvifCamera(device.address, BOB, 5).streams()] == [""]
