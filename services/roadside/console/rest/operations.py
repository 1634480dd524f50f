"""The operations of /api/v1."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator  # noqa: TC003 - FastAPI needs it at run time
from datetime import datetime  # noqa: TC003 - FastAPI needs it at run time
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from roadside.console.feed import TooManyPagesError
from roadside.console.ports import Role
from roadside.console.queries import MOST_PLATE, Asked, known_to, query_of
from roadside.console.rest.caller import Caller, caller
from roadside.console.rest.models import (
    AnswerModel,
    CameraModel,
    CheckModel,
    ListedPlateModel,
    ListModel,
    Problem,
    RegistryModel,
    RemovedModel,
    ReviewModel,
    SightingModel,
    SightingPageModel,
    camera_model,
    held_model,
    listed_model,
    moment,
    registry_model,
    sighting_model,
)
from roadside.console.web import RefusedError
from roadside.core.known import Action  # noqa: TC001 - FastAPI needs it at run time
from roadside.core.outline import Direction  # noqa: TC001 - FastAPI needs it at run time
from roadside.core.sightings import PictureKind, VerdictKind
from roadside.errors import UnavailableError

_PROBLEM = {"model": Problem, "content": {"application/problem+json": {}}}
_FAULTS = {401: _PROBLEM, 403: _PROBLEM, 404: _PROBLEM, 422: _PROBLEM, 503: _PROBLEM}

_log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1", responses=_FAULTS)  # type: ignore[arg-type]

Viewer = Annotated[Caller, Depends(caller(Role.VIEWER))]
Checker = Annotated[Caller, Depends(caller(Role.CHECKER))]
Admin = Annotated[Caller, Depends(caller(Role.ADMIN))]
ListName = Annotated[str, Path(max_length=64)]
Reviewer = Annotated[Caller, Depends(caller(Role.REVIEWER))]
SightingId = Annotated[str, Path(max_length=64)]


@router.get("/sightings", operation_id="listSightings")
async def list_sightings(  # noqa: PLR0913, PLR0917 - the filters of a search
    who: Viewer,
    plate: Annotated[str, Query(max_length=MOST_PLATE, description="up to one character away")] = "",
    plate_starts: Annotated[str, Query(max_length=MOST_PLATE, description="what the plate begins with")] = "",
    camera: Annotated[str, Query(max_length=64)] = "",
    country: Annotated[str, Query(max_length=32)] = "",
    verdict: VerdictKind | None = None,
    direction: Direction | None = None,
    over_kmh: Annotated[float | None, Query(ge=0, le=1000, description="faster, beyond the uncertainty")] = None,
    known: Annotated[str, Query(max_length=64, description="a list of known plates")] = "",
    since: Annotated[str, Query(max_length=32, description="last seen at or after: a day or a time")] = "",
    until: Annotated[str, Query(max_length=32, description="last seen before the time, or on the day")] = "",
    page: Annotated[str, Query(max_length=128)] = "",
    size: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> SightingPageModel:
    """A page of sightings, newest first."""
    if plate and plate_starts:
        raise RefusedError(422, "give plate or plate_starts, not both")
    said = Asked(
        plate=plate or plate_starts,
        how="starts" if plate_starts else "like",
        since=since,
        until=until,
        camera=camera,
        country=country,
        verdict=verdict.value if verdict else "",
        direction=direction.value if direction else "",
        over="" if over_kmh is None else repr(over_kmh),
        known=known,
        page=page,
    )
    found = await run_in_threadpool(who.desk.sightings.find, query_of(said, who.desk.zone, size))
    if said.plate:
        note = partial(who.desk.ledger.note, who.actor, "searched", "sightings", said.said, plate=said.plate)
        await run_in_threadpool(note)
    return SightingPageModel(
        sightings=[sighting_model(s) for s in found.sightings], next_page=found.next_page_token or None
    )


@router.get("/sightings/watch", operation_id="watchSightings", response_class=EventSourceResponse)
async def watch_sightings(
    who: Viewer,
    request: Request,
    after: Annotated[int | None, Query(ge=0, lt=10**18, description="`sequence` of the last that is known")] = None,
) -> EventSourceResponse:
    """Sightings as server-sent events, each a JSON object as `getSighting` gives it: new ones, or those `after` one.

    A header Last-Event-ID, as browsers send it when they connect again, is as good as `after`. The event `behind` tells
    that more were missed than are sent here: list them.
    """
    return EventSourceResponse(
        _new_ones(who, known_to(request) if "last-event-id" in request.headers else after), ping=15
    )


@router.get("/sightings/{sighting_id}", operation_id="getSighting")
async def get_sighting(
    who: Viewer,
    sighting_id: SightingId,
    response: Response,
    if_none_match: Annotated[str, Header(max_length=200)] = "",
) -> SightingModel:
    """One sighting. Its ETag changes with its verdict."""
    sighting = await run_in_threadpool(who.desk.sightings.get, sighting_id)
    tag = f'"{sighting.sequence}-{sighting.verdict.kind.value}-{sighting.verdict.rule}"'
    if if_none_match == tag:
        raise RefusedError(304, "")
    await run_in_threadpool(who.desk.ledger.note, who.actor, "looked", sighting_id, "sighting")
    response.headers["ETag"] = tag
    return sighting_model(sighting)


@router.get("/sightings/{sighting_id}/pictures/{kind}", operation_id="getPicture", response_class=Response)
async def get_picture(who: Viewer, sighting_id: SightingId, kind: PictureKind) -> Response:
    """The crop or the frame of a sighting; who looked is written down."""
    data = await run_in_threadpool(who.desk.sightings.picture, sighting_id, kind, who.actor)
    return Response(data, media_type="image/png" if data.startswith(b"\x89PNG") else "image/jpeg")


@router.post("/sightings/{sighting_id}/answers", operation_id="answerSighting")
async def answer_sighting(who: Reviewer, sighting_id: SightingId, answer: AnswerModel) -> SightingModel:
    """What a person says of the plate; the sighting as it is judged after it."""
    done = await run_in_threadpool(
        lambda: who.desk.reviews.answer(
            sighting_id, answer.action, who.actor, text=answer.plate, country=answer.country
        )
    )
    await run_in_threadpool(who.desk.ledger.note, who.actor, "answered", sighting_id, answer.action.value)
    return sighting_model(done)


@router.get("/reviews/next", operation_id="nextReview")
async def next_review(
    who: Reviewer, skip: Annotated[list[str] | None, Query(max_length=500, description="sightings to leave out")] = None
) -> ReviewModel:
    """The sighting that has waited longest for a person."""
    sighting, waiting = await run_in_threadpool(who.desk.reviews.next, skip or [], who.actor)
    return ReviewModel(sighting=sighting_model(sighting) if sighting is not None else None, waiting=waiting)


@router.get("/checks", operation_id="checkPlate")
async def check_plate(
    who: Checker,
    plate: Annotated[str, Query(min_length=1, max_length=32)],
    country: Annotated[str, Query(max_length=32)] = "",
    at: Annotated[datetime | None, Query(description="time of the passage; now where it is not given")] = None,
) -> CheckModel:
    """Whether the registry holds a plate that is known for certain."""
    at_ns = (
        who.desk.clock.now_ns() if at is None else (query_of(Asked(since=at.isoformat()), who.desk.zone).since_ns or 0)
    )
    kind, held = await run_in_threadpool(who.desk.registry.check, plate, country, at_ns)
    await run_in_threadpool(partial(who.desk.ledger.note, who.actor, "checked", "registry", country, plate=plate))
    return CheckModel(
        plate=plate,
        country=country,
        at=moment(at_ns),
        verdict=VerdictKind(kind),
        entries=[held_model(entry) for entry in held],
    )


@router.get("/lists", operation_id="listLists")
async def list_lists(who: Reviewer) -> list[ListModel]:
    """The lists of known plates."""
    found = await run_in_threadpool(who.desk.known.lists)
    return [ListModel(name=name, action=action, plates=count) for name, action, count in found]


@router.put("/lists/{name}", operation_id="putList")
async def put_list(who: Admin, name: ListName, action: Annotated[Action, Query()]) -> ListModel:
    """Make a list, or give it another action."""
    await run_in_threadpool(who.desk.known.put_list, name, action)
    await _changed(who, name, f"is for {action.value}")
    return ListModel(name=name, action=action, plates=len(await run_in_threadpool(who.desk.known.entries, name)))


@router.get("/lists/{name}/plates", operation_id="listListedPlates")
async def list_listed(who: Reviewer, name: ListName) -> list[ListedPlateModel]:
    """The plates of a list, in the order in which they were entered."""
    return [listed_model(entry) for entry in await run_in_threadpool(who.desk.known.entries, name)]


@router.put("/lists/{name}/plates", operation_id="enterPlate")
async def enter_plate(who: Admin, name: ListName, entry: ListedPlateModel) -> ListedPlateModel:
    """Enter a plate, or change what is held of it."""
    entered = await run_in_threadpool(who.desk.known.enter, name, entry.model_dump())
    await _changed(who, name, "entered", entered.plate)
    return listed_model(entered)


@router.delete("/lists/{name}/plates", operation_id="removePlate")
async def remove_plate(
    who: Admin, name: ListName, plate: Annotated[str, Query(min_length=1, max_length=32)]
) -> RemovedModel:
    """Remove a plate from a list."""
    gone = await run_in_threadpool(who.desk.known.remove, name, plate)
    await _changed(who, name, "removed", plate)
    return RemovedModel(plates=gone)


async def _changed(who: Caller, name: str, what: str, plate: str = "") -> None:
    await run_in_threadpool(lambda: who.desk.ledger.note(who.actor, "changed a list", name, what, plate=plate))


@router.get("/registry", operation_id="getRegistry")
async def get_registry(who: Viewer) -> RegistryModel:
    """What the registry holds."""
    return registry_model(await run_in_threadpool(who.desk.registry.state))


@router.get("/cameras", operation_id="listCameras")
async def list_cameras(who: Viewer) -> list[CameraModel]:
    """The cameras of this process."""
    return [camera_model(state) for state in await run_in_threadpool(who.desk.cameras.states)]


async def _new_ones(who: Caller, after: int | None) -> AsyncIterator[ServerSentEvent]:
    try:
        async with who.desk.feed.page(after) as line:
            yield ServerSentEvent(comment="ready", id=str(line.after))
            while True:
                sighting = await line.get()
                if sighting is None:
                    yield ServerSentEvent(event="behind", data="{}")
                else:
                    told = sighting_model(sighting).model_dump_json()
                    yield ServerSentEvent(event="sighting", data=told, id=str(sighting.sequence))
    except TooManyPagesError:
        yield ServerSentEvent(event="full", data="{}")
    except UnavailableError as error:  # the caller comes again
        _log.warning("a watch waits for the store: %s", error)
