"""What open pages are told of: everything stored after they were drawn, each sighting once, whenever it was stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from roadside.console.feed import MOST_PAGES, MOST_WAITING, Feed, TooManyPagesError
from roadside.core.frames import CameraId
from roadside.core.sightings import Sighting, Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from roadside.console.feed import Line
    from roadside.core.sightings import PictureKind, SightingPage, SightingQuery

OFTEN_S = 0.001
PLENTY_S = 60.0


class Stored:
    """Sightings in memory, counted from 1; `before_answer` is called after each question to it was answered."""

    def __init__(self) -> None:
        self.all: list[Sighting] = []
        self.when_asked: Callable[[str], None] = lambda _what: None

    def store(self, count: int = 1) -> None:
        for _ in range(count):
            number = len(self.all) + 1
            verdict = Verdict(VerdictKind.REVIEW, "one-look", 0.0, 0.0, ())
            seen = Sighting(f"s{number}", CameraId("gate"), "t", 1, 2, None, verdict, sequence=number)
            self.all.append(seen)

    def newest_sequence(self) -> int:
        newest = len(self.all)
        self.when_asked("newest")
        return newest

    def after(self, sequence: int, limit: int) -> Sequence[Sighting]:
        found = self.all[sequence : sequence + limit]
        self.when_asked("after")
        return found

    def find(self, query: SightingQuery) -> SightingPage:
        raise NotImplementedError

    def get(self, sighting_id: str) -> Sighting:
        raise NotImplementedError

    def picture(self, sighting_id: str, kind: PictureKind, viewer: str) -> bytes:
        raise NotImplementedError


@pytest.fixture
def stored() -> Stored:
    return Stored()


def running(feed: Feed, story: Callable[[], Awaitable[None]]) -> None:
    async def both() -> None:
        reading = asyncio.create_task(feed.run())
        try:
            await asyncio.wait_for(story(), PLENTY_S)
        finally:
            reading.cancel()

    asyncio.run(both())


async def told(line: Line, count: int) -> list[int]:
    return [seen.sequence if (seen := await line.get()) is not None else 0 for _ in range(count)]


def test_what_is_stored_right_after_the_page_opened_is_told(stored: Stored) -> None:
    feed = Feed(stored, OFTEN_S)

    async def story() -> None:
        async with feed.page() as line:
            stored.store()
            assert await told(line, 1) == [1]

    running(feed, story)


def test_what_is_stored_between_drawing_and_opening_is_told(stored: Stored) -> None:
    stored.store(3)
    feed = Feed(stored, OFTEN_S)

    async def story() -> None:
        drawn = stored.newest_sequence()
        stored.store(2)
        async with feed.page(drawn) as line:
            stored.store(2)
            assert await told(line, 4) == [4, 5, 6, 7]

    running(feed, story)


@pytest.mark.parametrize("others", [0, 1])
def test_whatever_moment_it_is_stored_at_it_is_told_once(stored: Stored, others: int) -> None:
    """At every question of the feed to the store another sighting comes."""
    stored.store(3)
    feed = Feed(stored, OFTEN_S)
    stored.when_asked = lambda _what: stored.store() if len(stored.all) < 30 else None

    async def story() -> None:
        async def follow() -> None:
            async with feed.page(3) as line:
                assert await told(line, 27) == list(range(4, 31))

        await asyncio.gather(*(follow() for _ in range(others + 1)))

    running(feed, story)


def test_pages_that_come_and_go_lose_nothing(stored: Stored) -> None:
    """Each goes on where the one before it ended, as a browser does that lost its connection."""
    feed = Feed(stored, OFTEN_S)

    async def story() -> None:
        known, heard = 0, []
        while len(heard) < 40:
            stored.store(3)
            async with feed.page(known) as line:
                stored.store()
                heard += await told(line, 2)
                known = heard[-1]
            await asyncio.sleep(0)
        assert heard == list(range(1, 41))

    running(feed, story)


def test_who_missed_too_much_is_told_so(stored: Stored) -> None:
    stored.store(MOST_WAITING + 1)
    feed = Feed(stored, OFTEN_S)

    async def story() -> None:
        async with feed.page(1) as line:
            assert await told(line, MOST_WAITING) == list(range(2, MOST_WAITING + 2))
        async with feed.page(0) as line:
            assert await told(line, 1) == [0]
            stored.store()
            assert await told(line, 1) == [MOST_WAITING + 2]

    running(feed, story)


def test_a_page_that_knows_more_than_was_stored_is_told_what_comes(stored: Stored) -> None:
    feed = Feed(stored, OFTEN_S)

    async def story() -> None:
        async with feed.page(10**6) as line:
            stored.store()
            assert await told(line, 1) == [1]

    running(feed, story)


def test_too_many_pages_are_refused(stored: Stored) -> None:
    feed = Feed(stored, OFTEN_S)

    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            opened, closing = asyncio.Semaphore(0), asyncio.Event()

            async def stay() -> None:
                async with feed.page():
                    opened.release()
                    await closing.wait()

            for _ in range(MOST_PAGES):
                group.create_task(stay())
            for _ in range(MOST_PAGES):
                await opened.acquire()
            with pytest.raises(TooManyPagesError):
                await enter(feed)
            closing.set()

    def enter(feed: Feed) -> Coroutine[None, None, None]:
        async def once() -> None:
            async with feed.page():
                pass

        return once()

    running(feed, story)
    assert feed.pages == 0
