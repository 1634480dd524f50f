"""The health protocol of gRPC, without a thread for whoever watches it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from roadside.kit.grpc_work import Call

SERVICE = "grpc.health.v1.Health"
_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_SERVING = health_pb2.HealthCheckResponse.SERVING


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # comes without types
    """Tells whether services serve; lives in the event loop of its server."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are the services, "" the server as a whole."""
        self._states = dict.fromkeys(names, _NOT_SERVING)
        self._changed = asyncio.Condition()

    async def Check(  # noqa: N802 - the proto's name
        self, request: health_pb2.HealthCheckRequest, context: Call
    ) -> health_pb2.HealthCheckResponse:
        """The state of one service. NOT_FOUND where there is none of that name."""
        state = self._states.get(request.service)
        if state is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service here")
        return health_pb2.HealthCheckResponse(status=state)

    async def Watch(  # noqa: N802 - the proto's name
        self, request: health_pb2.HealthCheckRequest, context: Call
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The state now, and again whenever it changes."""
        del context
        name, told = request.service, None
        while True:
            state = self._states.get(name, _UNKNOWN)
            if state != told:
                told = state
                yield health_pb2.HealthCheckResponse(status=state)
                continue
            async with self._changed:
                if self._states.get(name, _UNKNOWN) == told:
                    await self._changed.wait()

    async def tell(self, *, serving: bool) -> None:
        """All services serve, or none does."""
        state = _SERVING if serving else _NOT_SERVING
        if set(self._states.values()) == {state}:
            return
        self._states = dict.fromkeys(self._states, state)
        async with self._changed:
            self._changed.notify_all()
