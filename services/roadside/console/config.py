"""The settings of the console."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from roadside.console.ports import Role
from roadside.kit.config import HttpAddress, Section

_HERE = ("127.0.0.1", "::1", "localhost")


class ConsoleSection(Section):
    """Where the console listens, and how long people stay signed in."""

    console_host: str = Field(
        "127.0.0.1", min_length=1, description="address that the console listens on; 0.0.0.0 for every interface"
    )
    console_port: int = Field(8080, ge=0, le=65535, description="port of the console; 0: any free one, told at start")
    console_https: bool = Field(
        False, description="whether browsers reach the console over HTTPS, through a proxy: cookies are Secure then"
    )
    console_url: HttpAddress | None = Field(
        None, description="address that people open the console at, for links, where a proxy or an ingress is between"
    )
    console_session_hours: float = Field(
        12.0, gt=0, le=24 * 90, description="hours after which people must sign in to the console again"
    )

    console_oidc_issuer: HttpAddress | None = Field(
        None,
        description="address of an OpenID Connect provider that people may sign in through; https, or on this machine",
    )
    console_oidc_client_id: str = Field("", description="what the provider calls the console")
    console_oidc_secret_file: Path | None = Field(
        None, description="file with the secret that the provider has given the console; none: a public client"
    )
    console_oidc_scopes: str = Field("openid profile email", description="scopes asked of the provider")
    console_oidc_name_claim: str = Field(
        "preferred_username", min_length=1, description="claim with the name that the audit shows"
    )
    console_oidc_role_claim: str = Field(
        "roles", min_length=1, description="claim with a person's roles or groups; dots lead into it"
    )
    console_oidc_roles: str = Field(
        "",
        description="what of that claim is which role, such as wardens=reviewer,it=admin; empty: its values are roles; "
        "who has none may not sign in",
    )

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        """A provider needs a client id, an address that nobody else can answer at, and roles that there are."""
        if self.console_oidc_issuer is None:
            return self
        if not self.console_oidc_client_id:
            raise ValueError("console_oidc_issuer needs console_oidc_client_id")
        where = urlsplit(self.console_oidc_issuer)
        if where.scheme != "https" and where.hostname not in _HERE:
            raise ValueError("console_oidc_issuer: only https, or on this machine")
        if self.console_oidc_secret_file is not None and not self.console_oidc_secret_file.is_file():
            raise ValueError(f"console_oidc_secret_file: there is no file {self.console_oidc_secret_file}")
        self.oidc_roles()
        return self

    def oidc_roles(self) -> dict[str, Role]:
        """Which value of the role claim is which role. Raises ValueError."""
        if not self.console_oidc_roles.strip():
            return {role.value: role for role in Role}
        found = {}
        for pair in self.console_oidc_roles.split(","):
            value, sign, role = (part.strip() for part in pair.rpartition("="))
            if not sign or not value or role not in list(Role):
                raise ValueError(
                    f"console_oidc_roles: {pair.strip()!r} is not VALUE=ROLE, ROLE one of {', '.join(Role)}"
                )
            found[value] = Role(role)
        return found


class AskedServicesSection(Section):
    """Which services the console asks, where it is a service itself."""

    plates_address: str = Field("127.0.0.1:50055", min_length=1, description="host:port of the plates service")
    registry_address: str = Field("127.0.0.1:50054", min_length=1, description="host:port of the registry service")
    capture_addresses: str = Field(
        "",
        description="host:port of the capture services whose cameras the console shows, with commas between; every "
        "address that a name stands for is asked",
    )
    detector_address: str = Field(
        "",
        description="host:port of the detector service, which finds the plates in cameras' pictures; empty: viewers "
        "see them blurred as a whole",
    )
    services_ca: Path | None = Field(None, description="authority of the services' certificates; none: no TLS")

    def captures(self) -> list[str]:
        """The addresses of the capture services."""
        return [address.strip() for address in self.capture_addresses.split(",") if address.strip()]
