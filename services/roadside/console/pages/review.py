"""The queue of sightings that need a person, made for the keyboard."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, RedirectResponse
from starlette.routing import Route

from roadside.console.pages.sighting import action_of, slots_of
from roadside.console.ports import Role
from roadside.console.web import Visit, page
from roadside.core.reviews import ReviewAction
from roadside.errors import InputError, NotFoundError
from roadside.kit.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

MOST_SKIPPED = 500
LONGEST_ID = 64
CANDIDATES = 5


@page(Role.REVIEWER)
async def review(visit: Visit) -> Response:
    """The sighting that has waited longest."""
    skip = _skipped(visit.request.query_params.get("skip", ""))
    return await _next(visit, skip)


@page(Role.REVIEWER)
async def answer(visit: Visit) -> Response:
    """Takes an answer, and gives the next sighting in its place."""
    form = await visit.form()
    skip = _skipped(str(form.get("skip", "")))
    wanted, said = str(form.get("sighting", ""))[:LONGEST_ID], str(form.get("action", ""))
    if said == "skip":
        return await _following(visit, [*skip, wanted])
    action = action_of(said)
    text = str(form.get("plate", "")) if action is ReviewAction.CORRECT else ""
    country = str(form.get("country", "")) if action is ReviewAction.CORRECT else ""
    try:
        done = await run_in_threadpool(
            lambda: visit.desk.reviews.answer(wanted, action, visit.actor, text=text, country=country)
        )
    except NotFoundError:
        return await _following(visit, skip)
    except InputError as error:
        return await _next(visit, skip, fault=str(error))
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "answered", wanted, action.value)
    return await _following(visit, skip, done=done.verdict.kind.value)


def _is_part(visit: Visit) -> bool:
    """Whether the page's script asks; else the browser sent the form itself, as it does until the script has it."""
    return "hx-request" in visit.request.headers


async def _following(visit: Visit, skip: Sequence[str], *, done: str = "") -> Response:
    if not _is_part(visit):
        return RedirectResponse(f"/review?skip={quote(' '.join(skip[-MOST_SKIPPED:]))}", 303)
    return await _next(visit, skip, done=done)


async def _next(visit: Visit, skip: Sequence[str], *, fault: str = "", done: str = "") -> Response:
    sighting, waiting = await run_in_threadpool(visit.desk.reviews.next, skip, visit.actor)
    ready = await run_in_threadpool(visit.desk.ledger.training_ready)
    slots = slots_of(sighting.plate) if sighting is not None and sighting.plate is not None else ()
    near = [r for r in sighting.verdict.readings if r.paid or r.exempt][:CANDIDATES] if sighting is not None else []
    return visit.draw(
        "review_task.html" if _is_part(visit) else "review.html",
        422 if fault else 200,
        sighting=sighting,
        waiting=waiting,
        ready=ready,
        slots=slots,
        near=near,
        skip=" ".join(skip),
        fault=fault,
        done=done,
    )


@page(Role.REVIEWER)
async def export(visit: Visit) -> Response:
    """Every answered plate whose picture is still there, as training data in an archive."""
    with ExitStack() as stack:
        folder = stack.enter_context(ScratchFolder("training")).path
        plates = folder / "plates"
        count = await run_in_threadpool(visit.desk.training.export, plates, visit.actor)
        if not count:
            reason = visit.words.say("Nothing is ready for training yet: answer what waits for a person.")
            return visit.draw("refused.html", 404, reason=reason)
        archive = await run_in_threadpool(shutil.make_archive, str(folder / "roadside-training"), "zip", plates)
        await run_in_threadpool(visit.desk.ledger.note, visit.actor, "exported", "corrections", f"{count} plates")
        kept = stack.pop_all()
    return FileResponse(
        archive,
        media_type="application/zip",
        filename="roadside-training.zip",
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(kept.close),
    )


def _skipped(text: str) -> list[str]:
    return [word[:LONGEST_ID] for word in text.split()[-MOST_SKIPPED:]]


ROUTES = [
    Route("/review", review),
    Route("/review/answer", answer, methods=["POST"]),
    Route("/review/training.zip", export),
]
