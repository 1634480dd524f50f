"""What of a camera's picture is looked at: drawn on it, tried on the last minute, saved and obeyed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from roadside.console.ports import Role
from roadside.console.web import RefusedError, Visit, page
from roadside.core.view import ROTATIONS, Flip
from roadside.core.view_table import TableFault, parse_view, view_table
from roadside.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from roadside.core.view import View

MOST_DRAWN = 200_000
"""Characters of a drawing: 64 areas of 64 corners take half of it."""
DRAWN = ("zones", "masks", "line")


@page(Role.ADMIN)
async def camera_view(visit: Visit) -> Response:
    """The picture with what is drawn on it."""
    camera_id, view = await _known(visit)
    return _drawn(visit, camera_id, view)


@page(Role.ADMIN)
async def try_out(visit: Visit) -> Response:
    """What would have been read in the last minute; nothing changes."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    camera_id, now = await _known(visit)
    try:
        wanted = view_of(form, now)
    except TableFault as fault:
        return visit.draw("camera_trial.html", 422, fault=str(fault), trial=None)
    trial = await run_in_threadpool(visit.desk.cameras.retry, camera_id, wanted)
    return visit.draw("camera_trial.html", fault="", trial=trial)


@page(Role.ADMIN)
async def save(visit: Visit) -> Response:
    """Look so from now on."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    camera_id, now = await _known(visit)
    try:
        wanted = view_of(form, now)
        path = await run_in_threadpool(visit.desk.cameras.save_view, camera_id, wanted)
    except (TableFault, SettingsError) as fault:
        return _drawn(visit, camera_id, now, fault=str(fault), drawn=form.get("drawn", ""))
    line = "with" if wanted.line is not None else "without"
    said = f"{len(wanted.zones)} zones, {len(wanted.masks)} masks, {line} a line, turned by {wanted.rotation}"
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "set a camera", camera_id[:64], said)
    return _drawn(visit, camera_id, wanted, saved=path)


def view_of(form: Mapping[str, str], now: View) -> View:
    """What a form says of a camera whose view is `now`; hours and gate stay. Raises TableFault."""
    try:
        drawn = json.loads(form.get("drawn", "")[:MOST_DRAWN] or "{}")
        table = {key: drawn[key] for key in DRAWN if drawn.get(key)}
        table["rotation"] = int(form.get("rotation", "0"))
        table["least_width"] = float(form.get("least_width", "0") or 0)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise TableFault((), "this is no drawing: load the page again") from error
    table["flip"] = form.get("flip", "none")
    return parse_view(table, replace(now, zones=(), masks=(), line=None))


async def _known(visit: Visit) -> tuple[str, View]:
    camera_id: str = visit.request.path_params["camera_id"]
    view = await run_in_threadpool(visit.desk.cameras.view, camera_id)
    if view is None:
        raise RefusedError(404, visit.words.say("What this camera looks at is set in a file that is not here."))
    return camera_id, view


def _drawn(visit: Visit, camera_id: str, view: View, **said: str) -> Response:
    """The page; `said` may have `fault`, `saved` (where to) and `drawn` (what, where it is not the view's)."""
    table = view_table(view)
    return visit.draw(
        "camera_view.html",
        422 if said.get("fault") else 200,
        camera_id=camera_id,
        view=view,
        drawn=said.get("drawn") or json.dumps({key: table[key] for key in DRAWN if key in table}),
        rotations=ROTATIONS,
        flips=tuple(Flip),
        fault=said.get("fault", ""),
        saved=said.get("saved", ""),
    )


ROUTES = [
    Route("/cameras/{camera_id}/view", camera_view),
    Route("/cameras/{camera_id}/view/try", try_out, methods=["POST"]),
    Route("/cameras/{camera_id}/view/save", save, methods=["POST"]),
]
