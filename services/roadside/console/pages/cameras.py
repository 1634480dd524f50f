"""The cameras and what they show now."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from roadside.console.ports import Role
from roadside.console.web import RefusedError, Visit, page


@page()
async def cameras(visit: Visit) -> Response:
    """Every camera of this process with its newest picture."""
    states = await run_in_threadpool(visit.desk.cameras.states)
    template = "camera_states.html" if visit.request.headers.get("hx-request") else "cameras.html"
    return visit.draw(template, cameras=states)


@page()
async def picture(visit: Visit) -> Response:
    """The newest frame; plates are blurred for those who may only look."""
    camera_id = visit.request.path_params["camera_id"]
    blurred = not visit.may(Role.REVIEWER)
    data = await run_in_threadpool(lambda: visit.desk.cameras.picture(camera_id, blurred=blurred))
    if data is None:
        raise RefusedError(404, visit.words.say("This camera has shown nothing yet."))
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


ROUTES = [Route("/cameras", cameras), Route("/cameras/{camera_id}/picture", picture)]
