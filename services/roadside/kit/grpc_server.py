"""A gRPC server as every service runs it: health, reflection, TLS, tokens, sizes, and errors as statuses."""

from __future__ import annotations

import hmac
import logging
import time
import uuid
from concurrent import futures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from roadside.errors import RoadsideError, SettingsError
from roadside.kit.logs import fields
from roadside.wire.status import internal_fault, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from roadside.kit.health import Health
    from roadside.ports.system import Meter

MAX_MESSAGE_BYTES = 20 * 1024 * 1024
"""Somewhat over the largest picture that is taken."""
_OPEN = ("/grpc.health.", "/grpc.reflection.")
"""Asked without a token: they tell of the service, not of vehicles."""
_LOCAL = ("ipv4:127.", "ipv6:[::1]", "ipv6:%5B::1%5D", "unix:")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where a server listens and whom it answers."""

    host: str
    port: int
    """0 for any free one."""
    threads: int = 8
    certificate_file: Path | None = None
    key_file: Path | None = None
    ca_file: Path | None = None
    """Where set, clients must show a certificate of this authority."""
    token: str | None = None
    """Where unset, only this machine is answered."""


class GrpcServer:
    """A server with its services registered; `start` opens it, `stop` lets calls in hand finish."""

    def __init__(
        self,
        options: ServerOptions,
        register: Callable[[grpc.Server], Sequence[str]],
        health: Health,
        meter: Meter,
    ) -> None:
        self._health = health
        self._server = grpc.server(
            futures.ThreadPoolExecutor(options.threads, thread_name_prefix="grpc"),
            interceptors=[_Boundary(meter, options.token)],
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
            ],
        )
        names = register(self._server)
        self._names = ("", *names)
        self._servicer = grpc_health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, self._server)
        reflection.enable_server_reflection((*names, grpc_health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = self._listen(options)

    def start(self) -> None:
        """Answer calls."""
        self.tell_health()
        self._server.start()

    def tell_health(self) -> None:
        """Bring gRPC health up to what is known."""
        serving = health_pb2.HealthCheckResponse.NOT_SERVING if self._health.missing() else _SERVING
        for name in self._names:
            self._servicer.set(name, serving)

    def stop(self, grace_s: float) -> None:
        """Refuse new calls and let those in hand finish, for at most `grace_s`."""
        self._servicer.enter_graceful_shutdown()
        self._server.stop(grace_s).wait()

    def _listen(self, options: ServerOptions) -> int:
        address = f"{options.host}:{options.port}"
        try:
            if options.certificate_file is None or options.key_file is None:
                return self._server.add_insecure_port(address)
            ca = options.ca_file.read_bytes() if options.ca_file is not None else None
            credentials = grpc.ssl_server_credentials(
                [(options.key_file.read_bytes(), options.certificate_file.read_bytes())],
                root_certificates=ca,
                require_client_auth=ca is not None,
            )
            return self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise SettingsError(f"grpc_port: cannot listen on {address}; is it taken?") from error


_SERVING = health_pb2.HealthCheckResponse.SERVING


class _Boundary(grpc.ServerInterceptor):
    """Where calls come in: who may call, how long it took, and what a client is told of an error."""

    def __init__(self, meter: Meter, token: str | None) -> None:
        self._meter = meter
        self._token = token

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The same method inside the boundary."""
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_OPEN):
            return handler
        coders = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        name = method.rpartition("/")[2]
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._one(handler.unary_unary, name), **coders)
        if handler.stream_unary:
            return grpc.stream_unary_rpc_method_handler(self._one(handler.stream_unary, name), **coders)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(self._many(handler.unary_stream, name), **coders)
        if handler.stream_stream:
            return grpc.stream_stream_rpc_method_handler(self._many(handler.stream_stream, name), **coders)
        return None

    def _one(self, behaviour: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 - any message
            started_s = time.perf_counter()
            try:
                self._admit(context)
                return behaviour(request, context)
            except Exception as error:  # noqa: BLE001 - the boundary
                self._tell(error, context, name)
            finally:
                self._meter.observe("grpc_seconds", time.perf_counter() - started_s, method=name)
                self._meter.count("grpc_requests_total", method=name, code=_code(context))

        return call

    def _many(self, behaviour: Callable[..., Any], name: str) -> Callable[..., Iterator[Any]]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: ANN401 - any message
            try:
                self._admit(context)
                yield from behaviour(request, context)
            except Exception as error:  # noqa: BLE001 - the boundary
                self._tell(error, context, name)
            finally:
                self._meter.count("grpc_requests_total", method=name, code=_code(context))

        return call

    def _admit(self, context: grpc.ServicerContext) -> None:
        if self._token is None:
            if not context.peer().startswith(_LOCAL):
                context.abort(
                    grpc.StatusCode.PERMISSION_DENIED,
                    "without a token only this machine is answered: set ROADSIDE_TOKEN on the server and send it",
                )
            return
        sent = dict(context.invocation_metadata()).get("authorization", "")
        sent = sent.decode() if isinstance(sent, bytes) else sent
        if not hmac.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "send `authorization: Bearer <token>` with the right token")

    def _tell(self, error: Exception, context: grpc.ServicerContext, name: str) -> None:
        if _status_set(context) is not None:  # `abort` was called: it has told already
            raise error
        if isinstance(error, RoadsideError):
            context.abort_with_status(status_of(error))
        request_id = uuid.uuid4().hex[:12]
        _log.error("internal fault", exc_info=error, extra=fields(method=name, request=request_id))
        context.abort_with_status(internal_fault(request_id))


def _status_set(context: grpc.ServicerContext) -> grpc.StatusCode | int | None:
    code: grpc.StatusCode | int | None = context.code()  # type: ignore[attr-defined]  # newer than its types
    return code


def _code(context: grpc.ServicerContext) -> str:
    code = _status_set(context)
    if code is None:
        return grpc.StatusCode.OK.name
    return code.name if isinstance(code, grpc.StatusCode) else str(code)
