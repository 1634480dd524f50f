"""Who may open what of the console: each route, from what its endpoint asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.routing import APIRoute

from roadside.console.app import OPENAPI, page_routes
from roadside.console.rest.caller import CallerDoor
from roadside.console.rest.operations import router
from roadside.console.web import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.routing import Route

    from roadside.console.ports import Role


def console_doors() -> Iterator[tuple[str, Role | None]]:
    """Every route, as `GET /search`, with the role that it needs; None: whoever reaches the port."""
    routes: list[Route | APIRoute] = [*page_routes(), *(r for r in router.routes if isinstance(r, APIRoute))]
    for route in routes:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield f"{method} {route.path}", _needed(route)
    yield f"GET {OPENAPI}", None
    yield "GET /static/{path}", None


def _needed(route: Route | APIRoute) -> Role | None:
    asked: list[object] = [route.endpoint]
    if isinstance(route, APIRoute):
        asked = [dependency.call for dependency in route.dependant.dependencies]
    for owner in (getattr(call, "__self__", None) for call in asked):
        if isinstance(owner, Page | CallerDoor):
            return owner.needed
    return None
