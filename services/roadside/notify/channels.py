"""The channels that are open, and the file that names them: read again when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.notify.options import NotifyOptions, parse_notify_options, read_channels_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from roadside.ports.notify import Channel

    OpenChannels = Callable[[NotifyOptions], Mapping[str, Channel]]


class Channels:
    """Those of a file of channels; without a file there are none."""

    def __init__(self, path: Path | None, open_channels: OpenChannels) -> None:
        self._path = path
        self._open_channels = open_channels
        self._text: str | None = None
        self.options = NotifyOptions()
        self.by_name: Mapping[str, Channel] = {}

    def refresh(self) -> bool:
        """Open what the file names, where it says something new; whether it did.

        Raises SettingsError for a file that cannot be read or used, each time; what was open stays open.
        """
        text = "" if self._path is None else read_channels_file(self._path)
        if text == self._text:
            return False
        options = NotifyOptions() if self._path is None else parse_notify_options(text, self._path)
        opened = self._open_channels(options)
        self.close()
        self._text, self.options, self.by_name = text, options, opened
        return True

    def close(self) -> None:
        """Let go of every connection."""
        for channel in self.by_name.values():
            channel.close()
