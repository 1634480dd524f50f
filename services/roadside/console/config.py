"""The settings of the console."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time

from pydantic import Field

from roadside.kit.config import HttpAddress, Section


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
