"""Signing in to the console through a provider of OpenID Connect that is really asked: authlib's server side."""

from __future__ import annotations

import gzip
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from roadside.adapters import oidc
from roadside.adapters.oidc import OidcClient, OidcProvider
from roadside.assembly.settings import load_settings
from roadside.console.app import make_app
from roadside.console.ports import Role
from roadside.errors import SettingsError, UnavailableError
from tests.consoles import PASSWORD, Console, console
from tests.oidc_provider import CLIENT, KEY, SECRET, Provider, provider
from tests.rude_servers import rude_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from httpx2 import Response

HOME = "http://testserver"
BACK = f"{HOME}/sign-in/provider/back"


@pytest.fixture
def there() -> Iterator[Provider]:
    with provider() as state:
        state.client.redirect_uri = BACK
        yield state


@pytest.fixture
def made(tmp_path: Path, there: Provider) -> Iterator[Console]:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n", encoding="utf-8")
    with console(
        tmp_path,
        console_oidc_issuer=there.issuer,
        console_oidc_client_id=CLIENT,
        console_oidc_secret_file=file,
    ) as made:
        yield made


@pytest.fixture
def app(made: Console) -> Iterator[FastAPI]:
    app = make_app(made.desk)
    with TestClient(app):
        yield app


def browser(app: FastAPI) -> TestClient:
    return TestClient(app, follow_redirects=False, headers={"accept-language": "en"})


def sent(client: TestClient, wanted: str = "/") -> str:
    """Where the provider sends the browser after it was sent to the provider."""
    begun = client.get("/sign-in/provider", params={"next": wanted})
    assert begun.status_code == 303, begun.text
    answer = httpx2.get(begun.headers["location"])
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].removeprefix(HOME)


def signed_in(client: TestClient, wanted: str = "/") -> Response:
    return client.get(sent(client, wanted))


def test_from_the_page_to_the_provider_and_back(app: FastAPI, made: Console, there: Provider) -> None:
    client = browser(app)
    assert "Sign in through 127.0.0.1" in client.get("/sign-in").text
    done = signed_in(client, "/search?plate=AB12")
    assert done.status_code == 200
    assert 'content="0; url=/search?plate=AB12"' in done.text
    assert client.get("/search").status_code == 200
    assert client.get("/review").status_code == 403
    account = made.desk.access.store.account("eva")
    assert account is not None
    assert account.role is Role.VIEWER
    (asked,) = there.asked
    assert asked["code_challenge_method"] == "S256"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert any(
        look.actor == "eva" and look.action == "signed in" and there.issuer in look.detail
        for look in made.desk.ledger.audit()
    )
    assert client.post("/sign-in", data={"name": "eva", "password": account.password_hash}).status_code == 401


def test_the_role_follows_the_provider_and_who_has_none_is_out(app: FastAPI, made: Console, there: Provider) -> None:
    client = browser(app)
    there.claims["roles"] = ["other", "reviewer", "viewer"]
    signed_in(client)
    assert client.get("/review").status_code == 200
    there.claims["roles"] = ["other"]
    assert signed_in(browser(app)).status_code == 403
    assert client.get("/").status_code == 303  # what was begun with the role before has ended
    account = made.desk.access.store.account("eva")
    assert account is not None


def test_nobody_takes_the_account_of_another(app: FastAPI, made: Console, there: Provider) -> None:
    made.account("admin", Role.ADMIN)
    there.claims |= {"preferred_username": "Admin", "roles": ["viewer"]}
    refused = signed_in(browser(app))
    assert refused.status_code == 403
    assert "another account" in refused.text
    there.claims["preferred_username"] = "eva"
    assert signed_in(browser(app)).status_code == 200
    there.claims["sub"] = "2"
    assert signed_in(browser(app)).status_code == 403
    assert browser(app).post("/sign-in", data={"name": "admin", "password": PASSWORD}).status_code == 303


def test_who_was_closed_stays_out(app: FastAPI, made: Console) -> None:
    made.account("admin", Role.ADMIN)
    signed_in(browser(app))
    made.desk.access.disable("eva")
    assert "was closed" in signed_in(browser(app)).text


def test_only_the_browser_that_began_comes_back(app: FastAPI, made: Console) -> None:
    one, other = browser(app), browser(app)
    address = sent(one)
    assert other.get(address).status_code == 403  # without the cookie
    sent(other)
    assert other.get(address).status_code == 403  # with that of another sign-in
    assert one.get(re.sub("state=[^&]+", "state=0", address)).status_code == 403
    assert made.desk.access.store.accounts() == []


def test_a_code_counts_once(app: FastAPI) -> None:
    client = browser(app)
    address = sent(client)
    cookie = client.cookies["roadside_provider"]
    assert client.get(address).status_code == 200
    client.cookies.set("roadside_provider", cookie, path="/sign-in/provider")
    assert client.get(address).status_code == 403


@pytest.mark.parametrize(
    "spoilt",
    [
        {"iss": "https://other.example"},
        {"aud": "another client"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"sub": None},
        {"key": RSAKey.generate_key(2048, {"kid": "one"})},
    ],
)
def test_a_token_that_is_not_right_lets_nobody_in(app: FastAPI, made: Console, there: Provider, spoilt: dict) -> None:
    there.spoilt = spoilt
    refused = signed_in(browser(app))
    assert refused.status_code == 403, refused.text
    assert "not accepted" in refused.text
    assert made.desk.access.store.accounts() == []


def test_a_refusal_and_an_answer_that_is_none_are_told(app: FastAPI, there: Provider) -> None:
    there.refuses = True
    assert "access_denied" in signed_in(browser(app)).text
    client = browser(app)
    state = parse_qs(urlsplit(client.get("/sign-in/provider").headers["location"]).query)["state"][0]
    for query in (f"state={state}", f"state={state}&code=made-up", f"state={state}&code=x&iss=https://evil.example"):
        assert client.get(f"/sign-in/provider/back?{query}").status_code == 403
    refused = browser(app).get("/sign-in/provider/back", params={"error": "<script>alert(1)</script>"})
    assert "<script>alert" not in refused.text


def test_guesses_at_the_way_back_are_slowed_down(app: FastAPI) -> None:
    client = browser(app)
    codes = [client.get("/sign-in/provider/back?state=x&code=y").status_code for _ in range(7)]
    assert codes[:5] == [403] * 5
    assert codes[-1] == 429


def test_signing_out_ends_it_at_the_provider_too(app: FastAPI) -> None:
    client = browser(app)
    signed_in(client)
    found = re.search(r'X-CSRF-Token": "([0-9a-f]+)"', client.get("/tokens").text)
    assert found is not None
    out = client.post("/sign-out", data={"csrf": found[1]})
    assert out.status_code == 200
    assert "/end?client_id=console&amp;post_logout_redirect_uri=http%3A%2F%2Ftestserver%2Fsign-in" in out.text
    assert client.get("/").status_code == 303


def test_a_provider_that_is_away_is_told_of_and_passwords_go_on(tmp_path: Path) -> None:
    with console(tmp_path, console_oidc_issuer="http://127.0.0.1:9", console_oidc_client_id="console") as made:
        made.account("eva", Role.VIEWER)
        app = make_app(made.desk)
        with TestClient(app):
            client = browser(app)
            assert client.get("/sign-in/provider").status_code == 503
            assert client.post("/sign-in", data={"name": "eva", "password": PASSWORD}).status_code == 303


def test_roles_of_a_claim_within_claims(tmp_path: Path, there: Provider) -> None:
    there.claims["realm_access"] = {"roles": ["wardens", "it"]}
    more = {"console_oidc_role_claim": "realm_access.roles", "console_oidc_roles": "wardens=reviewer, it = admin"}
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    with console(
        tmp_path, console_oidc_issuer=there.issuer, console_oidc_client_id=CLIENT, console_oidc_secret_file=file, **more
    ) as made:
        app = make_app(made.desk)
        with TestClient(app):
            client = browser(app)
            signed_in(client)
            assert client.get("/system").status_code == 200


@pytest.mark.parametrize(
    "bad",
    [
        {"console_oidc_issuer": "http://sso.example", "console_oidc_client_id": "x"},
        {"console_oidc_issuer": "https://sso.example"},
        {"console_oidc_issuer": "https://sso.example", "console_oidc_client_id": "x", "console_oidc_roles": "a=king"},
        {
            "console_oidc_issuer": "https://sso.example",
            "console_oidc_client_id": "x",
            "console_oidc_secret_file": "/no",
        },
    ],
)
def test_settings_that_cannot_be_are_refused(bad: dict) -> None:
    with pytest.raises(SettingsError, match="console_oidc"):
        load_settings(bad)


def test_without_a_provider_there_is_nothing(tmp_path: Path) -> None:
    with console(tmp_path) as made:
        app = make_app(made.desk)
        with TestClient(app):
            client = browser(app)
            assert "provider" not in client.get("/sign-in").text
            assert client.get("/sign-in/provider").status_code == 404
            assert client.get(f"/sign-in/provider/back?state=x&at={time.time()}").status_code == 404


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def about(**more: object) -> Callable[[int], bytes]:
    """What a provider says of itself, and for its keys, with `more`."""

    def said(port: int) -> bytes:
        me = f"http://127.0.0.1:{port}"
        key = KEY.as_dict(private=False)
        told = {"issuer": me, "authorization_endpoint": f"{me}/a", "token_endpoint": f"{me}/t", "jwks_uri": f"{me}/j"}
        return HEAD + b"Connection: close\r\n\r\n" + json.dumps({**told, "keys": [key], **more}).encode()

    return said


RUDE = {
    "brackets": HEAD + b"\r\n" + b"[" * 200_000,
    "packed": HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(1 << 20)),
    "long": HEAD + b"\r\n" + b" " * (2 << 20),
    "no address": about(authorization_endpoint="http://["),
    "a script": about(authorization_endpoint="javascript:alert(1)"),
    "a script at the end": about(end_session_endpoint="javascript:alert(1)"),
    "methods that are none": about(token_endpoint_auth_methods_supported=5),
}


@pytest.mark.parametrize("says", RUDE.values(), ids=RUDE)
def test_a_provider_that_answers_strangely_is_one_that_does_not_answer(says: bytes | Callable[[int], bytes]) -> None:
    with rude_server(says) as port:
        away = OidcProvider(OidcClient(f"http://127.0.0.1:{port}", "console"))
        with pytest.raises(UnavailableError, match="does not answer as one of OpenID Connect"):
            away.address("s", "n", "v", "b")
        assert away.end("b") is None


def test_a_provider_that_drips_holds_few_threads_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "TIMEOUT_S", 1.0)
    with rude_server(HEAD, drips=b"a") as port:
        away = OidcProvider(OidcClient(f"http://127.0.0.1:{port}", "console"))

        def ask(_: int) -> str:
            with pytest.raises(UnavailableError) as fault:
                away.address("s", "n", "v", "b")
            return str(fault.value)

        with ThreadPoolExecutor(3 * oidc.AT_ONCE) as threads:
            said = list(threads.map(ask, range(3 * oidc.AT_ONCE)))
    assert sum("is slow" in each for each in said) >= oidc.AT_ONCE, "the others are free for other pages"
