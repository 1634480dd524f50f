"""Opens the channels that a file names: the one place that knows every kind of channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.adapters.notify.webhook import Webhook
from roadside.errors import SettingsError
from roadside.kit.extras import install_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roadside.notify.options import NotifyOptions
    from roadside.ports.notify import Channel
    from roadside.ports.system import Clock


def open_channels(options: NotifyOptions, clock: Clock) -> Mapping[str, Channel]:
    """The channels of `options` by name; none is connected yet.

    Raises SettingsError where a secret or a Python package is missing.
    """
    found: dict[str, Channel] = {each.name: Webhook(each, clock) for each in options.webhook}
    if options.mqtt:
        try:
            from roadside.adapters.notify.mqtt import MqttChannel  # noqa: PLC0415 - only where a broker is to be told
        except ModuleNotFoundError as error:
            mend = install_command("cluster", "paho-mqtt")
            raise SettingsError(f"MQTT needs a Python package ({error.name} is missing): {mend}") from error
        found |= {each.name: MqttChannel(each) for each in options.mqtt}
    return found
