"""What tells that sightings were stored: PostgreSQL notifies; a SQLite file is looked into now and then."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from roadside.adapters.sql.arrivals import STORED_CHANNEL
from roadside.errors import StoreUnavailableError

if TYPE_CHECKING:
    import threading

    from roadside.adapters.sql.database import Database

LOOK_EVERY_S = 0.25
"""How often a SQLite file is looked into, and PostgreSQL while it cannot notify, in seconds."""
SURE_EVERY_S = 5.0
"""How often PostgreSQL is looked into though it has notified of nothing, in seconds."""
_STOP_WITHIN_S = 0.5

_log = logging.getLogger(__name__)


class PollingBell:
    """Rings every `LOOK_EVERY_S`."""

    def wait(self, stopping: threading.Event) -> bool:
        """See `StoredBell`."""
        return stopping.wait(LOOK_EVERY_S)

    def close(self) -> None:
        """See `StoredBell`."""


class ListeningBell:
    """LISTENs on one connection of its own, which it opens anew where it breaks. For one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listening: Any = None  # a connection of the driver's

    def wait(self, stopping: threading.Event) -> bool:
        """See `StoredBell`."""
        try:
            if self._listening is None:
                self._listening = self._database.listen(STORED_CHANNEL)
                return stopping.is_set()  # what was stored before is not notified
            until_s = time.monotonic() + SURE_EVERY_S
            while not stopping.is_set() and time.monotonic() < until_s:
                for _ in self._listening.notifies(timeout=_STOP_WITHIN_S, stop_after=1):
                    return stopping.is_set()
        except (StoreUnavailableError, DBAPIError, self._database.driver_error) as error:
            _log.debug("waiting", extra={"fields": {"loop": "watch", "reason": type(error).__name__}})
            self.close()
            return stopping.wait(LOOK_EVERY_S)
        return stopping.is_set()

    def close(self) -> None:
        """Let the connection go."""
        if self._listening is not None:
            with suppress(self._database.driver_error):
                self._listening.close()
            self._listening = None


def open_bell(database: Database) -> PollingBell | ListeningBell:
    """What rings for `database`."""
    return PollingBell() if database.is_sqlite else ListeningBell(database)
