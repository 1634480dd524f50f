"""What every service process is: ports for health, metrics and gRPC, loops in threads, and an orderly end."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.errors import RoadsideError, SettingsError
from roadside.kit.grpc_boundary import Limits
from roadside.kit.grpc_server import MAX_QUESTION_BYTES, GrpcServer, ServerOptions
from roadside.kit.health import Health, HealthServer
from roadside.kit.logs import fields
from roadside.kit.memory import MemoryKeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import grpc.aio

    from roadside.kit.config import ServiceSection
    from roadside.kit.lifecycle import Lifecycle
    from roadside.kit.prometheus import PrometheusMeter

GRPC_PORT, HEALTH_PORT, METRICS_PORT = 50050, 8080, 9100
"""The number of a service added, these are the ports where none is set."""
TICK_S = 1.0
EXIT_FAULT = 70

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """Something that runs in a thread of its own until the lifecycle stops."""

    name: str
    run: Callable[[], None]
    ends: bool = False
    """Whether it may end before the service does: a recording that was played."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one service does."""

    register: Callable[[grpc.aio.Server], Sequence[str]]
    """Registers the servicers and tells their full names."""
    loops: tuple[Loop, ...]
    ticks: tuple[Callable[[], None], ...] = ()
    """Called about once a second; what they raise of ours is logged."""
    closers: tuple[Callable[[], None], ...] = ()
    max_request_bytes: int = MAX_QUESTION_BYTES
    """Of gRPC; a service that takes pictures needs more."""


@dataclass(slots=True)
class ServiceHost:
    """Runs one service."""

    service: str
    number: int
    """1 and up: what its ports follow from."""
    settings: ServiceSection
    health: Health
    meter: PrometheusMeter
    lifecycle: Lifecycle
    _faults: list[str] = field(default_factory=list)
    _memory: MemoryKeeper = field(default_factory=MemoryKeeper)

    def run(self, prepare: Callable[[], Work]) -> int:
        """Open health and metrics, prepare (which may take long), work until told to stop; the exit code."""
        host = self.settings.host
        self.lifecycle.on_stop(self.health.drain)
        self.meter.set("ready_state", 0)
        health_server = HealthServer(self.health, host, self.settings.health_port or HEALTH_PORT + self.number)
        try:
            metrics_server, _ = self.meter.serve(host, self.settings.metrics_port or METRICS_PORT + self.number)
        except OSError as error:
            raise SettingsError(f"metrics_port on {host}: {error.strerror}") from error
        try:
            work = prepare()
            return self._work(work)
        finally:
            health_server.close()
            metrics_server.shutdown()
            metrics_server.server_close()

    def _work(self, work: Work) -> int:
        server = GrpcServer(self._server_options(work), work.register, self.health, self.meter)
        threads = [
            threading.Thread(target=self._watched, args=(loop,), name=loop.name, daemon=True) for loop in work.loops
        ]
        server.start()
        for thread in threads:
            thread.start()
        _log.info("started", extra=fields(grpc_port=server.port, consumer=self.settings.consumer_name(self.service)))
        while not self.lifecycle.stopping.wait(TICK_S):
            self._tick(work, server)
        _log.info("ending", extra=fields(drain_s=self.settings.drain_s))
        server.tell_health()
        give_up_at_s = time.monotonic() + self.settings.drain_s
        for thread in threads:
            thread.join(max(0.0, give_up_at_s - time.monotonic()))
        server.stop(max(0.5, min(5.0, give_up_at_s - time.monotonic())))
        for close in work.closers:
            close()
        left = [thread.name for thread in threads if thread.is_alive()]
        _log.info("ended", extra=fields(unfinished=left, faults=self._faults))
        return EXIT_FAULT if self._faults else 0

    def _watched(self, loop: Loop) -> None:
        """A loop that ends by a fault ends the service, so that whoever watches it starts it anew."""
        try:
            loop.run()
        except RoadsideError as error:
            _log.error("cannot go on", extra=fields(loop=loop.name, reason=str(error)))
        except Exception:  # noqa: BLE001 - said, counted and ended, not hidden
            _log.exception("cannot go on", extra=fields(loop=loop.name))
        else:
            if loop.ends or self.lifecycle.stopping.is_set():
                return
        self._faults.append(loop.name)
        self.lifecycle.stop()

    def _tick(self, work: Work, server: GrpcServer) -> None:
        for tick in work.ticks:
            try:
                tick()
            except RoadsideError as error:
                _log.debug("tick", extra=fields(reason=str(error)))
        self._memory.look()
        server.see_served()
        server.tell_health()
        self.meter.set("ready_state", 0 if self.health.missing() else 1)
        for part, ready in self.health.parts().items():
            self.meter.set("missing_state", 0 if ready else 1, part=part)

    def _server_options(self, work: Work) -> ServerOptions:
        settings = self.settings
        return ServerOptions(
            host=settings.host,
            port=settings.grpc_port or GRPC_PORT + self.number,
            threads=settings.threads_grpc,
            stream_threads=settings.threads_grpc_streams,
            certificate_file=settings.tls_certificate,
            key_file=settings.tls_key,
            ca_file=settings.tls_ca,
            callers=settings.callers(),
            limits=Limits(settings.grpc_idle_s, settings.grpc_calls_per_peer),
            reflection=settings.grpc_reflection,
            max_request_bytes=work.max_request_bytes,
        )
