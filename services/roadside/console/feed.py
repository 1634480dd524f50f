"""Hands new sightings to every open page: one reader of the store, however many look."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from roadside.console.ports import Sightings
    from roadside.core.sightings import Sighting

EVERY_S = 0.5
MOST_AT_ONCE = 200
MOST_WAITING = 100
"""Sightings that a page may be behind, at its beginning or later; it is told to load anew beyond."""
MOST_PAGES = 256

_log = logging.getLogger(__name__)


class TooManyPagesError(Exception):
    """More pages are open than the feed serves."""


@dataclass(slots=True, eq=False)
class Line:
    """What one page has not been told yet: first what it missed, then what comes."""

    after: int = 0
    """The sequence up to which the page knows everything."""
    _missed: deque[Sighting | None] = field(default_factory=deque)
    _coming: asyncio.Queue[Sighting | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING + 1))

    async def get(self) -> Sighting | None:
        """The next sighting, each once, in the order of storing; None where the page fell behind."""
        while True:
            sighting = self._missed.popleft() if self._missed else await self._coming.get()
            if sighting is None:
                return None
            if sighting.sequence > self.after:
                self.after = sighting.sequence
                return sighting

    def catch_up(self, missed: Iterable[Sighting | None]) -> None:
        """Put what the page missed before what comes."""
        self._missed.extend(missed)

    def tell(self, sighting: Sighting) -> None:
        """Add a sighting, or once, where too many wait, that the page fell behind."""
        if self._coming.qsize() < MOST_WAITING:
            self._coming.put_nowait(sighting)
        elif not self._coming.full():
            self._coming.put_nowait(None)


class Feed:
    """The new sightings, for the pages of one event loop."""

    def __init__(self, sightings: Sightings, every_s: float = EVERY_S) -> None:
        self._sightings = sightings
        self._every_s = every_s
        self._lines: set[Line] = set()
        self._position = 0
        """The sequence up to which every line was told; it means something while there are lines."""

    @property
    def pages(self) -> int:
        """How many are open."""
        return len(self._lines)

    async def run(self) -> None:
        """Read the store until the task is cancelled; while nobody looks, it is left alone."""
        while True:
            await asyncio.sleep(self._every_s)
            if not self._lines:
                continue
            try:
                found = await asyncio.to_thread(self._sightings.after, self._position, MOST_AT_ONCE)
            except UnavailableError as error:
                _log.warning("waiting for the store: %s", error)
                continue
            for sighting in found:
                self._tell(sighting)

    @asynccontextmanager
    async def page(self, since: int | None = None) -> AsyncIterator[Line]:
        """The line of a page that knows what was stored up to the sequence `since`; None: up to now.

        Raises TooManyPagesError, UnavailableError.
        """
        newest = await asyncio.to_thread(self._sightings.newest_sequence)
        if len(self._lines) >= MOST_PAGES:
            raise TooManyPagesError
        if not self._lines:
            self._position = newest
        line, known = Line(), self._position  # nothing is awaited between: the line is told all beyond `known`
        self._lines.add(line)
        try:
            line.after = known if since is None else min(max(since, 0), known)
            line.catch_up(await self._missed(line.after, known))
            yield line
        finally:
            self._lines.discard(line)

    async def _missed(self, after: int, known: int) -> list[Sighting | None]:
        if after >= known:
            return []
        found = await asyncio.to_thread(self._sightings.after, after, MOST_WAITING + 1)
        missed = [sighting for sighting in found if sighting.sequence <= known]
        return [None] if len(missed) > MOST_WAITING else list(missed)

    def _tell(self, sighting: Sighting) -> None:
        if sighting.sequence <= self._position:  # the first of new pages moved the position on meanwhile
            return
        self._position = sighting.sequence
        for line in self._lines:
            line.tell(sighting)
