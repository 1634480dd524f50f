"""Where gRPC calls come in: who may call, what a request may hold, where it is worked on, what is told of errors.

Every call is a coroutine of the server's event loop until its request is whole, admitted and within its bounds; only
then does it get a thread. So a client that opens calls and sends nothing costs a little memory and no thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from roadside.errors import BusyError, CredentialsError, InputError, RoadsideError, UnavailableError
from roadside.kit.callers import Caller, host_of
from roadside.kit.doors import door_of
from roadside.kit.grpc_work import Feed, Workers, call_of
from roadside.kit.logs import fields
from roadside.wire.bounds import check
from roadside.wire.status import internal_fault, status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from roadside.kit.callers import Callers
    from roadside.kit.doors import Door
    from roadside.kit.grpc_work import Call
    from roadside.ports.system import Meter

OPEN_CALLS = 256
"""How many calls that need no token, health's, are open at the same time, watches among them."""
OPEN_CALLS_PER_PEER = 32

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one caller may occupy."""

    idle_s: float = 60.0
    """A client that owes a message for so long is hung up on."""
    calls_per_peer: int = 256
    """Calls of one address at the same time."""


@dataclass(slots=True)
class _Places:
    """Counts the open calls; lives in the event loop, so nothing is locked."""

    limits: Limits
    _peers: Counter[tuple[str, bool, bool]] = field(default_factory=Counter)
    _open: int = 0

    @contextmanager
    def taken(self, peer: str, door: Door, *, streams: bool) -> Iterator[None]:
        """A place for a call. Raises BusyError where its peer has too many, or all open ones are taken.

        Streams, which last, are counted apart from other calls: they leave these their places.
        """
        key = host_of(peer), door.open, streams
        most = OPEN_CALLS_PER_PEER if door.open else self.limits.calls_per_peer
        if self._peers[key] >= most:
            raise BusyError(f"{most} {'streams' if streams else 'calls'} of your address are open already")
        if door.open and self._open >= OPEN_CALLS:
            raise BusyError("too many calls are open already")
        self._peers[key] += 1
        self._open += door.open
        try:
            yield
        finally:
            self._open -= door.open
            self._peers[key] -= 1
            if not self._peers[key]:
                del self._peers[key]


class Boundary(grpc.aio.ServerInterceptor):
    """Wraps every method of a server; made in the server's event loop."""

    def __init__(self, meter: Meter, callers: Callers, workers: Workers, limits: Limits) -> None:
        self._meter = meter
        self._callers = callers
        self._workers = workers
        self._limits = limits
        self._places = _Places(limits)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The same method inside the boundary.

        On this side it always takes a stream of requests: a method is then called before a request has come, so that
        a stranger is refused at once.
        """
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        door = door_of(handler_call_details.method)
        coders = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(self._many(handler, door), **coders)
        return grpc.stream_unary_rpc_method_handler(self._one(handler, door), **coders)

    def _one(self, handler: grpc.RpcMethodHandler[Any, Any], door: Door) -> Callable[..., Any]:
        behaviour: Any = handler.stream_unary if handler.request_streaming else handler.unary_unary

        async def method(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
            started_s, told = time.perf_counter(), _Told()
            try:
                with self._call(handler, door, context) as call:
                    given = await self._given(handler, door, requests, call)
                    return await self._workers.answer(behaviour, given, call)
            except Exception as error:  # noqa: BLE001 - the boundary
                await told.tell(error, context, door.name)
            finally:
                self._count(door, told, time.perf_counter() - started_s)

        return method

    def _many(self, handler: grpc.RpcMethodHandler[Any, Any], door: Door) -> Callable[..., AsyncIterator[Any]]:
        behaviour: Any = handler.stream_stream if handler.request_streaming else handler.unary_stream

        async def method(
            requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            told = _Told()
            try:
                with self._call(handler, door, context) as call:
                    given = await self._given(handler, door, requests, call)
                    async for answer in self._workers.answers(behaviour, given, call):
                        yield answer
            except Exception as error:  # noqa: BLE001 - the boundary
                await told.tell(error, context, door.name)
            finally:
                self._count(door, told)

        return method

    def _count(self, door: Door, told: _Told, took_s: float | None = None) -> None:
        """Count a call and its seconds, of a stream none; probes of health are not worth it."""
        if door.open:
            return
        if took_s is not None:
            self._meter.observe("grpc_seconds", took_s, method=door.name)
        self._meter.count("grpc_requests_total", method=door.name, code=told.code)

    @contextmanager
    def _call(
        self, handler: grpc.RpcMethodHandler[Any, Any], door: Door, context: grpc.aio.ServicerContext[Any, Any]
    ) -> Iterator[Call]:
        """The call, admitted and in its place. Raises CredentialsError, AccessError, BusyError."""
        caller = self._admit(context, door)
        streams = handler.request_streaming or handler.response_streaming
        with self._places.taken(context.peer(), door, streams=streams), call_of(context, caller) as call:
            yield call

    def _admit(self, context: grpc.aio.ServicerContext[Any, Any], door: Door) -> Caller:
        """Who calls. Raises CredentialsError, AccessError."""
        if door.open:
            return Caller("anybody", frozenset())
        sent = dict(context.invocation_metadata() or ()).get("authorization", "")
        sent = sent.decode(errors="replace") if isinstance(sent, bytes) else sent
        names = (context.auth_context() or {}).get("x509_common_name", ())
        certificate = next((name.decode(errors="replace") for name in names), "")
        caller = self._callers.caller(sent, certificate, context.peer())
        if door.role is not None:
            caller.require(door.role)
        return caller

    async def _given(
        self, handler: grpc.RpcMethodHandler[Any, Any], door: Door, requests: AsyncIterator[Any], call: Call
    ) -> Any:  # noqa: ANN401 - a message, or an iterator over messages
        """The request, or a stream of them: each in time and within its bounds."""
        bounded = _bounded(requests, self._limits.idle_s, checked=door.checked)
        if handler.request_streaming:
            return Feed(bounded, call, asyncio.get_running_loop())
        async for request in bounded:
            return request
        raise InputError("the call ended before its request came")


async def _bounded(requests: AsyncIterator[Any], idle_s: float, *, checked: bool) -> AsyncIterator[Any]:
    """The requests. Raises InputError for one that is out of bounds, UnavailableError for one that does not come."""
    incoming = aiter(requests)
    while True:
        try:
            request = await asyncio.wait_for(anext(incoming), idle_s)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise UnavailableError(f"nothing was sent for {idle_s:.0f} s: the call is closed") from None
        except DecodeError:
            raise InputError("what was sent is no request of this method") from None
        if checked:
            check(request)
        yield request


class _Told:
    """What one call ended with."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.OK.name

    async def tell(self, error: Exception, context: grpc.aio.ServicerContext[Any, Any], name: str) -> None:
        """Abort the call with the status of `error`; an internal fault is logged and not told."""
        if isinstance(error, grpc.aio.AbortError):  # `abort` was called: it has told already
            self.code = "ABORTED"
            raise error
        if isinstance(error, RoadsideError):
            status = status_of(error)
            if isinstance(error, CredentialsError):
                _log.info("refused", extra=fields(method=name, peer=host_of(context.peer())))
        else:
            request_id = uuid.uuid4().hex[:12]
            _log.error("internal fault", exc_info=error, extra=fields(method=name, request=request_id))
            status = internal_fault(request_id)
        self.code = status.code.name
        await context.abort(status.code, status.details, tuple(status.trailing_metadata or ()))
