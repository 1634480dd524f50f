"""A gRPC server as every service runs it: an event loop in a thread of its own, TLS, sizes, health, reflection."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from roadside.errors import SettingsError
from roadside.kit.callers import Callers
from roadside.kit.grpc_boundary import Boundary, Limits
from roadside.kit.grpc_health import SERVICE as HEALTH
from roadside.kit.grpc_health import HealthServicer
from roadside.kit.grpc_work import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from concurrent import futures
    from pathlib import Path

    from roadside.kit.health import Health
    from roadside.ports.system import Meter

MAX_MESSAGE_BYTES = 20 * 1024 * 1024
"""Somewhat over the largest picture: what a service that takes pictures is sent at most, and the largest answer."""
MAX_QUESTION_BYTES = 5 * 1024 * 1024
"""What any other service is sent at most: somewhat over the largest piece of a list of vignettes."""
MAX_METADATA_BYTES = 16 * 1024
CALLS_PER_CONNECTION = 128
HANDSHAKE_S = 10
IDLE_CONNECTION_S = 300
"""A connection without a call is closed after it."""
NOT_SERVED_AFTER_S = 10.0
"""A call that is not taken up for so long makes the service unready: longer than the slowest batch on an old Pi."""
PART = "grpc"
"""The part of a process's health that is kept here."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where a server listens, whom it answers, how much at a time."""

    host: str
    port: int
    """0 for any free one."""
    threads: int = 8
    stream_threads: int = 8
    """Streams of requests at the same time."""
    certificate_file: Path | None = None
    key_file: Path | None = None
    ca_file: Path | None = None
    """Where set, clients must show a certificate of this authority."""
    callers: Callers = Callers()  # noqa: RUF009 - immutable
    """Without any only this machine is answered."""
    limits: Limits = Limits()  # noqa: RUF009 - immutable
    reflection: bool = True
    """Whether known callers may ask which methods there are."""
    max_request_bytes: int = MAX_MESSAGE_BYTES


class GrpcServer:
    """A server with its services registered; `start` opens it, `stop` lets calls in hand finish."""

    def __init__(
        self,
        options: ServerOptions,
        register: Callable[[grpc.aio.Server], Sequence[str]],
        health: Health,
        meter: Meter,
    ) -> None:
        """Raises SettingsError where it cannot listen."""
        self._health = health
        self._workers = Workers(options.threads, options.stream_threads)
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_quietly)
        self._thread = threading.Thread(target=self._loop.run_forever, name="grpc-loop", daemon=True)
        self._thread.start()
        self._probe: tuple[float, futures.Future[None]] | None = None
        try:
            self.port = self._await(self._prepare(options, register, meter))
        except BaseException:
            self._end_loop()
            raise

    def start(self) -> None:
        """Answer calls."""
        self.tell_health()
        self._await(self._server.start())
        self._health.set(PART, ready=True)

    def tell_health(self) -> None:
        """Bring gRPC health up to what is known."""
        self._await(self._servicer.tell(serving=not self._health.missing()))

    def see_served(self) -> None:
        """Keeps readiness: a call that would now be taken up within NOT_SERVED_AFTER_S; asked now and then."""
        if self._probe is not None:
            asked_s, probe = self._probe
            if not probe.done():
                if time.monotonic() - asked_s > NOT_SERVED_AFTER_S:
                    self._health.set(PART, ready=False)
                return
            self._health.set(PART, ready=True)
        self._probe = time.monotonic(), asyncio.run_coroutine_threadsafe(self._workers.idle(), self._loop)

    def stop(self, grace_s: float) -> None:
        """Refuse new calls and let those in hand finish, for at most `grace_s`."""
        if self._loop.is_closed():
            return
        self._await(self._servicer.tell(serving=False))
        self._await(self._server.stop(grace_s))
        self._end_loop()

    async def _prepare(
        self, options: ServerOptions, register: Callable[[grpc.aio.Server], Sequence[str]], meter: Meter
    ) -> int:
        self._server = grpc.aio.server(
            interceptors=[Boundary(meter, options.callers, self._workers, options.limits)],
            options=_channel_options(options),
        )
        names = register(self._server)
        self._servicer = HealthServicer(("", *names))
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, self._server)
        if options.reflection:
            reflection.enable_server_reflection((*names, HEALTH, reflection.SERVICE_NAME), self._server)
        return _listen(self._server, options)

    def _await(self, coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what it gives
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end_loop(self) -> None:
        self._workers.close()
        self._await(_settle())
        self._await(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _settle() -> None:
    """Let what still runs in this loop end, so that nothing is left half done when it closes."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=1.0)


def _channel_options(options: ServerOptions) -> Sequence[tuple[str, int]]:
    return (
        ("grpc.max_receive_message_length", options.max_request_bytes),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION),
        ("grpc.max_connection_idle_ms", IDLE_CONNECTION_S * 1000),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_S * 1000),
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    )


def _listen(server: grpc.aio.Server, options: ServerOptions) -> int:
    address = f"{options.host}:{options.port}"
    try:
        if options.certificate_file is None or options.key_file is None:
            return server.add_insecure_port(address)
        ca = options.ca_file.read_bytes() if options.ca_file is not None else None
        credentials = grpc.ssl_server_credentials(
            [(options.key_file.read_bytes(), options.certificate_file.read_bytes())],
            root_certificates=ca,
            require_client_auth=ca is not None,
        )
        return server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise SettingsError(f"grpc_port: cannot listen on {address}; is it taken?") from error


def _quietly(loop: asyncio.AbstractEventLoop, what: dict[str, Any]) -> None:
    """GRPC's loops of several threads wake one another for nothing at times, and it says so as an error."""
    if not isinstance(what.get("exception"), BlockingIOError):
        loop.default_exception_handler(what)
