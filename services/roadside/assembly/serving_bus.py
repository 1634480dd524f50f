"""Builds the bus of a service and the loops around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.service_settings import consumer_name
from roadside.errors import BusUnavailableError
from roadside.kit.backoff import Backoff
from roadside.kit.retry import BUS, RetryPolicy
from roadside.kit.stage_runner import RunnerLimits, StageRunner

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from roadside.assembly.service_settings import Service, ServiceSettings
    from roadside.kit.host import ServiceHost
    from roadside.ports.bus import Stage, Stream
    from roadside.ports.system import Meter


def open_bus(service: Service, settings: ServiceSettings) -> RedisStreams:
    """The bus on Redis, connected at first use. Raises SettingsError for an address that is none."""
    options = RedisOptions(
        url=settings.redis_url.get_secret_value(),
        consumer=consumer_name(service, settings),
        prefix=settings.redis_prefix,
        ca_file=_text(settings.redis_ca),
        certificate_file=_text(settings.redis_certificate),
        key_file=_text(settings.redis_key),
        claim_after_s=settings.claim_after_s,
    )
    return RedisStreams(options, SystemClock())


def retry_policy(host: ServiceHost, loop: str, rng: random.Random) -> RetryPolicy:
    """How the loop of a service outlasts the bus's absence."""
    return RetryPolicy(
        loop,
        meter=host.meter,
        health=host.health,
        backoff=Backoff(rng),
        stopping=host.lifecycle.stopping,
        drain_s=host.settings.drain_s,
    )


def stage_runner(  # noqa: PLR0913, PLR0917 - each is one thing that the loop needs
    host: ServiceHost,
    bus: RedisStreams,
    stream: Stream,
    stage: Stage[bytes],
    meter: Meter,
    rng: random.Random,
    *,
    at_once: int,
) -> StageRunner:
    """The loop around a stage."""
    return StageRunner(
        bus,
        stream,
        stage,
        meter=meter,
        clock=SystemClock(),
        health=host.health,
        retry=retry_policy(host, stream.value, rng),
        stopping=host.lifecycle.stopping,
        limits=RunnerLimits(max_messages=at_once, most_failures=host.settings.most_failures),
    )


def backlog_tick(host: ServiceHost, bus: RedisStreams, stream: Stream) -> Callable[[], None]:
    """Keeps the gauges of a stream's backlog."""

    def tick() -> None:
        backlog = bus.backlog(stream)
        host.meter.set("stream_waiting_messages", backlog.waiting)
        host.meter.set("stream_pending_messages", backlog.pending)

    return tick


def bus_tick(host: ServiceHost, bus: RedisStreams) -> Callable[[], None]:
    """Keeps readiness of a service that only publishes."""

    def tick() -> None:
        try:
            bus.ping()
        except BusUnavailableError:
            host.health.set(BUS, ready=False)
            raise
        host.health.set(BUS, ready=True)

    return tick


def _text(path: object) -> str | None:
    return None if path is None else str(path)
