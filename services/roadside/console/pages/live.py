"""The sightings as they happen."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from roadside.console.feed import TooManyPagesError
from roadside.console.queries import asked, known_to, query_of
from roadside.console.web import Visit, draw, page, session_of
from roadside.core.outline import Direction
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.core.speed import is_faster
from roadside.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response

    from roadside.core.sightings import Sighting

SHOWN = 24
CARDS_KEPT = 256
SESSION_CHECK_S = 60.0
"""How long after somebody was signed out an open page may still be told."""

_log = logging.getLogger(__name__)


@page()
async def live(visit: Visit) -> Response:
    """The newest sightings; those to come are added by the page itself."""
    said = asked(visit.request.query_params)
    query = query_of(said, visit.desk.zone, SHOWN)
    newest = await run_in_threadpool(visit.desk.sightings.newest_sequence)  # before: told twice is better than never
    found = await run_in_threadpool(visit.desk.sightings.find, query)
    cameras = await run_in_threadpool(visit.desk.cameras.states)
    held = await run_in_threadpool(visit.desk.registry.state)
    return visit.draw(
        "live.html",
        sightings=found.sightings,
        newest=newest,
        said=said,
        cameras=cameras,
        held=held,
        verdicts=tuple(VerdictKind),
        directions=tuple(Direction),
    )


@page()
async def events(visit: Visit) -> Response:
    """Sightings after the one that the browser knows, as server-sent events, each a card."""
    query = query_of(asked(visit.request.query_params), visit.desk.zone)
    return EventSourceResponse(_cards(visit, query, known_to(visit.request)), ping=15)


async def _cards(visit: Visit, query: SightingQuery, since: int | None) -> AsyncIterator[ServerSentEvent]:
    loop = asyncio.get_running_loop()
    checked = loop.time()
    try:
        async with visit.desk.feed.page(since) as line:
            yield ServerSentEvent(comment="ready", id=str(line.after))
            while True:
                if loop.time() - checked > SESSION_CHECK_S:
                    if await session_of(visit.request) is None:
                        return
                    checked = loop.time()
                try:
                    sighting = await asyncio.wait_for(line.get(), SESSION_CHECK_S)
                except TimeoutError:
                    continue
                if sighting is None:
                    yield ServerSentEvent(event="behind", data="")
                elif _wanted(sighting, query):
                    yield ServerSentEvent(event="sighting", data=_card(visit, sighting), id=str(sighting.sequence))
                else:
                    yield ServerSentEvent(comment="another", id=str(sighting.sequence))
    except TooManyPagesError:
        yield ServerSentEvent(event="full", data="")
    except UnavailableError as error:  # the browser comes again
        _log.warning("a page waits for the store: %s", error)


def _card(visit: Visit, sighting: Sighting) -> str:
    """Drawn once for all pages of a language."""
    cards: dict[tuple[int, str], str] = visit.request.app.state.cards
    key = sighting.sequence, visit.words.language
    if key not in cards:
        while len(cards) >= CARDS_KEPT:
            del cards[next(iter(cards))]
        card = draw(visit.request, visit.words, "card.html", visit=visit, sighting=sighting, fresh=True)
        cards[key] = bytes(card.body).decode()
    return cards[key]


def _wanted(sighting: Sighting, query: SightingQuery) -> bool:
    if query.camera_id is not None and sighting.camera_id != query.camera_id:
        return False
    if query.direction is not None and sighting.direction is not query.direction:
        return False
    if not is_faster(sighting.speed, query.over_kmh):
        return False
    if query.known_list is not None and all(match.list_name != query.known_list for match in sighting.known):
        return False
    return query.verdict is None or sighting.verdict.kind is query.verdict


ROUTES = [Route("/", live), Route("/live/events", events)]
