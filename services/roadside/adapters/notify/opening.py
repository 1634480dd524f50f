"""Opens the channels that a file names: the one place that knows every kind of channel."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from roadside.adapters.notify.secret import secret, secrets_in
from roadside.adapters.notify.webhook import Webhook
from roadside.errors import SettingsError
from roadside.kit.extras import install_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from roadside.notify.options import NotifyOptions
    from roadside.ports.notify import Channel, PictureOf
    from roadside.ports.system import Clock


def open_channels(
    options: NotifyOptions, clock: Clock, secrets: Path | None = None, picture_of: PictureOf | None = None
) -> Mapping[str, Channel]:
    """The channels of `options` by name; none is connected yet.

    Their secrets are files of the folder `secrets`, or else environment variables. `picture_of` gives the pictures that
    a channel wants to send. Raises SettingsError where a secret, a Python package or a way to pictures is missing.
    """
    of_name = secret if secrets is None else secrets_in(secrets)
    for channel in options.channels:
        if channel.pictures and picture_of is None:
            raise SettingsError(
                f"channel {channel.name}: this process has no keys to open pictures: leave `pictures` out, or use "
                "`roadside run --notify` or `roadside notify`"
            )
    found: dict[str, Channel] = {each.name: Webhook(each, clock, of_name, picture_of) for each in options.webhook}
    if options.mqtt:
        with _installed("MQTT", "mqtt"):
            from roadside.adapters.notify.mqtt import MqttChannel  # noqa: PLC0415 - only where a broker is to be told
        found |= {each.name: MqttChannel(each, of_name, picture_of, clock) for each in options.mqtt}
    if options.push:
        with _installed("push", "push"):
            from roadside.adapters.notify.push import Push  # noqa: PLC0415 - only where somebody is to be pushed
        found |= {each.name: Push(each, of_name, picture_of) for each in options.push}
    return found


@contextmanager
def _installed(what: str, extra: str) -> Iterator[None]:
    """Raises SettingsError, with the command that mends it, where a package of `extra` is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        mend = install_command(extra)
        raise SettingsError(f"{what} needs a Python package ({error.name} is missing): {mend}") from error
