"""Opens the channels that a file names: the one place that knows every kind of channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.adapters.notify.secret import secret, secrets_in
from roadside.adapters.notify.webhook import Webhook
from roadside.errors import SettingsError
from roadside.kit.extras import install_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from roadside.notify.options import NotifyOptions
    from roadside.ports.notify import Channel
    from roadside.ports.system import Clock


def open_channels(options: NotifyOptions, clock: Clock, secrets: Path | None = None) -> Mapping[str, Channel]:
    """The channels of `options` by name; none is connected yet.

    Their secrets are files of the folder `secrets`, or else environment variables.
    Raises SettingsError where a secret or a Python package is missing.
    """
    of_name = secret if secrets is None else secrets_in(secrets)
    found: dict[str, Channel] = {each.name: Webhook(each, clock, of_name) for each in options.webhook}
    if options.mqtt:
        try:
            from roadside.adapters.notify.mqtt import MqttChannel  # noqa: PLC0415 - only where a broker is to be told
        except ModuleNotFoundError as error:
            mend = install_command("cluster", "paho-mqtt")
            raise SettingsError(f"MQTT needs a Python package ({error.name} is missing): {mend}") from error
        found |= {each.name: MqttChannel(each, of_name) for each in options.mqtt}
    return found
