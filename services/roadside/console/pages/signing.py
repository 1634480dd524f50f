"""Signing in and out, invitations, the language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from roadside.console.access import WrongPasswordError, is_of_provider
from roadside.console.languages import LANGUAGES
from roadside.console.passwords import TooManyGuessesError
from roadside.console.web import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    RefusedError,
    Visit,
    desk_of,
    draw,
    from_elsewhere,
    into,
    local_path,
    page,
    read_form,
    sentence,
    session_of,
    set_cookie,
    wording_of,
)
from roadside.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from roadside.console.desk import Desk


async def sign_in(request: Request) -> Response:
    """The form, and what it leads to."""
    desk, words = desk_of(request), wording_of(request)
    wanted = local_path(request.query_params.get("next", "/"))
    if request.method != "POST":
        if await session_of(request) is not None:
            return RedirectResponse(wanted, 303)
        return draw(request, words, "sign_in.html", wanted=wanted, fault="", name="")
    form = await _form(request)
    name, password = str(form.get("name", "")), str(form.get("password", ""))
    address = request.client.host if request.client else "unknown"
    try:
        secret, _ = await run_in_threadpool(desk.access.sign_in, name, password, address)
    except TooManyGuessesError as error:
        fault = words.say("Too many wrong passwords. Try again in %(seconds)s seconds.") % {
            "seconds": f"{error.wait_s:.0f}"
        }
        return draw(request, words, "sign_in.html", 429, wanted=wanted, fault=fault, name=name)
    except WrongPasswordError:
        fault = words.say("The name or the password is wrong.")
        return draw(request, words, "sign_in.html", 401, wanted=wanted, fault=fault, name=name)
    await run_in_threadpool(desk.ledger.note, name.strip().lower(), "signed in", "console", address)
    return _into(desk, secret, wanted)


@page()
async def sign_out(visit: Visit) -> Response:
    """End the session."""
    await visit.form()
    await run_in_threadpool(visit.desk.access.sign_out, visit.request.cookies[SESSION_COOKIE])
    response = await _out(visit)
    response.delete_cookie(SESSION_COOKIE)
    return response


async def _out(visit: Visit) -> Response:
    """Whom a provider knows is signed out there, too, where the provider has a page for it."""
    provider = visit.desk.provider
    if provider is not None and is_of_provider(visit.session.account):
        base = visit.desk.settings.console_url or str(visit.request.base_url)
        address = await run_in_threadpool(provider.end, f"{base.rstrip('/')}/sign-in")
        if address is not None:
            return draw(visit.request, visit.words, "onward.html", to=address, ended=True)
    return RedirectResponse("/sign-in", 303)


async def accept(request: Request) -> Response:
    """Whoever was invited sets a password."""
    desk, words, secret = desk_of(request), wording_of(request), request.path_params["secret"]
    try:
        account = await run_in_threadpool(desk.access.invited, secret)
    except NotFoundError:
        reason = words.say("This link was used already, or is older than a day. Ask for a new one.")
        return draw(request, words, "refused.html", 404, reason=reason)
    if request.method != "POST":
        return draw(request, words, "accept.html", account=account, fault="")
    form = await _form(request)
    password = str(form.get("password", ""))
    if password != str(form.get("again", "")):
        fault = words.say("The two passwords differ.")
        return draw(request, words, "accept.html", 422, account=account, fault=fault)
    try:
        begun, _ = await run_in_threadpool(desk.access.accept, secret, password)
    except (InputError, NotFoundError) as error:
        return draw(request, words, "accept.html", 422, account=account, fault=words.say(sentence(error)))
    await run_in_threadpool(desk.ledger.note, account.name, "set a password", "console")
    return _into(desk, begun, "/")


async def language(request: Request) -> Response:
    """Read on in another language."""
    chosen = request.path_params["code"]
    response = RedirectResponse(local_path(request.query_params.get("next", "/")), 303)
    if chosen in LANGUAGES:
        set_cookie(response, desk_of(request), LANGUAGE_COOKIE, chosen)
    return response


async def _form(request: Request) -> FormData:
    """What somebody who is not signed in has typed.

    Raises RefusedError where the page of another site sends it: it would sign them in as somebody else.
    """
    if from_elsewhere(request):
        raise RefusedError(403, "this form was sent by another site: open this page and send it from here")
    return await read_form(request, files=0, fields=5)


def _into(desk: Desk, secret: str, wanted: str) -> Response:
    response = RedirectResponse(wanted, 303)
    into(response, desk, secret)
    return response


ROUTES = [
    Route("/sign-in", sign_in, methods=["GET", "POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
    Route("/welcome/{secret}", accept, methods=["GET", "POST"], name="welcome"),
    Route("/language/{code}", language, methods=["GET"]),
]
