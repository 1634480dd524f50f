"""The console as an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from roadside.console.pages import (
    camera_view,
    cameras,
    lists,
    live,
    provider,
    registry,
    review,
    search,
    sighting,
    signing,
    statistics,
    system,
)
from roadside.console.rest.operations import router
from roadside.console.security import BoundedBodies, Counted, SecurityHeaders
from roadside.console.uploads import Uploads
from roadside.console.web import RefusedError, draw, sentence, status_of, wording_of
from roadside.errors import RoadsideError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from roadside.console.desk import Desk

STATIC = Path(__file__).parent / "static"
PAGES = (signing, provider, live, search, sighting, review, registry, lists, cameras, camera_view, statistics, system)
OPENAPI = "/api/v1/openapi.json"
_API = "/api/"
_TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    413: "Too large",
    422: "Not understood",
    503: "Unavailable",
}
_MOST_BYTES, _MOST_API_BYTES, _MOST_UPLOAD_BYTES = 2 << 20, 64 << 10, 512 << 20
"""Of a form, of JSON (one answer, one listed plate), and of a list."""
_UPLOADS = ("/registry/preview", "/lists/preview")
"""Who may not send lists is refused before anything of one is read."""

_log = logging.getLogger(__name__)


def make_app(desk: Desk, answered: Callable[[int], None] | None = None) -> FastAPI:
    """The application; it reads the store for new sightings while it runs, and tells `answered` of each status."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        reading = asyncio.create_task(desk.feed.run())
        try:
            yield
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            app.state.uploads.close()

    app = FastAPI(
        title="Roadside",
        version=desk.version,
        summary="Sightings, reviews and the registry of a Roadside installation.",
        openapi_url=OPENAPI,
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.state.uploads = Uploads()
    app.state.cards = {}
    app.include_router(router)
    app.router.routes.extend(page_routes())
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(BoundedBodies, most_bytes=most_bytes)
    app.add_middleware(SecurityHeaders, https=desk.settings.console_https)
    if answered is not None:
        app.add_middleware(Counted, answered=answered)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RoadsideError, _faulty)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _broken)
    return app


def page_routes() -> list[Route]:
    """Every page, and what answers while the console does."""
    return [*(route for module in PAGES for route in module.ROUTES), Route("/healthz", _alive)]


def most_bytes(path: str) -> int:
    """How much may be sent to a path."""
    if path in _UPLOADS:
        return _MOST_UPLOAD_BYTES
    return _MOST_API_BYTES if path.startswith(_API) else _MOST_BYTES


async def _alive(request: Request) -> Response:
    del request
    return PlainTextResponse("ok\n")


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else 400
    if status == 304:
        return Response(status_code=304)
    return _answer(request, status, str(error))


async def _faulty(request: Request, error: Exception) -> Response:
    return _answer(request, status_of(error) if isinstance(error, RoadsideError) else 503, str(error))


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(request, status, wording_of(request).say("There is nothing here.") if status == 404 else str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in faults[:5])
    return _answer(request, 422, said or "the request cannot be read")


async def _broken(request: Request, error: Exception) -> Response:
    _log.error("a page failed", exc_info=error)
    return _answer(request, 500, "a fault of Roadside itself; the log tells more")


def _answer(request: Request, status: int, reason: str) -> Response:
    if request.url.path.startswith(_API):
        body = {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status, "detail": reason}
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        return JSONResponse(body, status, headers, media_type="application/problem+json")
    return draw(request, wording_of(request), "refused.html", status, reason=sentence(Exception(reason)))
