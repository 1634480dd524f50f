"""One vehicle that passed: its pictures, how it was read, why it was judged so, who looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from roadside.console.ports import Role
from roadside.console.web import RefusedError, Visit, page
from roadside.core.reads import ALPHABET
from roadside.core.reviews import ReviewAction
from roadside.core.sightings import PictureKind, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.reads import FusedPlate

ALTERNATIVES = 3
TWO = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """One character of a plate, as it was read."""

    character: str
    probability: float
    others: Sequence[tuple[str, float]]


@page()
async def sighting(visit: Visit) -> Response:
    """The page of one sighting; that it was looked at is written down."""
    wanted = visit.request.path_params["sighting_id"]
    seen = await run_in_threadpool(visit.desk.sightings.get, wanted)
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "looked", wanted, "sighting")
    looks = await run_in_threadpool(visit.desk.ledger.looks, wanted)
    answers = await run_in_threadpool(visit.desk.ledger.answers, wanted)
    if visit.desk.two_reviewers and seen.verdict.kind is VerdictKind.REVIEW and len(answers) < TWO:
        # Who answers second must not know what the first one said.
        answers, looks = (), [look for look in looks if look.action != "answered"]
    slots = slots_of(seen.plate) if seen.plate is not None else ()
    seal = await run_in_threadpool(visit.desk.ledger.seal, wanted)
    return visit.draw("sighting.html", sighting=seen, looks=looks, answers=answers, slots=slots, seal=seal)


@page()
async def picture(visit: Visit) -> Response:
    """The crop or the frame; the store writes down who looked."""
    wanted = visit.request.path_params["sighting_id"]
    try:
        kind = PictureKind(visit.request.path_params["kind"])
    except ValueError as error:
        raise RefusedError(404, "there is a crop, a frame and a strip") from error
    data = await run_in_threadpool(visit.desk.sightings.picture, wanted, kind, visit.actor)
    media = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    return Response(data, media_type=media, headers={"Cache-Control": "private, max-age=300"})


@page(Role.REVIEWER)
async def answer(visit: Visit) -> Response:
    """Confirm, correct or give up on the plate of a sighting."""
    form = await visit.form()
    wanted = visit.request.path_params["sighting_id"]
    action = action_of(str(form.get("action", "")))
    text, country = str(form.get("plate", "")), str(form.get("country", ""))
    given = (text, country) if action is ReviewAction.CORRECT else ("", "")
    await run_in_threadpool(
        lambda: visit.desk.reviews.answer(wanted, action, visit.actor, text=given[0], country=given[1])
    )
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "answered", wanted, action.value)
    return RedirectResponse(f"/sightings/{wanted}", 303)


@page(Role.ADMIN)
async def forget(visit: Visit) -> Response:
    """Delete all that is kept of this plate."""
    await visit.form()
    seen = await run_in_threadpool(visit.desk.sightings.get, visit.request.path_params["sighting_id"])
    if seen.plate is None:
        raise RefusedError(422, visit.words.say("The plate of this vehicle is not kept."))
    count, receipt = await run_in_threadpool(visit.desk.ledger.forget, seen.plate.text, visit.actor)
    return visit.draw("forgotten.html", count=count, receipt=receipt)


def action_of(text: str) -> ReviewAction:
    """What a form says of a plate. Raises RefusedError."""
    try:
        return ReviewAction(text)
    except ValueError as error:
        raise RefusedError(422, "say whether the plate is right, another one, or unreadable") from error


def slots_of(plate: FusedPlate) -> Sequence[Slot]:
    """The characters of a plate with the next likely ones; none where no posterior was kept for each of them."""
    posterior = plate.posterior
    if posterior is None or len(posterior) != len(plate.text):
        return ()
    found = []
    for character, row in zip(plate.text, posterior, strict=True):
        ranked = sorted(zip(ALPHABET, row.tolist(), strict=False), key=lambda entry: -entry[1])
        mine = dict(ranked).get(character, 0.0)
        others = [(c, p) for c, p in ranked if c != character and p >= 0.001][:ALTERNATIVES]
        found.append(Slot(character, mine, others))
    return found


ROUTES = [
    Route("/sightings/{sighting_id}", sighting),
    Route("/sightings/{sighting_id}/answer", answer, methods=["POST"]),
    Route("/sightings/{sighting_id}/forget", forget, methods=["POST"]),
    Route("/sightings/{sighting_id}/{kind}", picture),
]
