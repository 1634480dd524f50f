"""Connections to the console: a crowd of those that ask for nothing, or drip, takes no place from who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

ROOM = 8
"""Places that are kept free below `limit_concurrency`, at which uvicorn refuses requests."""


class BoundedProtocol(H11Protocol):
    """Where there are too many connections, the oldest without a request in hand goes."""

    _made_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._made_s = self.loop.time()
        if self.limit_concurrency is None or len(self.connections) < self.limit_concurrency - ROOM:
            return
        idle = [each for each in self.connections if isinstance(each, BoundedProtocol) and each.is_idle()]
        if idle:
            min(idle, key=lambda each: each._made_s).transport.abort()  # noqa: SLF001 - of its own class

    def is_idle(self) -> bool:
        """Whether it is open, and no request is in hand."""
        return (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing()
