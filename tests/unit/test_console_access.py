"""Accounts, sessions and passwords of the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from argon2.profiles import CHEAPEST

from roadside.adapters.sql import open_embedded
from roadside.adapters.sql.accounts import SqlAccounts
from roadside.console.access import Access, WrongPasswordError, digest_of
from roadside.console.passwords import FREE_GUESSES, GuessLimiter, Passwords, TooManyGuessesError
from roadside.console.ports import Role, SecretKind
from roadside.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"  # noqa: S105
HOUR_NS = 3600 * 10**9


class HandClock:
    def __init__(self) -> None:
        self.at_ns = 10**18

    def now_ns(self) -> int:
        return self.at_ns


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def access(tmp_path: Path, clock: HandClock) -> Iterator[Access]:
    database = open_embedded(tmp_path / "a.db")
    yield Access(SqlAccounts(database, clock), Passwords(CHEAPEST), GuessLimiter(clock), clock, 12)
    database.close()


def test_an_invitation_works_once_and_for_a_day(access: Access, clock: HandClock) -> None:
    secret = access.invite("lena", Role.REVIEWER)
    _, session = access.accept(secret, PASSWORD)
    assert session.account.role is Role.REVIEWER
    with pytest.raises(NotFoundError):
        access.accept(secret, PASSWORD)
    late = access.invite("petr", Role.VIEWER)
    clock.at_ns += 25 * HOUR_NS
    with pytest.raises(NotFoundError):
        access.accept(late, PASSWORD)


def test_a_new_invitation_ends_the_one_before(access: Access) -> None:
    first = access.invite("lena", Role.VIEWER)
    access.invite("lena", Role.VIEWER)
    with pytest.raises(NotFoundError):
        access.accept(first, PASSWORD)


def test_sessions_end(access: Access, clock: HandClock) -> None:
    access.accept(access.invite("lena", Role.VIEWER), PASSWORD)
    secret, _ = access.sign_in("lena", PASSWORD, "::1")
    assert access.session(secret) is not None
    clock.at_ns += 12 * HOUR_NS
    assert access.session(secret) is None
    secret, _ = access.sign_in("lena", PASSWORD, "::1")
    access.sign_out(secret)
    assert access.session(secret) is None


def test_a_new_password_ends_all_sessions(access: Access) -> None:
    stolen, _ = access.accept(access.invite("lena", Role.VIEWER), PASSWORD)
    access.accept(access.invite("lena", Role.VIEWER), "another long password")
    assert access.session(stolen) is None
    with pytest.raises(WrongPasswordError):
        access.sign_in("lena", PASSWORD, "::1")


def test_no_secret_is_kept_as_it_is(access: Access, tmp_path: Path) -> None:
    invitation = access.invite("lena", Role.ADMIN)
    session, _ = access.accept(access.invite("lena", Role.ADMIN), PASSWORD)
    account = access.store.account("lena")
    assert account is not None
    token = access.give_token(account, "script", Role.VIEWER, 1)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert digest_of(session).encode() in files
    for secret in (invitation, session, token, PASSWORD):
        assert secret.encode() not in files


def test_wrong_passwords_make_wait_longer_and_longer(access: Access, clock: HandClock) -> None:
    access.accept(access.invite("lena", Role.VIEWER), PASSWORD)
    for _ in range(FREE_GUESSES):
        with pytest.raises(WrongPasswordError):
            access.sign_in("lena", "wrong password", "10.0.0.1")
    with pytest.raises(TooManyGuessesError) as first:
        access.sign_in("lena", PASSWORD, "10.0.0.2")  # the name waits, wherever from
    with pytest.raises(TooManyGuessesError):
        access.sign_in("petr", PASSWORD, "10.0.0.1")  # the address waits, whatever the name
    clock.at_ns += int(first.value.wait_s * 1e9) + 1
    with pytest.raises(WrongPasswordError):
        access.sign_in("lena", "wrong password", "10.0.0.1")
    with pytest.raises(TooManyGuessesError) as second:
        access.sign_in("lena", PASSWORD, "10.0.0.1")
    assert second.value.wait_s > first.value.wait_s
    clock.at_ns += 1000 * 10**9
    access.sign_in("lena", PASSWORD, "10.0.0.1")
    access.sign_in("lena", PASSWORD, "10.0.0.1")


def test_a_name_that_is_none_is_told_as_a_wrong_password_is(access: Access) -> None:
    with pytest.raises(WrongPasswordError):
        access.sign_in("nobody", PASSWORD, "::1")
    access.invite("lena", Role.ADMIN)  # has no password yet
    for password in ("", PASSWORD, "the password of an account that is none"):
        with pytest.raises(WrongPasswordError):
            access.sign_in("lena", password, "::1")


@pytest.mark.parametrize("name", ["", "Lena", "a b", "../x", "x" * 65, "-x", "<b>"])
def test_names_that_are_none(access: Access, name: str) -> None:
    with pytest.raises(InputError, match="a name has"):
        access.invite(name, Role.VIEWER)


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_passwords_that_are_none(access: Access, password: str) -> None:
    secret = access.invite("lena", Role.VIEWER)
    with pytest.raises(InputError, match="a password has"):
        access.accept(secret, password)
    access.accept(secret, PASSWORD)  # the link was not used up


def test_the_last_administrator_stays(access: Access) -> None:
    access.accept(access.invite("root", Role.ADMIN), PASSWORD)
    with pytest.raises(InputError, match="last administrator"):
        access.disable("root")
    access.accept(access.invite("lena", Role.ADMIN), PASSWORD)
    session, _ = access.sign_in("root", PASSWORD, "::1")
    access.disable("root")
    assert access.session(session) is None
    with pytest.raises(WrongPasswordError):
        access.sign_in("root", PASSWORD, "::1")


def test_a_token_may_no_more_than_its_account(access: Access) -> None:
    access.accept(access.invite("lena", Role.REVIEWER), PASSWORD)
    account = access.store.account("lena")
    assert account is not None
    with pytest.raises(InputError):
        access.give_token(account, "script", Role.ADMIN, 1)
    token = access.give_token(account, "script", Role.REVIEWER, 1)
    access.invite("lena", Role.VIEWER)  # the account may less now
    session = access.token_session(token)
    assert session is not None
    assert session.scope is Role.VIEWER
    assert access.session(token) is None  # a token is no cookie
    assert [kept.label for kept in access.store.secrets(SecretKind.API_TOKEN)] == ["script"]


def test_each_role_includes_those_before_it() -> None:
    assert [[role.may(needed) for needed in Role] for role in Role] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
