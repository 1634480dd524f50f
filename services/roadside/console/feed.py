"""Hands new sightings to every open page: one reader of the store, however many look."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from roadside.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from roadside.console.ports import Sightings
    from roadside.core.sightings import Sighting

EVERY_S = 0.5
MOST_AT_ONCE = 200
MOST_WAITING = 100
"""Sightings that a slow page may be behind; it is told to load anew beyond."""
MOST_PAGES = 256

_log = logging.getLogger(__name__)


class TooManyPagesError(Exception):
    """More pages are open than the feed serves."""


class Feed:
    """The new sightings, for the pages of one event loop."""

    def __init__(self, sightings: Sightings, every_s: float = EVERY_S) -> None:
        self._sightings = sightings
        self._every_s = every_s
        self._pages: set[asyncio.Queue[Sighting | None]] = set()

    @property
    def pages(self) -> int:
        """How many are open."""
        return len(self._pages)

    async def run(self) -> None:
        """Read the store until the task is cancelled; while nobody looks, it is left alone."""
        position: int | None = None
        while True:
            await asyncio.sleep(self._every_s)
            if not self._pages:
                position = None
                continue
            try:
                if position is None:
                    position = await asyncio.to_thread(self._sightings.newest_sequence)
                found = await asyncio.to_thread(self._sightings.after, position, MOST_AT_ONCE)
            except StoreUnavailableError as error:
                _log.warning("waiting for the store: %s", error)
                continue
            for sighting in found:
                position = max(position, sighting.sequence)
                self._tell(sighting)

    @asynccontextmanager
    async def page(self) -> AsyncIterator[asyncio.Queue[Sighting | None]]:
        """The queue of one page: sightings, and None where the page fell behind. Raises TooManyPagesError."""
        if len(self._pages) >= MOST_PAGES:
            raise TooManyPagesError
        queue: asyncio.Queue[Sighting | None] = asyncio.Queue(MOST_WAITING + 1)
        self._pages.add(queue)
        try:
            yield queue
        finally:
            self._pages.discard(queue)

    def _tell(self, sighting: Sighting) -> None:
        for queue in self._pages:
            if queue.qsize() < MOST_WAITING:
                queue.put_nowait(sighting)
            elif not queue.full():
                queue.put_nowait(None)
