"""Who calls the REST interface: a program with an API token, or a page of the console with its cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable  # noqa: TC003 - FastAPI needs them at run time
from dataclasses import dataclass

from fastapi import Request  # noqa: TC002 - FastAPI needs it at run time
from starlette.concurrency import run_in_threadpool

from roadside.console.desk import Desk  # noqa: TC001 - FastAPI needs it at run time
from roadside.console.ports import Role, Session  # noqa: TC001 - FastAPI needs them at run time
from roadside.console.web import RefusedError, check_csrf, desk_of, session_of

SAFE = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and whom they may ask."""

    desk: Desk
    session: Session

    @property
    def actor(self) -> str:
        """The name in the audit."""
        return self.session.account.name


@dataclass(frozen=True, slots=True)
class CallerDoor:
    """Lets in who may what `needed` may."""

    needed: Role

    async def find(self, request: Request) -> Caller:
        """Who calls. Raises RefusedError: 401, 403."""
        desk = desk_of(request)
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            session = await run_in_threadpool(desk.access.token_session, secret.strip())
        else:
            session = await session_of(request)
            if session is not None and request.method not in SAFE:
                check_csrf(request, session)
        if session is None:
            raise RefusedError(401, "send an API token: Authorization: Bearer ...")
        if not session.scope.may(self.needed):
            raise RefusedError(403, f"this needs the role {self.needed.value}")
        return Caller(desk, session)


def caller(needed: Role) -> Callable[[Request], Awaitable[Caller]]:
    """The dependency of an operation that `needed` may do."""
    return CallerDoor(needed).find
