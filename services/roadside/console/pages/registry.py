"""The lists of who paid: what is held, what a plate has, and taking a new list in after a look at it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from roadside.console.ports import ListChoices, Role
from roadside.console.queries import Asked, query_of
from roadside.console.web import RefusedError, Visit, page
from roadside.errors import ImportRefusedError, InputError, RegistryFileError, RegistryUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roadside.console.ports import ListPreview
    from roadside.console.uploads import Uploads

_DATE_ORDERS = ("", "day-first", "month-first")
MEANINGS = ("plate", "country", "category", "valid_from", "valid_to", "pattern", "reason")
MOST_NAMES = 100
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1250": "Windows-1250",
    "cp1252": "Windows-1252",
    "iso8859-2": "ISO 8859-2",
    "cp852": "DOS Latin 2",
    "cp1251": "Windows-1251",
}
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


@page()
async def registry(visit: Visit) -> Response:
    """What is held, and a form to ask about a plate."""
    return await _registry(visit)


@page(Role.CHECKER)
async def check(visit: Visit) -> Response:
    """What is held of a plate at a time."""
    plate = visit.request.query_params.get("plate", "")[:32]
    country = visit.request.query_params.get("country", "")[:32]
    at = visit.request.query_params.get("at", "")[:32]
    try:
        since_ns = query_of(Asked(since=at), visit.desk.zone).since_ns if at else None
        at_ns = since_ns if since_ns is not None else visit.desk.clock.now_ns()
        kind, held = await run_in_threadpool(visit.desk.registry.check, plate, country, at_ns)
    except (InputError, RegistryUnavailableError) as error:
        return await _registry(visit, plate=plate, country=country, at=at, fault=str(error))
    await run_in_threadpool(partial(visit.desk.ledger.note, visit.actor, "checked", "registry", country, plate=plate))
    return await _registry(visit, plate=plate, country=country, at=at, kind=kind, held=held)


@page(Role.ADMIN)
async def upload(visit: Visit) -> Response:
    """Look at a list before it is taken in; nothing changes."""
    form = await visit.form()
    file, ticket = form.get("file"), str(form.get("ticket", ""))
    uploads = _uploads(visit)
    if isinstance(file, UploadFile) and file.filename:
        if ticket:
            uploads.drop(ticket)
        ticket = await run_in_threadpool(uploads.keep, file, visit.actor)
    if not ticket:
        return await _registry(visit, fault=visit.words.say("Choose a file first."))
    path, source = uploads.find(ticket, visit.actor)
    choices = choices_of({k: str(v) for k, v in form.items() if isinstance(v, str)})
    preview = await run_in_threadpool(visit.desk.registry.preview, path, source, choices)
    return _previewed(visit, preview, source, ticket, choices)


@page(Role.ADMIN)
async def load(visit: Visit) -> Response:
    """Take an uploaded list in, all or nothing."""
    form = {k: str(v) for k, v in (await visit.form()).items()}
    uploads, ticket = _uploads(visit), form.get("ticket", "")
    path, source = uploads.find(ticket, visit.actor)
    choices = choices_of(form)
    try:
        done = await run_in_threadpool(visit.desk.registry.load, path, source, choices, visit.actor)
    except (RegistryFileError, ImportRefusedError) as error:
        preview = await run_in_threadpool(visit.desk.registry.preview, path, source, choices)
        preview = replace(preview, objection=str(error))
        return _previewed(visit, preview, source, ticket, choices, 422)
    uploads.drop(ticket)
    note = f"{source}: {done.added} added, {done.removed} removed, {done.rejected} rejected"
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "imported", "registry", note)
    return RedirectResponse("/registry", 303)


def choices_of(form: Mapping[str, str]) -> ListChoices:
    """How a form says that a list is to be read. Raises RefusedError."""
    order = form.get("date_order", "")
    if order not in _DATE_ORDERS:
        raise RefusedError(422, "dates are day-first or month-first")
    exemptions = form.get("content", "vignettes") == "exemptions"
    return ListChoices(
        exemptions,
        exemptions or form.get("mode", "replace") == "replace",
        order,
        form.get("encoding", "")[:32],
        SEPARATORS.get(form.get("separator", ""), ""),
        form.get("country", "").strip()[:32],
        {name: form[f"column_{name}"][:200] for name in MEANINGS if form.get(f"column_{name}", "").strip()},
    )


def _previewed(  # noqa: PLR0913, PLR0917 - what the page shows
    visit: Visit, preview: ListPreview, source: str, ticket: str, choices: ListChoices, status: int = 200
) -> Response:
    wanted = ("pattern", "country", "reason", "valid_from", "valid_to") if choices.exemptions else MEANINGS[:5]
    names = [name for name in dict.fromkeys(each.strip() for each in preview.names) if name]
    return visit.draw(
        "preview.html",
        status,
        preview=preview,
        source=source,
        ticket=ticket,
        choices=choices,
        wanted=wanted,
        names=names[:MOST_NAMES],
        encodings=ENCODINGS,
        separators=SEPARATORS,
    )


def _uploads(visit: Visit) -> Uploads:
    uploads: Uploads = visit.request.app.state.uploads
    return uploads


async def _registry(visit: Visit, **values: object) -> Response:
    state = await run_in_threadpool(visit.desk.registry.state)
    blank = {"plate": "", "country": "", "at": "", "fault": "", "kind": "", "held": ()}
    fault = bool(values.get("fault"))
    return visit.draw("registry.html", 422 if fault else 200, state=state, **{**blank, **values})


ROUTES = [
    Route("/registry", registry),
    Route("/registry/check", check),
    Route("/registry/preview", upload, methods=["POST"]),
    Route("/registry/import", load, methods=["POST"]),
]
