"""Who may open what of the console: every route as every account, with what is wrong, and with nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from roadside.console.app import make_app
from roadside.console.doors import console_doors
from roadside.console.ports import Role
from roadside.console.web import SESSION_COOKIE
from tests.consoles import PASSWORD, Console, console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

NOBODY = ("none", "wrong")
GIVEN = {"kind": "crop", "ending": "csv", "path": "console.css", "code": "en"}
"""What stands in the place of a route's parameters; of others there is nothing of that name."""
REST = "/api/v1/"
PROVIDER = {"/sign-in/provider", "/sign-in/provider/back"}
PUBLIC = {
    *PROVIDER,
    "/sign-in",
    "/welcome/{secret}",
    "/language/{code}",
    "/healthz",
    "/api/v1/openapi.json",
    "/static/{path}",
}
"""What nobody needs an account for. What is not here needs one."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with console(tmp_path_factory.mktemp("doors")) as there:
        for role in Role:
            there.account(role.value, role)
        yield there


@pytest.fixture(scope="module")
def app(made: Console) -> Iterator[FastAPI]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("roadside.console.feed.MOST_PAGES", 0)  # so that a stream that is let in ends at once
        app = make_app(made.desk)
        with TestClient(app):
            yield app


def told() -> dict[str, set[str]]:
    """By route, who may open it as docs/doors.md says."""
    page = Path("docs/doors.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines()]
    routes = {name: cells for name, *cells in rows if re.match(r"(GET|POST|PUT|DELETE) /", name)}
    names = [*(role.value for role in Role), "nobody"]
    return {
        name: {who for who, may in zip(names, cells, strict=True) if may == "yes"} for name, cells in routes.items()
    }


def visitor(app: FastAPI, made: Console, who: str, path: str) -> tuple[TestClient, str]:
    """Somebody who asks for `path`, with the secret of their forms."""
    client = TestClient(app, follow_redirects=False, headers={"accept-language": "en"})
    if path.startswith(REST) and who != "none":
        token = made.token(who, Role(who)) if who != "wrong" else "of-nobody-in-particular"
        client.headers["authorization"] = f"Bearer {token}"
        return client, ""
    if who in NOBODY:
        if who == "wrong":
            client.cookies.set(SESSION_COOKIE, "of-nobody-in-particular")
        return client, "0" * 64
    secret, session = made.desk.access.sign_in(who, PASSWORD, "test")
    client.cookies.set(SESSION_COOKIE, secret)
    return client, session.csrf


def is_let_in(client: TestClient, method: str, path: str, csrf: str) -> bool:
    answer = client.request(method, path, data={"csrf": csrf} if method == "POST" else None)
    assert answer.status_code < 500 or answer.status_code == 503, f"{path}: {answer.text}"
    sent_away = path != "/sign-in" and answer.headers.get("location", "").startswith("/sign-in")
    return answer.status_code not in (401, 403) and not sent_away


def test_every_route_opens_to_whom_the_page_says_and_to_nobody_else(app: FastAPI, made: Console) -> None:
    page = told()
    found = {}
    for route in page:
        method, path = route.split()
        asked = re.sub(r"\{(\w+)\}", lambda match: GIVEN.get(match[1], "nothing"), path)
        for who in (*NOBODY, *(role.value for role in Role)):
            client, csrf = visitor(app, made, who, path)
            may = bool(page[route] & ({"nobody"} if who in NOBODY else {who}))
            if route not in {"POST /sign-in", "POST /sign-out"} and is_let_in(client, method, asked, csrf) != may:
                found[route, who] = "let in" if not may else "not let in"
    assert not found


def test_the_page_has_every_route_and_only_known_ones_are_open_to_all(app: FastAPI) -> None:
    served = {getattr(route, "path", "") for route in app.router.routes} | set(app.openapi()["paths"])
    page = told()
    assert set(page) == {route for route, _ in console_doors()}, "run make docs"
    assert {route.split()[1].replace("/{path}", "") for route in page} >= served - {""}
    assert {route.split()[1] for route, who in page.items() if "nobody" in who} == PUBLIC


def test_signing_in_needs_a_password_and_signing_out_ends_the_session(app: FastAPI, made: Console) -> None:
    client, csrf = visitor(app, made, "viewer", "/")
    assert client.get("/search").status_code == 200
    assert client.post("/sign-out", data={"csrf": "0" * 64}).status_code == 403
    assert client.post("/sign-out", data={"csrf": csrf}).headers["location"].startswith("/sign-in")
    assert client.get("/search").headers["location"].startswith("/sign-in")
    stranger, _ = visitor(app, made, "none", "/")
    assert stranger.post("/sign-out").headers["location"].startswith("/sign-in")
    wrong = stranger.post("/sign-in", data={"name": "viewer", "password": "wrong"})
    assert SESSION_COOKIE not in wrong.headers.get("set-cookie", "")
