"""What opens a gate: each relay of the file of settings, `[relay.NAME]`, by its kind."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from roadside.kit.config import HttpAddress  # noqa: TC001 - as above


class _RelayOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GpioRelay(_RelayOptions):
    """A pin of a Raspberry Pi."""

    kind: Literal["gpio"]
    pin: int = Field(ge=0, le=27)
    """As Broadcom numbers them: GPIO17 is 17."""
    pulse_s: float = Field(0.5, gt=0, le=60)
    active_low: bool = False
    """Whether the relay closes where the pin is low."""


class HttpRelay(_RelayOptions):
    """An address that is called; redirects are not followed."""

    kind: Literal["http"]
    url: HttpAddress
    method: Literal["GET", "POST", "PUT"] = "POST"
    body: str = ""
    token_env: str = ""
    """Variable whose value is sent as a bearer token."""
    timeout_s: float = Field(5.0, gt=0, le=60)


class MqttRelay(_RelayOptions):
    """A message to a broker."""

    kind: Literal["mqtt"]
    host: str = Field(min_length=1)
    port: int = Field(1883, gt=0, lt=65536)
    tls: bool = False
    tls_ca: Path | None = None
    username: str = ""
    password_env: str = ""
    topic: str = Field(min_length=1, max_length=512, pattern=r"^[^#+\x00]+$")
    payload: str = "open"
    timeout_s: float = Field(5.0, gt=0, le=60)


RelayOptions: TypeAlias = Annotated[GpioRelay | HttpRelay | MqttRelay, Field(discriminator="kind")]
