"""The settings of the console."""

from __future__ import annotations

from pydantic import Field

from roadside.kit.config import Section


class ConsoleSection(Section):
    """Where the console listens, and how long people stay signed in."""

    console_host: str = Field(
        "127.0.0.1", min_length=1, description="address that the console listens on; 0.0.0.0 for every interface"
    )
    console_port: int = Field(8080, ge=0, le=65535, description="port of the console; 0: any free one, told at start")
    console_https: bool = Field(
        False, description="whether browsers reach the console over HTTPS, through a proxy: cookies are Secure then"
    )
    console_session_hours: float = Field(
        12.0, gt=0, le=24 * 90, description="hours after which people must sign in to the console again"
    )
