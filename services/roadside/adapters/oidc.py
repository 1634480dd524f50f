"""A provider of OpenID Connect, spoken to through authlib: the code flow with PKCE, and an ID token that is proved."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # it has no types
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from roadside.adapters.bounded_answers import bounded_answers
from roadside.console.ports import Identity
from roadside.errors import AccessError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TIMEOUT_S = 10.0
FRESH_S = 3600.0
"""How long what a provider says of itself is believed."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Of signatures that only the provider can make: none without a key, none with a shared one."""
LEEWAY_S = 60
MOST_ROLES = 200
AT_ONCE = 8
"""Conversations with a provider: one that hangs must not take every thread of the console."""
FAILED_S = 5.0
"""How long a provider that did not answer is left alone."""
_WORN = (RecursionError, AttributeError, KeyError, TypeError, ValueError)
"""What an answer that is none leads to."""


@dataclass(frozen=True, slots=True)
class _About:
    """What a provider says of itself."""

    authorization: str
    token: str
    userinfo: str | None
    end: str | None
    methods: tuple[str, ...]
    keys: KeySet


@dataclass(frozen=True, slots=True)
class OidcClient:
    """What the provider knows the console by, and what of its claims is wanted."""

    issuer: str
    client_id: str
    secret: str | None = None
    scopes: str = "openid"
    name_claim: str = "preferred_username"
    role_claim: str = "roles"


@dataclass(slots=True)
class OidcProvider:
    """Meets the console's `IdentityProvider`. Safe to share between threads."""

    client: OidcClient
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _about: tuple[float, _About] | None = None
    _failed_s: float = -FAILED_S
    _turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    @property
    def issuer(self) -> str:
        """Its address."""
        return self.client.issuer

    def address(self, state: str, nonce: str, verifier: str, back: str) -> str:
        """Where a browser is sent to sign in. Raises UnavailableError."""
        with self._turn(), self._session(back, about := self._known()) as session:
            url, _ = session.create_authorization_url(
                about.authorization, state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def identity(self, code: str, nonce: str, verifier: str, back: str) -> Identity:
        """Whom a code is for. Raises AccessError, UnavailableError."""
        try:
            with self._turn(), self._session(back, about := self._known()) as session:
                token = session.fetch_token(about.token, code=code, code_verifier=verifier)
                claims = dict(self._proved(str(token.get("id_token", "")), str(token.get("access_token", "")), nonce))
                if about.userinfo is not None:
                    told = session.get(about.userinfo).raise_for_status().json()
                    if told.get("sub") == claims["sub"]:
                        claims = {**told, **claims}
        except (AuthlibBaseError, JoseError, *_WORN) as error:
            raise AccessError(f"the provider's answer is not accepted ({type(error).__name__})") from error
        except httpx2.HTTPStatusError as error:
            raise AccessError(f"the provider answered {error.response.status_code}") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise UnavailableError("the provider of sign-ins does not answer") from error
        name = str(claims.get(self.client.name_claim) or claims["sub"])
        return Identity(str(claims["sub"]), name, _roles(claims, self.client.role_claim))

    def end(self, back: str) -> str | None:
        """Where a browser is sent to sign out there."""
        try:
            with self._turn():
                address = self._known().end
        except UnavailableError:
            return None
        if address is None:
            return None
        asked = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        return str(httpx2.URL(address).copy_merge_params(asked))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Raises UnavailableError where too many are asking."""
        if not self._turns.acquire(blocking=False):
            raise UnavailableError("the provider of sign-ins is slow: try again in a moment")
        try:
            yield
        finally:
            self._turns.release()

    @contextmanager
    def _session(self, back: str, about: _About) -> Iterator[OAuth2Client]:
        method = "client_secret_basic" if "client_secret_basic" in about.methods else "client_secret_post"
        with (
            bounded_answers(TIMEOUT_S) as bounded,
            OAuth2Client(
                client_id=self.client.client_id,
                client_secret=self.client.secret,
                token_endpoint_auth_method=method if self.client.secret is not None else "none",
                scope=self.client.scopes,
                redirect_uri=back,
                code_challenge_method="S256",
                follow_redirects=False,
                **bounded,
            ) as session,
        ):
            yield session

    def _proved(self, id_token: str, access_token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token. Raises JoseError, AuthlibBaseError, ValueError."""
        try:
            decoded = jwt.decode(id_token, self._known().keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            decoded = jwt.decode(id_token, self._known(anew=True).keys, algorithms=ALGORITHMS)  # keys may be new ones
        options = {
            "iss": {"essential": True, "value": self.client.issuer},
            "aud": {"essential": True, "value": self.client.client_id},
            "nonce": {"essential": True, "value": nonce},
            "sub": {"essential": True},
        }
        params = {"nonce": nonce, "client_id": self.client.client_id, "access_token": access_token}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(leeway=LEEWAY_S)
        return dict(decoded.claims)

    def _known(self, *, anew: bool = False) -> _About:
        """What the provider says of itself. Raises UnavailableError."""
        with self._lock:
            now_s = time.monotonic()
            if anew or self._about is None or now_s - self._about[0] > FRESH_S:
                if now_s - self._failed_s < FAILED_S:
                    raise UnavailableError("the provider of sign-ins does not answer")
                try:
                    self._about = now_s, self._asked()
                except UnavailableError:
                    self._failed_s = time.monotonic()
                    raise
            return self._about[1]

    def _asked(self) -> _About:
        try:
            with bounded_answers(TIMEOUT_S) as bounded, httpx2.Client(**bounded) as session:
                about = session.get(f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
                told: Mapping[str, Any] = about.raise_for_status().json()
                if told["issuer"] != self.client.issuer:
                    raise UnavailableError(f"the provider calls itself {str(told['issuer'])[:200]}: set that as issuer")
                keys = session.get(told["jwks_uri"]).raise_for_status().json()
            return _about(told, KeySet.import_key_set(keys))
        except (httpx2.HTTPError, httpx2.InvalidURL, JoseError, *_WORN) as error:
            raise UnavailableError("the provider of sign-ins does not answer as one of OpenID Connect") from error


def _about(told: Mapping[str, Any], keys: KeySet) -> _About:
    """Raises ValueError, KeyError or TypeError for what is no such thing."""
    return _About(
        _endpoint(told["authorization_endpoint"]),
        _endpoint(told["token_endpoint"]),
        _endpoint(told["userinfo_endpoint"]) if "userinfo_endpoint" in told else None,
        _endpoint(told["end_session_endpoint"]) if told.get("end_session_endpoint") else None,
        tuple(told.get("token_endpoint_auth_methods_supported", ("client_secret_basic",))),
        keys,
    )


def _endpoint(address: object) -> str:
    """An address that a browser may be sent to. Raises ValueError for any other."""
    parts = urlsplit(str(address))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an endpoint that is no address")
    return str(address)


def _roles(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The values of a claim; dots lead into it, unless it is called so."""
    found: Any = claims
    for name in (path,) if path in claims else path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    values = found if isinstance(found, list) else [found]
    return tuple(value for value in values[:MOST_ROLES] if isinstance(value, str))
