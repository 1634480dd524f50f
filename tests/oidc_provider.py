"""A provider of OpenID Connect for tests: authlib's own server side behind Flask, over a real socket."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, OpenIDCode, UserInfo
from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
CLIENT, SECRET = "console", "the secret of the console"


@dataclass
class Client(ClientMixin):
    """The console, as it is registered."""

    redirect_uri: str = ""

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic" and endpoint == "token"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    """A code that was given out."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    client_id: str = CLIENT

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class Provider:
    """What a test changes: who signs in next, and in what the provider's token is not right."""

    client: Client = field(default_factory=Client)
    claims: dict[str, Any] = field(
        default_factory=lambda: {"sub": "1", "preferred_username": "eva", "roles": ["viewer"]}
    )
    spoilt: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token that are put in place of the right ones; `key` signs with another key, `alg` none."""
    refuses: bool = False
    issuer: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    ended: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)


def _app(state: Provider) -> Flask:  # noqa: C901 - the routes of a provider
    app = Flask("provider")
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: state.client if client_id == CLIENT else None,
        save_token=lambda *_: None,
    )

    class Grant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, request: Any) -> None:  # noqa: ANN401
            said = request.payload.data
            state.codes[code] = Code(
                code,
                said["redirect_uri"],
                said["scope"],
                said["nonce"],
                said["code_challenge"],
                said["code_challenge_method"],
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            del client
            return state.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del state.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
            del authorization_code
            return state.claims

    class Identity(OpenIDCode):
        def exists_nonce(self, nonce: str, request: Any) -> bool:  # noqa: ANN401
            del request
            return any(code.nonce == nonce for code in state.codes.values())

        def resolve_client_private_key(self, client: Client) -> RSAKey:
            del client
            return state.key

        def get_client_algorithm(self, client: Client) -> str:
            del client
            return "RS256"

        def get_client_claims(self, client: Client) -> dict[str, Any]:
            del client
            now = int(time.time())
            return {"iss": state.issuer, "aud": [CLIENT], "iat": now, "exp": now + 300}

        def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
            del scope
            return UserInfo(user)

        def encode_id_token(self, token: dict[str, Any], request: Any) -> str:  # noqa: ANN401
            made: str = super().encode_id_token(token, request)
            if not state.spoilt:
                return made
            claims = {**jwt.decode(made, state.key, algorithms=["RS256"]).claims, **state.spoilt}
            key = claims.pop("key", state.key)
            claims = {name: value for name, value in claims.items() if value is not None}
            return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key, algorithms=["RS256"])

    server.register_grant(Grant, [CodeChallenge(required=True), Identity(require_nonce=True)])

    @app.get("/.well-known/openid-configuration")
    def about() -> Any:  # noqa: ANN401
        at = state.issuer
        return jsonify(
            issuer=at,
            authorization_endpoint=f"{at}/authorize",
            token_endpoint=f"{at}/token",
            userinfo_endpoint=f"{at}/userinfo",
            jwks_uri=f"{at}/keys",
            end_session_endpoint=f"{at}/end",
        )

    @app.get("/keys")
    def keys() -> Any:  # noqa: ANN401
        return jsonify(keys=[state.key.as_dict(private=False)])

    @app.get("/authorize")
    def authorize() -> Any:  # noqa: ANN401
        state.asked.append(request.args.to_dict())
        if state.refuses:
            return redirect(f"{request.args['redirect_uri']}?error=access_denied&state={request.args['state']}")
        grant = server.get_consent_grant(end_user=state.claims)
        return server.create_authorization_response(grant_user=state.claims, grant=grant)

    @app.post("/token")
    def token() -> Any:  # noqa: ANN401
        return server.create_token_response()

    @app.get("/userinfo")
    def userinfo() -> Any:  # noqa: ANN401
        return jsonify(state.claims)

    @app.get("/end")
    def end() -> Any:  # noqa: ANN401
        state.ended.append(request.args.to_dict())
        return redirect(request.args["post_logout_redirect_uri"])

    return app


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that answers while the block runs."""
    state = Provider()
    server = make_server("127.0.0.1", 0, _app(state), threaded=True)
    state.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
