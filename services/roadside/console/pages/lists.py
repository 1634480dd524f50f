"""The lists of known plates: who may come in, whom to tell of; kept, filled from files, and what passed of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from roadside.console.pages.registry import ENCODINGS, MOST_NAMES, SEPARATORS
from roadside.console.ports import ListChoices, Role
from roadside.console.web import RefusedError, Visit, page
from roadside.core.known import Action
from roadside.core.plates import fold
from roadside.core.sightings import SightingQuery
from roadside.errors import InputError, NotFoundError, RegistryFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roadside.console.ports import ListPreview
    from roadside.console.uploads import Uploads
    from roadside.core.known import KnownPlate

MATCHES_SHOWN = 12
ENTRIES_SHOWN = 200
WORDS = ("plate", "country", "name", "group", "valid_from", "valid_to")
_DATE_ORDERS = ("", "day-first", "month-first")


@page(Role.REVIEWER)
async def lists(visit: Visit) -> Response:
    """All lists."""
    return await _all(visit)


@page(Role.REVIEWER)
async def one(visit: Visit) -> Response:
    """One list: its plates, and which of them passed last."""
    return await _one(visit, _wanted(visit))


@page(Role.ADMIN)
async def make(visit: Visit) -> Response:
    """A new list, or another action of one."""
    form = _texts(await visit.form())
    name, action = form.get("list", "").strip(), _action(form)
    try:
        made = await run_in_threadpool(visit.desk.known.put_list, name, action)
    except InputError as error:
        return await _all(visit, fault=str(error))
    await _note(visit, name, f"{'made' if made else 'is'} for {action.value}")
    return _to(name)


@page(Role.ADMIN)
async def enter(visit: Visit) -> Response:
    """Enter a plate, or change what is held of it."""
    form = _texts(await visit.form())
    name, row = form.get("list", ""), {word: form.get(word, "") for word in WORDS}
    try:
        entry = await run_in_threadpool(visit.desk.known.enter, name, row, form.get("was", ""))
    except InputError as error:
        return await _one(visit, name, fault=str(error), row={**row, "was": form.get("was", "")})
    await _note(visit, name, "entered", plate=entry.plate)
    return _to(name)


@page(Role.ADMIN)
async def remove(visit: Visit) -> Response:
    """Remove a plate."""
    form = _texts(await visit.form())
    name, plate = form.get("list", ""), form.get("plate", "")
    if not plate:
        raise RefusedError(422, visit.words.say("Say which plate."))
    await run_in_threadpool(visit.desk.known.remove, name, plate)
    await _note(visit, name, "removed", plate=plate)
    return _to(name)


@page(Role.ADMIN)
async def drop(visit: Visit) -> Response:
    """Remove a list with all of its plates."""
    name = _texts(await visit.form()).get("list", "")
    gone = await run_in_threadpool(visit.desk.known.remove, name)
    await _note(visit, name, f"removed with its {gone} plates")
    return RedirectResponse("/lists", 303)


@page(Role.ADMIN)
async def upload(visit: Visit) -> Response:
    """Look at a file before it is entered; nothing changes."""
    form = await visit.form()
    texts, file = _texts(form), form.get("file")
    name, ticket, uploads = texts.get("list", ""), texts.get("ticket", ""), _uploads(visit)
    if isinstance(file, UploadFile) and file.filename:
        if ticket:
            uploads.drop(ticket)
        ticket = await run_in_threadpool(uploads.keep, file, visit.actor)
    if not ticket:
        return await _one(visit, name, fault=visit.words.say("Choose a file first."))
    path, source = uploads.find(ticket, visit.actor)
    choices = _choices(texts)
    preview = await run_in_threadpool(visit.desk.known.preview, path, source, name, choices)
    return _previewed(visit, name, preview, source, ticket, choices)


@page(Role.ADMIN)
async def load(visit: Visit) -> Response:
    """Enter an uploaded file, all or nothing."""
    form = _texts(await visit.form())
    name, ticket, uploads = form.get("list", ""), form.get("ticket", ""), _uploads(visit)
    path, source = uploads.find(ticket, visit.actor)
    choices = _choices(form)
    try:
        done = await run_in_threadpool(visit.desk.known.load, path, source, name, choices)
    except RegistryFileError as error:
        preview = await run_in_threadpool(visit.desk.known.preview, path, source, name, choices)
        return _previewed(visit, name, replace(preview, objection=str(error)), source, ticket, choices, 422)
    uploads.drop(ticket)
    await _note(visit, name, f"{source}: {done.read} entered, {done.removed} removed, {done.rejected} rejected")
    return _to(name)


async def _all(visit: Visit, *, fault: str = "") -> Response:
    found = await run_in_threadpool(visit.desk.known.lists)
    return visit.draw("lists.html", 422 if fault else 200, lists=found, actions=tuple(Action), fault=fault)


async def _one(visit: Visit, name: str, *, fault: str = "", row: Mapping[str, str] | None = None) -> Response:
    known = await run_in_threadpool(visit.desk.known.lists)
    action = next((action for listed, action, _ in known if listed == name), None)
    if action is None:
        raise NotFoundError(visit.words.say("There is no such list."))
    entries = await run_in_threadpool(visit.desk.known.entries, name)
    sought = visit.request.query_params.get("q", "").strip()[:64]
    found = _found(entries, sought)
    query = SightingQuery(limit=MATCHES_SHOWN, known_list=name)
    passed = await run_in_threadpool(visit.desk.sightings.find, query)
    changed = visit.request.query_params.get("change", "")
    return visit.draw(
        "list.html",
        422 if fault else 200,
        name=name,
        action=action,
        actions=tuple(Action),
        entries=found[:ENTRIES_SHOWN],
        more=len(found) - ENTRIES_SHOWN,
        total=len(entries),
        q=sought,
        sightings=passed.sightings,
        row=row if row is not None else _row(visit, entries, changed),
        now_ns=visit.desk.clock.now_ns(),
        fault=fault,
    )


def _found(entries: Sequence[KnownPlate], sought: str) -> list[KnownPlate]:
    """Those whose plate or words have `sought` in them; all without it."""
    key, word = fold(sought), sought.casefold()
    return [
        e
        for e in entries
        if not sought or (key and key in fold(e.plate)) or word in e.name.casefold() or word in e.group.casefold()
    ]


def _row(visit: Visit, entries: Sequence[KnownPlate], plate: str) -> dict[str, str]:
    """The fields of a plate that is to be changed; empty ones of a new plate."""
    entry = next((e for e in entries if e.plate == plate), None) if plate else None
    if entry is None:
        return dict.fromkeys((*WORDS, "was"), "")
    begins, ends = visit.words.bounds(entry.valid_from_ns, entry.valid_to_ns)
    told = (entry.plate, entry.country, entry.name, entry.group, begins, ends, entry.plate)
    return dict(zip((*WORDS, "was"), told, strict=True))


def _previewed(  # noqa: PLR0913, PLR0917 - what the page shows
    visit: Visit, name: str, preview: ListPreview, source: str, ticket: str, choices: ListChoices, status: int = 200
) -> Response:
    names = [each for each in dict.fromkeys(each.strip() for each in preview.names) if each]
    return visit.draw(
        "list_preview.html",
        status,
        name=name,
        preview=preview,
        source=source,
        ticket=ticket,
        choices=choices,
        wanted=WORDS,
        names=names[:MOST_NAMES],
        encodings=ENCODINGS,
        separators=SEPARATORS,
    )


def _choices(form: Mapping[str, str]) -> ListChoices:
    order = form.get("date_order", "")
    if order not in _DATE_ORDERS:
        raise RefusedError(422, "dates are day-first or month-first")
    return ListChoices(
        replace=form.get("mode", "add") == "replace",
        date_order=order,
        encoding=form.get("encoding", "")[:32],
        separator=SEPARATORS.get(form.get("separator", ""), ""),
        country=form.get("country", "").strip()[:32],
        columns={word: form[f"column_{word}"] for word in WORDS if form.get(f"column_{word}", "").strip()},
    )


def _action(form: Mapping[str, str]) -> Action:
    try:
        return Action(form.get("action", ""))
    except ValueError as error:
        raise RefusedError(422, f"action: one of {', '.join(Action)}") from error


def _wanted(visit: Visit) -> str:
    return visit.request.query_params.get("list", "")[:200]


def _to(name: str) -> Response:
    return RedirectResponse(f"/lists/one?{urlencode({'list': name})}", 303)


async def _note(visit: Visit, name: str, detail: str, plate: str = "") -> None:
    await run_in_threadpool(
        lambda: visit.desk.ledger.note(visit.actor, "changed a list", name[:128] or "-", detail[:300], plate=plate[:32])
    )


def _texts(form: Mapping[str, object]) -> dict[str, str]:
    return {name: value[:200] for name, value in form.items() if isinstance(value, str)}


def _uploads(visit: Visit) -> Uploads:
    uploads: Uploads = visit.request.app.state.uploads
    return uploads


ROUTES = [
    Route("/lists", lists),
    Route("/lists/one", one),
    Route("/lists/new", make, methods=["POST"]),
    Route("/lists/enter", enter, methods=["POST"]),
    Route("/lists/remove", remove, methods=["POST"]),
    Route("/lists/drop", drop, methods=["POST"]),
    Route("/lists/preview", upload, methods=["POST"]),
    Route("/lists/import", load, methods=["POST"]),
]
