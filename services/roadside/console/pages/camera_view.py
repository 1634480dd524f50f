"""What of a camera's picture is looked at: drawn on it, tried on the last minute, saved and obeyed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from roadside.console.ports import Role
from roadside.console.view_faults import view_fault
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
AREAS = ("zones", "masks", "line")
ENDS = ("first", "second")
"""What of the two lines between which vehicles are measured is drawn; ..."""
NEEDED = ("distance_m", "camera_height_m")
"""... what must be entered beside them; ..."""
MEASURES = (*NEEDED, "distance_error_m", "plate_height_m", "plate_height_error_m", "time_error_s")
"""... and what may be."""


@page(Role.ADMIN)
async def camera_view(visit: Visit) -> Response:
    """The picture with what is drawn on it."""
    camera_id, view = await _known(visit)
    return _drawn(visit, camera_id, _said(view))


@page(Role.ADMIN)
async def try_out(visit: Visit) -> Response:
    """What would have been read in the last minute; nothing changes."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    camera_id, now = await _known(visit)
    try:
        wanted = view_of(form, now)
    except TableFault as fault:
        return visit.draw("camera_trial.html", 422, fault=view_fault(visit.words, fault), trial=None)
    trial = await run_in_threadpool(visit.desk.cameras.retry, camera_id, wanted)
    return visit.draw("camera_trial.html", fault="", trial=trial, measured=wanted.speed is not None)


@page(Role.ADMIN)
async def save(visit: Visit) -> Response:
    """Look so from now on."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    camera_id, now = await _known(visit)
    try:
        wanted = view_of(form, now)
        path = await run_in_threadpool(visit.desk.cameras.save_view, camera_id, wanted)
    except TableFault as fault:
        return _drawn(visit, camera_id, _entered(form, now), view_fault(visit.words, fault))
    except SettingsError as fault:
        return _drawn(visit, camera_id, _entered(form, now), str(fault))
    line = "with" if wanted.line is not None else "without"
    said = f"{len(wanted.zones)} zones, {len(wanted.masks)} masks, {line} a line, turned by {wanted.rotation}"
    said += "" if wanted.speed is None else f", speeds over {wanted.speed.distance_m:g} m"
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "set a camera", camera_id[:64], said)
    return _drawn(visit, camera_id, _said(wanted), saved=path)


def view_of(form: Mapping[str, str], now: View) -> View:
    """What a form says of a camera whose view is `now`; hours and gate stay. Raises TableFault."""
    try:
        drawn = json.loads(form.get("drawn", "")[:MOST_DRAWN] or "{}")
        table = {key: drawn[key] for key in AREAS if drawn.get(key)}
        lines = dict(drawn.get("speed") or {})
        table["rotation"] = int(form.get("rotation", "0"))
        table["least_width"] = float(form.get("least_width", "0") or 0)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise TableFault((), "this is no drawing: load the page again") from error
    table["flip"] = form.get("flip", "none")
    if lines:
        table["speed"] = {**_both(lines), **_measures(form)}
    return parse_view(table, replace(now, zones=(), masks=(), line=None, speed=None))


def _both(lines: Mapping[str, object]) -> Mapping[str, object]:
    if not all(lines.get(key) for key in ENDS):
        raise TableFault(("speed",), "only one")
    return {key: lines[key] for key in ENDS}


def _measures(form: Mapping[str, str]) -> dict[str, float]:
    """What is entered of the two lines, and not left empty. Raises TableFault."""
    given = {}
    for key in MEASURES:
        if text := form.get(key, "").strip():
            try:
                given[key] = float(text.replace(",", "."))
            except ValueError:
                raise TableFault(("speed", key), "is a number") from None
    for key in NEEDED:
        if key not in given:
            raise TableFault(("speed", key), "is needed")
    return given


async def _known(visit: Visit) -> tuple[str, View]:
    camera_id: str = visit.request.path_params["camera_id"]
    view = await run_in_threadpool(visit.desk.cameras.view, camera_id)
    if view is None:
        raise RefusedError(404, visit.words.say("What this camera looks at is set in a file that is not here."))
    return camera_id, view


def _said(view: View) -> dict[str, str]:
    """The fields of the form that say `view`."""
    table = view_table(view)
    speed = table.get("speed", {})
    drawn = {key: table[key] for key in AREAS if key in table}
    if speed:
        drawn["speed"] = {key: speed[key] for key in ENDS}
    return {
        "drawn": json.dumps(drawn),
        "rotation": str(view.rotation),
        "flip": view.flip.value,
        "least_width": str(round(view.least_width_px)),
        **{key: f"{speed[key]:.15g}" if key in speed else "" for key in MEASURES},
    }


def _entered(form: Mapping[str, str], now: View) -> dict[str, str]:
    """What was entered, so that it can be corrected."""
    return {key: form.get(key, said)[:MOST_DRAWN] for key, said in _said(now).items()}


def _drawn(visit: Visit, camera_id: str, said: Mapping[str, str], fault: str = "", saved: str = "") -> Response:
    """The page with what is `said` in its form, why that cannot be, and where to it was saved."""
    return visit.draw(
        "camera_view.html",
        422 if fault else 200,
        camera_id=camera_id,
        said=said,
        rotations=ROTATIONS,
        flips=tuple(Flip),
        fault=fault,
        saved=saved,
    )


ROUTES = [
    Route("/cameras/{camera_id}/view", camera_view),
    Route("/cameras/{camera_id}/view/try", try_out, methods=["POST"]),
    Route("/cameras/{camera_id}/view/save", save, methods=["POST"]),
]
