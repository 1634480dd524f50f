"""Who calls over gRPC, by a token or a certificate, and what each caller may do."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadside.errors import AccessError, CredentialsError, SettingsError
from roadside.kit.toml_file import parse_toml, read_text
from roadside.kit.toml_lines import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST_TOKEN_CHARACTERS = 16
_LOCAL = ("ipv4:127.", "ipv6:[::1]", "ipv6:%5B::1%5D", "unix:")
_NAME = re.compile(r"[\w.@-]{1,64}")
_KEYS = frozenset({"name", "roles", "token", "token_file", "certificate"})
_PROOFS = ("token", "token_file", "certificate")


class Role(StrEnum):
    """What a caller may do; stated for each method in protos/roadside/v1."""

    READ = "read"
    CHECK = "check"
    REVIEW = "review"
    ADMIN = "admin"


_INCLUDED = {
    Role.READ: frozenset({Role.READ}),
    Role.CHECK: frozenset({Role.CHECK}),
    Role.REVIEW: frozenset({Role.REVIEW, Role.READ}),
    Role.ADMIN: frozenset(Role),
}
"""A reviewer must see the pictures."""


def includes(role: Role, other: Role) -> bool:
    """Whether who has `role` may what needs `other`."""
    return other in _INCLUDED[role]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as it was proved."""

    name: str
    roles: frozenset[Role]

    def require(self, role: Role) -> None:
        """Raises AccessError where the caller has not that role."""
        if role not in self.roles:
            raise AccessError(f"{self.name} may not call this: it needs the role {role.value}")


@dataclass(frozen=True, slots=True)
class Client:
    """A caller that the settings know."""

    name: str
    roles: frozenset[Role]
    token: str = ""
    """Empty where it shows a certificate instead."""
    certificate: str = ""
    """The common name of its certificate."""


class Callers:
    """Tells who calls. Without any client only this machine is answered, and may do everything."""

    def __init__(self, clients: Sequence[Client] = (), token: str | None = None) -> None:
        """`token` is the one token of an administrator who has no other name than the address."""
        self._clients = tuple(clients)
        self._token = token

    def caller(self, authorization: str, certificate: str, peer: str) -> Caller:
        """Who shows this header and this common name ("" for none) from this address.

        Raises CredentialsError, AccessError.
        """
        if not self._clients and self._token is None:
            if not peer.startswith(_LOCAL):
                raise AccessError(
                    "without a token only this machine is answered: set ROADSIDE_TOKEN on the server and send it"
                )
            return Caller(certificate or f"local {host_of(peer)}", _INCLUDED[Role.ADMIN])
        found: Caller | None = None
        for client in self._clients:  # all of them are compared, so that the time tells nothing
            if _shown(authorization, client.token) or (certificate and client.certificate == certificate):
                found = Caller(client.name, client.roles)
        if _shown(authorization, self._token):
            found = Caller(certificate or f"admin {host_of(peer)}", _INCLUDED[Role.ADMIN])
        if found is None:
            raise CredentialsError("send `authorization: Bearer <token>` with the right token")
        return found


def host_of(peer: str) -> str:
    """The address of a gRPC peer without its port."""
    kind, _, address = peer.partition(":")
    return address.rpartition(":")[0] if kind in {"ipv4", "ipv6"} else kind


def load_clients(path: Path) -> tuple[Client, ...]:
    """The clients of a TOML file: `[[clients]]` with name, roles, and token, token_file or certificate.

    Raises SettingsError, which names the entry and never a token.
    """
    text = read_text(path)
    told = parse_toml(text, path)
    entries = told.get("clients")
    if set(told) != {"clients"} or not isinstance(entries, list) or not entries:
        raise SettingsError("clients: the file holds one or more [[clients]] and nothing else")
    clients = tuple(_client(entry, _where(text, number), path.parent) for number, entry in enumerate(entries, 1))
    for what in ("name", "token", "certificate"):
        values = [value for client in clients if (value := getattr(client, what))]
        if len(set(values)) != len(values):
            raise SettingsError(f"clients: two entries have the same {what}")
    return clients


def _where(text: str, number: int) -> str:
    return f"clients: {place_of(text, ('clients', number - 1))}entry {number}"


def _client(entry: Any, where: str, folder: Path) -> Client:  # noqa: ANN401 - TOML
    if not isinstance(entry, dict) or not set(entry) <= _KEYS:
        raise SettingsError(f"{where}: has only {', '.join(sorted(_KEYS))}")
    name, roles = entry.get("name"), entry.get("roles")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingsError(f"{where}: name is 1 to 64 letters, digits, or . _ @ -")
    if not isinstance(roles, list) or not roles or not all(role in set(Role) for role in roles):
        raise SettingsError(f"{where}: roles is a list of {', '.join(Role)}")
    if len([proof for proof in _PROOFS if proof in entry]) != 1:
        raise SettingsError(f"{where}: give one of {', '.join(_PROOFS)}")
    if not all(isinstance(entry[proof], str) and entry[proof] for proof in _PROOFS if proof in entry):
        raise SettingsError(f"{where}: {', '.join(_PROOFS)} are texts")
    allowed = frozenset[Role]().union(*(_INCLUDED[Role(role)] for role in roles))
    if "certificate" in entry:
        return Client(name, allowed, certificate=entry["certificate"])
    return Client(name, allowed, token=_token(entry, where, folder))


def _token(entry: Mapping[str, str], where: str, folder: Path) -> str:
    token = entry.get("token", "")
    if "token_file" in entry:
        try:
            token = (folder / Path(entry["token_file"]).expanduser()).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise SettingsError(f"{where}: its token_file cannot be read") from None
    if len(token) < LEAST_TOKEN_CHARACTERS:
        raise SettingsError(f"{where}: a token has at least {LEAST_TOKEN_CHARACTERS} characters")
    return token


def _shown(authorization: str, token: str | None) -> bool:
    return bool(token) and hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())
