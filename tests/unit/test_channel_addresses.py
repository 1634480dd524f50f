"""Addresses of receivers and brokers are checked at the start, and signatures that are none are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roadside.adapters.notify.webhook import is_signed, post, sign
from roadside.assembly.settings import Settings
from roadside.errors import SettingsError, UnavailableError
from roadside.kit.config import load
from roadside.notify.options import load_notify_options

if TYPE_CHECKING:
    from pathlib import Path

WEBHOOK = '[[webhook]]\nname = "a"\nsecret_env = "S"\nurl = "{}"\n'
MQTT = '[[mqtt]]\nname = "b"\n{}\n'


def options(folder: Path, text: str) -> object:
    file = folder / "channels.toml"
    file.write_text(text, encoding="utf-8")
    return load_notify_options(file)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999/hidden",
        "http://127.0.0.1:hidden/",
        "http://127.0.0.1:0/hidden",
        "http://127.0.0.1/\N{LATIN SMALL LETTER Z WITH CARON}hidden",
        "http://exa mple/hidden",
        "http://[hidden/",
        "http:///hidden",
        "ftp://127.0.0.1/hidden",
        "http://" + "a" * 300 + "/hidden",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"url: .*http:// or https://") as caught:
        options(tmp_path, WEBHOOK.format(url))
    assert "hidden" not in str(caught.value)
    with pytest.raises(UnavailableError):
        post(url, "{}", {}, 0.2, "webhook a")


@given(st.text() | st.from_regex(r"t=\d{1,30},v1=[0-9a-f]{64}", fullmatch=True))
@example("t=\N{SUPERSCRIPT TWO},v1=a")
@example("t=" + "9" * 5000 + ",v1=a")
@example("t=1,v1=\N{LATIN SMALL LETTER Z WITH CARON}")
def test_what_is_no_signature_is_refused(header: str) -> None:
    assert not is_signed("key", header, "{}", 1)


@given(st.text(st.characters()))
def test_a_signature_is_known(body: str) -> None:
    assert is_signed("key", sign("key", 1000, body), body, 1100)
    assert not is_signed("key", sign("key", 1000, body), body, 1301)
    assert not is_signed("other", sign("key", 1000, body), body, 1000)


@pytest.mark.parametrize(
    ("told", "host", "port", "tls"),
    [
        ('host = "broker"', "broker", 1883, False),
        ('host = "mqtt://broker"', "broker", 1883, False),
        ('host = "mqtts://broker"', "broker", 8883, True),
        ('host = "mqtts://broker:1234"', "broker", 1234, True),
        ('host = "broker"\ntls = true\nport = 8883', "broker", 8883, True),
    ],
)
def test_an_address_of_a_broker_says_whether_there_is_tls(
    tmp_path: Path, told: str, host: str, port: int, *, tls: bool
) -> None:
    (broker,) = options(tmp_path, MQTT.format(told)).mqtt  # type: ignore[attr-defined]
    assert (broker.host, broker.port, broker.tls) == (host, port, tls)


@pytest.mark.parametrize(
    "told",
    [
        'host = "mqtts://bob:hidden@broker"',
        'host = "mqtts://broker:99999"',
        'host = "https://broker"',
        'host = "mqtts://broker"\ntls = false',
        'host = "mqtts://broker"\nport = 1883',
        'host = ""',
    ],
)
def test_an_address_that_is_no_brokers_is_refused(tmp_path: Path, told: str) -> None:
    with pytest.raises(SettingsError, match="host") as caught:
        options(tmp_path, MQTT.format(told))
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("name", ["Mars/X", "", "/etc/passwd", "../x", "Europe"])
def test_a_time_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="timezone: is no time zone"):
        load(Settings, {"timezone": name})
