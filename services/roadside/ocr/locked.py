"""One model shared by the stream and by gRPC calls, which come from different threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roadside.core.frames import Crop
    from roadside.core.reads import Read
    from roadside.ports.vision import Reader


class LockedReader:
    """A Reader that one thread at a time may use."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()

    def read(self, crop: Crop) -> Read:
        """See `Reader.read`."""
        with self._lock:
            return self._reader.read(crop)
