"""The reader's step: a crop in, what stands on it out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.core.events import CropEvent, ReadEvent
from roadside.errors import PoisonError
from roadside.ports.bus import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.ports.bus import Message
    from roadside.ports.vision import Reader


class ReadStage:
    """Reads plates; a `CropEvent` becomes a `ReadEvent`, one that says nothing included."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handle(self, message: Message[object]) -> Sequence[tuple[Stream, Message[object]]]:
        """See `Stage.handle`."""
        event = message.payload
        if not isinstance(event, CropEvent):
            raise PoisonError(f"the reader takes crops, not {type(event).__name__}")
        read: object = ReadEvent(event.crop, event.frame, self._reader.read(event.crop))
        return [(Stream.READS, replace(message, payload=read))]
