"""Signing in through a provider of OpenID Connect: there and back, and who it is then."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from roadside.console.access import derived
from roadside.console.passwords import TooManyGuessesError
from roadside.console.web import (
    RefusedError,
    desk_of,
    draw,
    into,
    local_path,
    sentence,
    wording_of,
)
from roadside.errors import AccessError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from roadside.console.desk import Desk
    from roadside.console.ports import IdentityProvider

COOKIE = "roadside_provider"
WAITS_S = 600
MOST_CODE = 4096
PATH = "/sign-in/provider"


async def begin(request: Request) -> Response:
    """Send the browser to the provider; a cookie of its own holds what only it may come back with."""
    desk, provider = _provider(request)
    secret = secrets.token_urlsafe(32)
    wanted = local_path(request.query_params.get("next", "/"))[:500]
    given = derived(secret, "state"), derived(secret, "nonce"), derived(secret, "verifier"), _back(request, desk)
    try:
        address = await run_in_threadpool(provider.address, *given)
    except UnavailableError as error:
        return _refused(request, error, 503)
    response = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
    # Lax: the provider sends the browser back from another site.
    response.set_cookie(
        COOKIE,
        f"{secret}.{quote(wanted, safe='')}",
        max_age=WAITS_S,
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=desk.settings.console_https,
    )
    return response


async def back(request: Request) -> Response:
    """The browser comes back with a code, or with the reason why not."""
    desk, provider = _provider(request)
    said = request.query_params
    secret, _, wanted = request.cookies.get(COOKIE, "").partition(".")
    address = request.client.host if request.client else "unknown"
    try:
        desk.access.limiter.check(f"address {address}")
        code = _code(said, secret, provider)
        given = code, derived(secret, "nonce"), derived(secret, "verifier"), _back(request, desk)
        identity = await run_in_threadpool(provider.identity, *given)
        roles = desk.settings.oidc_roles()
        begun, session = await run_in_threadpool(desk.access.sign_in_as, identity, provider.issuer, roles)
    except TooManyGuessesError as error:
        return _refused(request, error, 429)
    except AccessError as error:
        desk.access.limiter.wrong(f"address {address}")
        return _refused(request, error, 403)
    except UnavailableError as error:
        return _refused(request, error, 503)
    detail = f"{address}, through {provider.issuer}"[:300]
    await run_in_threadpool(desk.ledger.note, session.account.name, "signed in", "console", detail)
    # A page and no redirect: the session's cookie goes along only from a page of this site.
    response = draw(request, wording_of(request), "onward.html", to=local_path(unquote(wanted)), ended=False)
    into(response, desk, begun)
    response.delete_cookie(COOKIE, path=PATH)
    return response


def _code(said: Mapping[str, str], secret: str, provider: IdentityProvider) -> str:
    """What the provider gave to the browser that began with `secret`. Raises AccessError."""
    if not secret or not hmac.compare_digest(said.get("state", "").encode(), derived(secret, "state").encode()):
        raise AccessError("this sign-in was not begun here, or too long ago: begin again")
    if "iss" in said and said["iss"] != provider.issuer:
        raise AccessError("this is the answer of another provider")
    if "error" in said or not said.get("code"):
        raise AccessError(f"the provider refused: {said.get('error', 'no code')[:60]}")
    return said["code"][:MOST_CODE]


def _provider(request: Request) -> tuple[Desk, IdentityProvider]:
    desk = desk_of(request)
    if desk.provider is None:
        raise RefusedError(404, wording_of(request).say("There is nothing here."))
    return desk, desk.provider


def _back(request: Request, desk: Desk) -> str:
    """The address that the provider sends the browser back to."""
    base = desk.settings.console_url or str(request.base_url)
    return f"{base.rstrip('/')}{PATH}/back"


def _refused(request: Request, error: Exception, status: int) -> Response:
    response = draw(request, wording_of(request), "refused.html", status, reason=sentence(error))
    response.delete_cookie(COOKIE, path=PATH)
    return response


ROUTES = [Route(PATH, begin, methods=["GET"]), Route(f"{PATH}/back", back, methods=["GET"])]
