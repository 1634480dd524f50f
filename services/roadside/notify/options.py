"""The file of channels: who is told of which verdicts, and how often a notice is tried."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003 - pydantic needs it at run time
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from roadside.core.sightings import PictureKind, VerdictKind
from roadside.errors import SettingsError
from roadside.kit.config import HttpAddress  # noqa: TC001 - pydantic needs it at run time
from roadside.kit.toml_file import parse_toml, read_text
from roadside.kit.toml_lines import place_of

_BROKERS = {"mqtt": 1883, "mqtts": 8883}
"""The usual port of each kind of address (IANA)."""
_TOPIC = re.compile(r"[^+#$/\x00-\x1f]([^+#\x00-\x1f]*[^+#/\x00-\x1f])?")


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise ValueError("is a topic without + and #, that neither begins nor ends with / and does not begin with $")
    return value


Topic = Annotated[str, AfterValidator(_topic)]
"""What topics may begin with: no wildcards, no empty level at its ends, no `$`, which is the broker's own."""


class ChannelOptions(BaseModel):
    """What every channel can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    verdicts: tuple[VerdictKind, ...] = (VerdictKind.UNPAID, VerdictKind.REVIEW, VerdictKind.NONE)
    """NONE is that of a vehicle of which nobody asked whether it has paid: without a list of vignettes all are."""
    with_plate: bool = False
    pictures: tuple[PictureKind, ...] = ()
    """Which pictures go with a notice, where they are kept: of vehicles that have paid none is."""


class WebhookOptions(ChannelOptions):
    """An address that is sent a POST for each notice."""

    url: HttpAddress
    secret_env: str
    """Variable, or file of the folder of secrets, that holds the secret of the signature: `whsec_` and base64, or any
    text."""
    timeout_s: float = Field(5.0, gt=0, le=60)
    """For one attempt at one notice."""


class MqttOptions(ChannelOptions):
    """A broker that notices are published to."""

    host: str = Field(min_length=1)
    """A name, or an address: mqtt://host or mqtts://host (TLS), with :port where it is not 1883 or 8883."""
    port: int = Field(1883, gt=0, lt=65536)
    tls: bool = False
    tls_ca: Path | None = None
    """Certificate authority (PEM) of a broker that no public one vouches for."""
    tls_certificate: Path | None = None
    """Certificate (PEM) for a broker that wants one of its clients."""
    tls_key: Path | None = None
    """Its key."""
    username: str = ""
    password_env: str = ""
    topic: Topic = "roadside"
    """Prefix of all topics: notices go to TOPIC/CAMERA/VERDICT."""
    retain: bool = True
    """Whether the broker keeps the last state and pictures of a camera for who asks later."""
    home_assistant: bool = False
    """Announce a device with its entities for each camera by Home Assistant's discovery."""
    discovery_prefix: Topic = "homeassistant"
    """Where Home Assistant looks for announcements."""

    @model_validator(mode="before")
    @classmethod
    def _of_address(cls, told: Any) -> Any:  # noqa: ANN401 - TOML
        """The host, the port and whether there is TLS, of an address; what is said beside it must agree."""
        if not isinstance(told, dict) or "://" not in str(told.get("host")):
            return told
        try:
            parts = urlsplit(told["host"])
            port, host = parts.port, parts.hostname
        except ValueError:
            port = host = None
        if host is None or parts.scheme not in _BROKERS or parts.username or parts.path.strip("/") or parts.query:
            raise ValueError(
                "host: is mqtt://host:port or mqtts://host:port; the user goes into username, the password into the "
                "variable that password_env names"
            )
        found = {"host": host, "port": port or _BROKERS[parts.scheme], "tls": parts.scheme == "mqtts"}
        if any(told[name] != value for name, value in found.items() if name != "host" and name in told):
            raise ValueError("host: its address and port or tls beside it differ: leave them out")
        return {**told, **found}

    @model_validator(mode="after")
    def _certificate_with_key(self) -> MqttOptions:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        if self.password_env and not self.username:
            raise ValueError("password_env needs username")
        return self

    timeout_s: float = Field(5.0, gt=0, le=60)
    """For each step of an attempt: connecting, and each acknowledgement."""


class PushOptions(ChannelOptions):
    """A service for messages to telephones and chats, of all those that Apprise knows."""

    url_env: str
    """Variable, or file of the folder of secrets, that holds its address as Apprise writes it: tokens stand in it."""
    timeout_s: float = Field(20.0, gt=0, le=60)
    """For one attempt at one notice."""


class NotifyOptions(BaseModel):
    """The file that `--notify` names; docs/verdict.md shows an example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: tuple[WebhookOptions, ...] = ()
    mqtt: tuple[MqttOptions, ...] = ()
    push: tuple[PushOptions, ...] = ()
    attempts: int = Field(8, ge=1, le=100)
    """Before a notice is given up."""
    backoff_s: float = Field(2.0, ge=0)
    """Before the second attempt, doubled each time, at most an hour; a random half is taken off."""

    @property
    def channels(self) -> tuple[ChannelOptions, ...]:
        """All of them, of whatever kind."""
        return (*self.webhook, *self.mqtt, *self.push)


def load_notify_options(path: Path) -> NotifyOptions:
    """The options in a TOML file. Raises SettingsError."""
    return parse_notify_options(read_channels_file(path), path)


def read_channels_file(path: Path) -> str:
    """The text of a file of channels. Raises SettingsError."""
    return read_text(path)


def parse_notify_options(text: str, path: Path) -> NotifyOptions:
    """The options in the text of the file at `path`. Raises SettingsError."""
    try:
        options = NotifyOptions.model_validate(parse_toml(text, path))
    except ValidationError as error:
        fault = error.errors()[0]
        where = f"{path}: {place_of(text, fault['loc'])}{'.'.join(map(str, fault['loc']))}"
        raise SettingsError(f"{where}: {fault['msg']}") from error
    names = [channel.name for channel in options.channels]
    if len(set(names)) != len(names):
        raise SettingsError(f"{path}: two channels have one name")
    return options
