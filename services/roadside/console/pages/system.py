"""For administrators: accounts, API tokens, the audit; for everybody: their own tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from roadside.console.ports import Role, SecretKind
from roadside.console.web import RefusedError, Visit, page
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

AUDIT_SHOWN = 200
LONGEST_TOKEN_DAYS = 366


@page(Role.ADMIN)
async def system(visit: Visit) -> Response:
    """Accounts and audit."""
    return await _system(visit)


@page(Role.ADMIN)
async def invite(visit: Visit) -> Response:
    """Make or change an account; its owner sets the password through a link that is shown once."""
    form = _texts(await visit.form())
    name, role = form.get("name", "").strip().lower(), _role(form)
    try:
        secret = await run_in_threadpool(visit.desk.access.invite, name, role)
    except InputError as error:
        return await _system(visit, fault=str(error))
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "invited", name, role.value)
    # The address that the installation names, where it names one: a request's own Host is whatever its sender says.
    base = visit.desk.settings.console_url or str(visit.request.base_url)
    link = f"{base.rstrip('/')}/welcome/{secret}"
    return await _system(visit, link=link, invited=name)


@page(Role.ADMIN)
async def disable(visit: Visit) -> Response:
    """Close an account."""
    name = _texts(await visit.form()).get("name", "")
    await run_in_threadpool(visit.desk.access.disable, name)
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "disabled", name)
    return RedirectResponse("/system", 303)


@page()
async def tokens(visit: Visit) -> Response:
    """One's own API tokens."""
    return await _tokens(visit)


@page()
async def give_token(visit: Visit) -> Response:
    """A new API token, shown once."""
    form = _texts(await visit.form())
    try:
        days = float(form.get("days", "90"))
    except ValueError as error:
        raise RefusedError(422, "days: a number") from error
    if not 0 < days <= LONGEST_TOKEN_DAYS:
        raise RefusedError(422, f"days: at most {LONGEST_TOKEN_DAYS}")
    account, scope, label = visit.session.account, _role(form), form.get("label", "").strip() or "API"
    secret = await run_in_threadpool(visit.desk.access.give_token, account, label, scope, days)
    await run_in_threadpool(
        visit.desk.ledger.note, visit.actor, "made a token", account.name, f"{label}, {scope.value}"
    )
    return await _tokens(visit, secret=secret)


@page()
async def drop_token(visit: Visit) -> Response:
    """End one's own token."""
    digest = _texts(await visit.form()).get("digest", "")
    kept = await run_in_threadpool(visit.desk.access.store.secret, digest)
    if kept is None or kept.kind is not SecretKind.API_TOKEN or kept.account != visit.actor:
        raise RefusedError(404, "there is no such token of yours")
    await run_in_threadpool(visit.desk.access.store.drop_secret, digest)
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "ended a token", kept.account, kept.label)
    return RedirectResponse("/tokens", 303)


async def _system(visit: Visit, *, fault: str = "", link: str = "", invited: str = "") -> Response:
    accounts = await run_in_threadpool(visit.desk.access.store.accounts)
    audit = await run_in_threadpool(visit.desk.ledger.audit, AUDIT_SHOWN)
    shown = {"accounts": accounts, "audit": audit, "roles": tuple(Role)}
    return visit.draw("system.html", 422 if fault else 200, fault=fault, link=link, invited=invited, **shown)


async def _tokens(visit: Visit, *, secret: str = "") -> Response:
    kept = await run_in_threadpool(visit.desk.access.store.secrets, SecretKind.API_TOKEN)
    mine = [token for token in kept if token.account == visit.actor]
    roles = [role for role in Role if visit.session.account.role.may(role)]
    return visit.draw("tokens.html", tokens=mine, roles=roles, secret=secret)


def _texts(form: Mapping[str, object]) -> dict[str, str]:
    return {name: value[:500] for name, value in form.items() if isinstance(value, str)}


def _role(form: Mapping[str, str]) -> Role:
    try:
        return Role(form.get("role", ""))
    except ValueError as error:
        raise RefusedError(422, f"role: one of {', '.join(Role)}") from error


ROUTES = [
    Route("/system", system),
    Route("/system/invite", invite, methods=["POST"]),
    Route("/system/disable", disable, methods=["POST"]),
    Route("/tokens", tokens),
    Route("/tokens/new", give_token, methods=["POST"]),
    Route("/tokens/end", drop_token, methods=["POST"]),
]
