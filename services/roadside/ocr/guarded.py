"""One model shared by the stream and by gRPC calls, which come from different threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roadside.core.types import Crop, Read
    from roadside.ports import Reader


class GuardedReader:
    """A Reader that one thread at a time may use."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()

    def read(self, crop: Crop) -> Read:
        """See `Reader.read`."""
        with self._lock:
            return self._reader.read(crop)
