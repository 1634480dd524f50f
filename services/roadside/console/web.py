"""What every page shares: who asks, in which language, that forms are ours, and how a page is drawn."""

from __future__ import annotations

import hmac
import logging
import re
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from roadside.console.languages import Wording, names, preferred, translations
from roadside.console.ports import Role, Session
from roadside.console.terms import filters
from roadside.errors import InputError, NotFoundError, PoisonError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.datastructures import FormData
    from starlette.requests import Request

    from roadside.console.desk import Desk

SESSION_COOKIE = "roadside_session"
LANGUAGE_COOKIE = "roadside_language"
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
_YEAR_S = 365 * 86_400
_MOST_FIELDS = 50
_MOST_TEXT_BYTES = 1 << 20
"""Of a field; files have a bound of their own, that of the whole request."""

_OTHER_CHARSET = re.compile(r"charset(?!=\"?utf-8\"?\s*(;|$))")

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """The request may not be made: by nobody, or not by this account."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in."""

    request: Request
    desk: Desk
    session: Session
    words: Wording

    @property
    def actor(self) -> str:
        """The name in the audit."""
        return self.session.account.name

    def may(self, role: Role) -> bool:
        """Whether this session may what `role` may."""
        return self.session.scope.may(role)

    async def form(self) -> FormData:
        """The form, which must carry this session's secret. Raises RefusedError."""
        form = await read_form(self.request, files=1, fields=_MOST_FIELDS)
        check_csrf(self.request, self.session, str(form.get(CSRF_FIELD, "")))
        return form

    def draw(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - what it shows
        """A page."""
        return draw(self.request, self.words, template, status, visit=self, session=self.session, **values)


def desk_of(request: Request) -> Desk:
    """What the application was made with."""
    desk: Desk = request.app.state.desk
    return desk


def wording_of(request: Request) -> Wording:
    """The reader's language."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return Wording(preferred(request.headers.get("accept-language", ""), chosen), desk_of(request).zone)


async def session_of(request: Request) -> Session | None:
    """Who is signed in by a cookie."""
    secret = request.cookies.get(SESSION_COOKIE, "")
    return await run_in_threadpool(desk_of(request).access.session, secret) if secret else None


@dataclass(frozen=True, slots=True)
class Page:
    """An endpoint of those who are signed in and may what `needed` may; others are sent to sign in, or refused."""

    show: Callable[[Visit], Awaitable[Response]]
    needed: Role

    async def answer(self, request: Request) -> Response:
        """The page, or why it is not shown."""
        session = await session_of(request)
        if session is None:
            return to_sign_in(request)
        visit = Visit(request, desk_of(request), session, wording_of(request))
        if not visit.may(self.needed):
            reason = visit.words.say("Your account may not do this.")
            return visit.draw("refused.html", 403, reason=reason)
        try:
            return await self.show(visit)
        except RefusedError as error:
            return visit.draw("refused.html", error.status, reason=str(error))
        except RoadsideError as error:
            return visit.draw("refused.html", status_of(error), reason=sentence(error))
        finally:
            await request.close()  # lets go of uploaded files


def page(
    needed: Role = Role.VIEWER,
) -> Callable[[Callable[[Visit], Awaitable[Response]]], Callable[[Request], Awaitable[Response]]]:
    """Makes an endpoint of a function of a visit, as `Page` is one."""
    return lambda show: Page(show, needed).answer


def to_sign_in(request: Request) -> Response:
    """Where somebody who is not signed in is sent; parts of a page make the whole page go there."""
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    if request.method != "GET":
        return RedirectResponse("/sign-in", 303)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303)


async def read_form(request: Request, *, files: int, fields: int) -> FormData:
    """The form that was sent. Raises RefusedError for another charset than that of the pages.

    Python knows codecs that take half a minute for a megabyte (punycode), and some that make what is no text.
    """
    if _OTHER_CHARSET.search(request.headers.get("content-type", "").lower()):
        raise RefusedError(415, "a form is sent in UTF-8")
    return await request.form(max_files=files, max_fields=fields, max_part_size=_MOST_TEXT_BYTES)


def from_elsewhere(request: Request) -> bool:
    """Whether the browser says that the page of another site sent this."""
    return request.headers.get("sec-fetch-site", "") == "cross-site"


def local_path(wanted: str) -> str:
    """`wanted` where it is a path of this console, else its beginning: nobody is sent elsewhere."""
    try:
        parts = urlsplit(wanted)
    except ValueError:  # brackets that hold no address of IPv6
        return "/"
    if parts.scheme or parts.netloc or not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return "/"
    return wanted


def check_csrf(request: Request, session: Session, given: str = "") -> None:
    """Raises RefusedError where another site made the browser send this request."""
    sent = request.headers.get(CSRF_HEADER) or given
    if not session.csrf or not hmac.compare_digest(sent.encode(), session.csrf.encode()):
        raise RefusedError(403, "this form has expired: load the page again")


def status_of(error: RoadsideError) -> int:
    """The HTTP status of a fault."""
    if isinstance(error, NotFoundError):
        return 404
    return 422 if isinstance(error, InputError | PoisonError) else 503


def sentence(error: Exception) -> str:
    """A fault as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def draw(request: Request, words: Wording, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    """A page, or a part of one, in the reader's language."""
    desk = desk_of(request)
    text = (
        _environment(words.language)
        .get_template(template)
        .render(
            request=request,
            words=words,
            desk=desk,
            languages=names(),
            version=desk.version,
            Role=Role,
            **{"session": None, "visit": None, **values},
        )
    )
    return HTMLResponse(text, status, headers={"Content-Language": words.language, "Cache-Control": "no-store"})


def set_cookie(response: Response, desk: Desk, name: str, value: str, *, seconds: int = _YEAR_S) -> None:
    """A cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="strict", secure=desk.settings.console_https
    )


def into(response: Response, desk: Desk, secret: str) -> None:
    """Give a browser the cookie of its session."""
    set_cookie(response, desk, SESSION_COOKIE, secret, seconds=int(desk.settings.console_session_hours * 3600))


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(filters(Wording(language, UTC)))
    return environment
