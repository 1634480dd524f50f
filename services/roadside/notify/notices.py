"""Who is to be told of which verdicts, and what they are told: no plate unless it was asked for."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from roadside.core.sightings import VerdictKind
from roadside.errors import SettingsError, UnavailableError

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from roadside.adapters.sql.outbox import Notice, Outbox
    from roadside.core.sightings import Sighting
    from roadside.ports.system import Clock


class _Channel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    verdicts: tuple[VerdictKind, ...] = (VerdictKind.UNPAID, VerdictKind.REVIEW)
    with_plate: bool = False


class WebhookOptions(_Channel):
    """An address that is sent a POST for each notice."""

    url: str
    secret_env: str
    """Variable that holds the secret of the signature."""
    timeout_s: float = Field(5.0, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
            raise ValueError("must be an http:// or https:// address")
        return value


class MqttOptions(_Channel):
    """A broker that notices are published to."""

    host: str
    port: int = Field(1883, gt=0, lt=65536)
    tls: bool = False
    username: str = ""
    password_env: str = ""
    topic: str = "roadside"
    """Notices go to TOPIC/CAMERA/VERDICT."""
    home_assistant: bool = False
    """Announce one sensor a camera by Home Assistant's discovery."""
    timeout_s: float = Field(5.0, gt=0, le=60)


class NotifyOptions(BaseModel):
    """The file that `--notify` names; docs/verdict.md shows an example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: tuple[WebhookOptions, ...] = ()
    mqtt: tuple[MqttOptions, ...] = ()
    attempts: int = Field(8, ge=1, le=100)
    """Before a notice is given up."""
    backoff_s: float = Field(2.0, ge=0)
    """Before the second attempt, doubled each time, at most an hour; a random half is taken off."""


class Channel(Protocol):
    """Brings notices to one receiver."""

    def send(self, body: str) -> None:
        """Deliver. Raises UnavailableError where it did not arrive."""
        ...


class _Nowhere:
    """A channel that was taken out of the file while notices waited for it."""

    def send(self, body: str) -> None:
        del body
        raise UnavailableError("this channel is not configured any more")


_NOWHERE = _Nowhere()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one round of deliveries did."""

    delivered: int
    failed: int
    given_up: int


def load_notify_options(path: Path) -> NotifyOptions:
    """The options in a TOML file. Raises SettingsError."""
    try:
        options = NotifyOptions(**tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        fault = error.errors()[0]
        raise SettingsError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    names = [channel.name for channel in (*options.webhook, *options.mqtt)]
    if len(set(names)) != len(names):
        raise SettingsError(f"{path}: two channels have one name")
    return options


def secret(variable: str) -> str:
    """The value of an environment variable. Raises SettingsError where it is missing or empty."""
    value = os.environ.get(variable, "")
    if not value:
        raise SettingsError(f"notifications need the variable {variable}")
    return value


def compose(sighting: Sighting, options: NotifyOptions) -> Sequence[tuple[str, str]]:
    """(channel, JSON body) of each channel that wants to know of `sighting`."""
    return [
        (channel.name, _body(sighting, with_plate=channel.with_plate))
        for channel in (*options.webhook, *options.mqtt)
        if sighting.verdict.kind in channel.verdicts
    ]


class Dispatcher:
    """Delivers what is due; what fails is tried again later, and given up in the end."""

    def __init__(
        self, outbox: Outbox, channels: Mapping[str, Channel], options: NotifyOptions, clock: Clock, rng: random.Random
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._options = options
        self._clock = clock
        self._rng = rng

    def deliver(self) -> Delivery:
        """One attempt at each notice that is due."""
        done = failed = dead = 0
        for notice in self._outbox.due(self._clock.now_ns()):
            try:
                self._channels.get(notice.channel, _NOWHERE).send(notice.body)
            except UnavailableError as error:
                again = self._again(notice)
                self._outbox.failed(notice, str(error), again)
                failed, dead = failed + (again is not None), dead + (again is None)
            else:
                self._outbox.delivered(notice)
                done += 1
        return Delivery(done, failed, dead)

    def _again(self, notice: Notice) -> int | None:
        if notice.attempts + 1 >= self._options.attempts:
            return None
        pause_s = min(3600.0, self._options.backoff_s * 2**notice.attempts) * (1 - self._rng.random() / 2)
        return self._clock.now_ns() + int(pause_s * 1e9)


def _body(sighting: Sighting, *, with_plate: bool) -> str:
    seen = datetime.fromtimestamp(sighting.last_seen_ns / 1e9, UTC)
    body: dict[str, object] = {
        "sighting_id": sighting.sighting_id,
        "camera": sighting.camera_id,
        "seen_at": seen.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "verdict": sighting.verdict.kind.value,
        "rule": sighting.verdict.rule,
    }
    if with_plate and sighting.plate is not None:
        body |= {"plate": sighting.plate.text, "country": sighting.plate.country}
    return json.dumps(body)
