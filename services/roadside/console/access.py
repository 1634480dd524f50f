"""Who is at the other end: accounts, sessions, invitations and API tokens."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from roadside.console.ports import Account, Role, Secret, SecretKind, Session
from roadside.errors import AccessError, InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roadside.console.passwords import GuessLimiter, Passwords
    from roadside.console.ports import AccountStore, Identity
    from roadside.ports.system import Clock

HOUR_NS = 3_600 * 10**9
INVITATION_HOURS = 24.0
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
NOT_OF_NAMES = re.compile(r"[^a-z0-9._@-]+")
OIDC = "oidc:"
"""What stands in place of a password's hash where a provider knows the person: no password is like it."""
_SECRET_BYTES = 32


class WrongPasswordError(InputError):
    """The name or the password is wrong; which of them is not told."""


@dataclass(frozen=True, slots=True)
class Access:
    """Lets people in. Safe to share between threads."""

    store: AccountStore
    passwords: Passwords
    limiter: GuessLimiter
    clock: Clock
    session_hours: float

    def invite(self, name: str, role: Role) -> str:
        """A new secret that sets the password of `name` once; makes the account where there is none.

        Raises InputError for a name that is none, and for the last administrator, who would be none any more.
        """
        if not NAME.fullmatch(name):
            raise InputError("a name has small letters, digits and . _ @ -, at most 64")
        known = self.store.account(name)
        if role is not Role.ADMIN and known is not None and self._is_last_admin(known):
            raise InputError(f"{name} is the last administrator")
        self.store.put_account(replace(known, role=role, disabled=False) if known else Account(name, role, ""))
        self.store.drop_secrets_of(name, SecretKind.INVITATION)
        return self._give(SecretKind.INVITATION, name, role, "", INVITATION_HOURS)

    def has_admin(self) -> bool:
        """Whether somebody can look after the accounts."""
        return any(map(_is_admin, self.store.accounts()))

    def invited(self, secret: str) -> Account:
        """Whom an invitation is for. Raises NotFoundError where it is none, was used, or is too old."""
        kept = self._kept(secret, SecretKind.INVITATION)
        account = self.store.account(kept.account) if kept else None
        if account is None:
            raise NotFoundError("this link was used already, or is older than a day: ask for a new one")
        return account

    def accept(self, secret: str, password: str) -> tuple[str, Session]:
        """Sets the password of whom `secret` invites, and signs them in. Raises InputError, NotFoundError."""
        account = self.invited(secret)
        hashed = self.passwords.hash(password)
        if not self.store.drop_secret(digest_of(secret)):
            raise NotFoundError("this link was used already")
        account = replace(account, password_hash=hashed)
        self.store.put_account(account)
        self.store.drop_secrets_of(account.name, SecretKind.SESSION)
        return self._begin(account)

    def sign_in(self, name: str, password: str, address: str) -> tuple[str, Session]:
        """A new session's secret, and the session. Raises WrongPasswordError, TooManyGuessesError."""
        name = name.strip().lower()[:64]
        whose = (f"name {name}", f"address {address}")
        self.limiter.check(*whose)
        account = self.store.account(name)
        kept = account.password_hash if account is not None and not account.disabled else ""
        if not self.passwords.matches(password, kept) or account is None:
            self.limiter.wrong(*whose)
            raise WrongPasswordError("the name or the password is wrong")
        self.limiter.right(*whose)
        return self._begin(account)

    def sign_in_as(self, identity: Identity, issuer: str, roles: Mapping[str, Role]) -> tuple[str, Session]:
        """As `sign_in` of somebody whom a provider knows; makes the account where there is none, and sets its role.

        Raises AccessError for who has no role, is closed, or has the name of somebody else.
        """
        held = [roles[role] for role in identity.roles if role in roles]
        name = NOT_OF_NAMES.sub("-", identity.name.strip().lower())[:64].lstrip("._@-")
        if not NAME.fullmatch(name):
            raise AccessError("the provider gives no name that an account can have")
        mark = f"{OIDC}{hashlib.sha256(canonical_of(issuer, identity.subject)).hexdigest()}"
        account = self.store.account(name)
        if account is not None and account.password_hash != mark:
            raise AccessError(f"the name {name} is that of another account here")
        if account is not None and account.disabled:
            raise AccessError(f"the account {name} was closed")
        if not held:
            self.store.drop_secrets_of(name, SecretKind.SESSION)
            raise AccessError("the provider gives you no role here: ask who looks after it")
        account = Account(name, max(held, key=list(Role).index), mark)
        self.store.put_account(account)
        return self._begin(account)

    def session(self, secret: str) -> Session | None:
        """The session of a browser's cookie, None where it has ended."""
        return self._session(secret, SecretKind.SESSION)

    def token_session(self, secret: str) -> Session | None:
        """The session of an API token."""
        return self._session(secret, SecretKind.API_TOKEN)

    def sign_out(self, secret: str) -> None:
        """End a session."""
        self.store.drop_secret(digest_of(secret))

    def give_token(self, account: Account, label: str, scope: Role, days: float) -> str:
        """A new API token that may do what `scope` says and no more than its account. Raises InputError."""
        if not account.role.may(scope):
            raise InputError(f"{account.name} is {account.role.value} and cannot give a token for {scope.value}")
        return self._give(SecretKind.API_TOKEN, account.name, scope, label[:64], days * 24)

    def disable(self, name: str) -> None:
        """Nobody acts for the account any more. Raises NotFoundError; InputError for the last administrator."""
        account = self.store.account(name)
        if account is None:
            raise NotFoundError(f"there is no account {name!r}")
        if self._is_last_admin(account):
            raise InputError(f"{name} is the last administrator")
        self.store.put_account(replace(account, disabled=True))
        self.store.drop_secrets_of(name, *SecretKind)

    def _is_last_admin(self, account: Account) -> bool:
        others = [a for a in self.store.accounts() if a.name != account.name]
        return account.role is Role.ADMIN and not any(_is_admin(other) for other in others)

    def _begin(self, account: Account) -> tuple[str, Session]:
        secret = self._give(SecretKind.SESSION, account.name, account.role, "", self.session_hours)
        return secret, Session(account, _csrf(secret), account.role)

    def _give(self, kind: SecretKind, name: str, scope: Role, label: str, hours: float) -> str:
        secret, now_ns = secrets.token_urlsafe(_SECRET_BYTES), self.clock.now_ns()
        self.store.put_secret(
            Secret(digest_of(secret), kind, name, scope, label, now_ns, now_ns + int(hours * HOUR_NS))
        )
        return secret

    def _kept(self, secret: str, kind: SecretKind) -> Secret | None:
        kept = self.store.secret(digest_of(secret))
        return kept if kept is not None and kept.kind is kind and kept.expires_ns > self.clock.now_ns() else None

    def _session(self, secret: str, kind: SecretKind) -> Session | None:
        kept = self._kept(secret, kind)
        account = self.store.account(kept.account) if kept is not None else None
        if kept is None or account is None or account.disabled:
            return None
        scope = kept.scope if account.role.may(kept.scope) else account.role
        if kind is SecretKind.SESSION:
            return Session(account, _csrf(secret), account.role)
        return Session(account, "", scope)


def canonical_of(issuer: str, subject: str) -> bytes:
    """A person of a provider: no two of any providers have the same."""
    return json.dumps([issuer, subject]).encode()


def _is_admin(account: Account) -> bool:
    return account.role is Role.ADMIN and bool(account.password_hash) and not account.disabled


def is_of_provider(account: Account) -> bool:
    """Whether a provider of OpenID Connect knows the person, and no password does."""
    return account.password_hash.startswith(OIDC)


def derived(secret: str, what: str) -> str:
    """One of the values that a sign-in through a provider needs, of the one secret that its browser holds."""
    return hmac.new(secret.encode(), what.encode(), hashlib.sha256).hexdigest()


def digest_of(secret: str) -> str:
    """What is kept of a secret: it has 256 random bits, so that a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _csrf(secret: str) -> str:
    return hmac.new(secret.encode(), b"forms of this session", hashlib.sha256).hexdigest()
