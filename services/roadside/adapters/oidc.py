"""A provider of OpenID Connect, spoken to through authlib: the code flow with PKCE, and an ID token that is proved."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # it has no types
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from roadside.console.ports import Identity
from roadside.errors import AccessError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 10.0
FRESH_S = 3600.0
"""How long what a provider says of itself is believed."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Of signatures that only the provider can make: none without a key, none with a shared one."""
LEEWAY_S = 60
MOST_ROLES = 200


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
    _about: tuple[float, Mapping[str, Any], KeySet] | None = None

    @property
    def issuer(self) -> str:
        """Its address."""
        return self.client.issuer

    def address(self, state: str, nonce: str, verifier: str, back: str) -> str:
        """Where a browser is sent to sign in. Raises UnavailableError."""
        about, _ = self._known()
        with self._session(back, about) as session:
            url, _ = session.create_authorization_url(
                about["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def identity(self, code: str, nonce: str, verifier: str, back: str) -> Identity:
        """Whom a code is for. Raises AccessError, UnavailableError."""
        about, keys = self._known()
        try:
            with self._session(back, about) as session:
                token = session.fetch_token(about["token_endpoint"], code=code, code_verifier=verifier)
                claims = dict(
                    self._proved(str(token.get("id_token", "")), str(token.get("access_token", "")), nonce, keys)
                )
                if "userinfo_endpoint" in about:
                    told = session.get(about["userinfo_endpoint"]).raise_for_status().json()
                    if told.get("sub") == claims["sub"]:
                        claims = {**told, **claims}
        except (AuthlibBaseError, JoseError, KeyError, TypeError, ValueError) as error:
            raise AccessError(f"the provider's answer is not accepted ({type(error).__name__})") from error
        except httpx2.HTTPStatusError as error:
            raise AccessError(f"the provider answered {error.response.status_code}") from error
        except httpx2.HTTPError as error:
            raise UnavailableError("the provider of sign-ins does not answer") from error
        name = str(claims.get(self.client.name_claim) or claims["sub"])
        return Identity(str(claims["sub"]), name, _roles(claims, self.client.role_claim))

    def end(self, back: str) -> str | None:
        """Where a browser is sent to sign out there."""
        try:
            about, _ = self._known()
        except UnavailableError:
            return None
        address = about.get("end_session_endpoint")
        if not isinstance(address, str):
            return None
        asked = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        return str(httpx2.URL(address).copy_merge_params(asked))

    def _session(self, back: str, about: Mapping[str, Any]) -> OAuth2Client:
        offered = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return OAuth2Client(
            client_id=self.client.client_id,
            client_secret=self.client.secret,
            token_endpoint_auth_method=method if self.client.secret is not None else "none",
            scope=self.client.scopes,
            redirect_uri=back,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            follow_redirects=False,
        )

    def _proved(self, id_token: str, access_token: str, nonce: str, keys: KeySet) -> Mapping[str, Any]:
        """The claims of an ID token. Raises JoseError, AuthlibBaseError, ValueError."""
        try:
            decoded = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            decoded = jwt.decode(id_token, self._known(anew=True)[1], algorithms=ALGORITHMS)  # keys may be new ones
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

    def _known(self, *, anew: bool = False) -> tuple[Mapping[str, Any], KeySet]:
        """What the provider says of itself, and its keys. Raises UnavailableError."""
        with self._lock:
            if anew or self._about is None or time.monotonic() - self._about[0] > FRESH_S:
                self._about = (time.monotonic(), *self._asked())
            return self._about[1], self._about[2]

    def _asked(self) -> tuple[Mapping[str, Any], KeySet]:
        try:
            with httpx2.Client(timeout=TIMEOUT_S) as session:
                about = session.get(f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
                told: Mapping[str, Any] = about.raise_for_status().json()
                if told["issuer"] != self.client.issuer:
                    raise UnavailableError(f"the provider calls itself {str(told['issuer'])[:200]}: set that as issuer")
                keys = session.get(told["jwks_uri"]).raise_for_status().json()
            return {**told, "authorization_endpoint": str(told["authorization_endpoint"])}, KeySet.import_key_set(keys)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError, JoseError) as error:
            raise UnavailableError("the provider of sign-ins does not answer as one of OpenID Connect") from error


def _roles(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The values of a claim; dots lead into it, unless it is called so."""
    found: Any = claims
    for name in (path,) if path in claims else path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    values = found if isinstance(found, list) else [found]
    return tuple(value for value in values[:MOST_ROLES] if isinstance(value, str))
