"""What the parts of a service are given when it is put together, and the loops that they become."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic

from roadside.adapters.bus.redis_forming import Forming
from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.errors import BusUnavailableError
from roadside.kit.backoff import Backoff
from roadside.kit.batch_runner import BatchRunner
from roadside.kit.config import ServiceSettingsT
from roadside.kit.decoding_process import DecodingProcess
from roadside.kit.retry import BUS, RetryPolicy
from roadside.kit.stage_runner import LoopParts, RunnerLimits, StageRunner
from roadside.wire.codec import ProtobufCodec
from roadside.wire.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from roadside.kit.config import BusSection
    from roadside.kit.health import Health
    from roadside.kit.lifecycle import Lifecycle
    from roadside.kit.prometheus import PrometheusMeter
    from roadside.ports.bus import BatchStage, EventT, GivenT_co, Stage, Stream
    from roadside.ports.system import Meter
    from roadside.wire.pictures import Decoder


@dataclass(frozen=True, slots=True)
class ServiceContext(Generic[ServiceSettingsT]):
    """A service's settings and what it shares with every other service."""

    name: str
    settings: ServiceSettingsT
    bus: RedisStreams
    meter: PrometheusMeter
    health: Health
    lifecycle: Lifecycle
    decoder: DecodingProcess = field(default_factory=DecodingProcess)
    """Of the pictures that come from outside."""
    clock: SystemClock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=random.Random)
    """For the jitter of pauses."""

    def loop_parts(self, loop: str, meter: Meter | None = None) -> LoopParts:
        """What the loop called `loop` is given; `meter` where it is not the service's own."""
        stopping = self.lifecycle.stopping
        retry = RetryPolicy(
            loop,
            meter=self.meter,
            health=self.health,
            backoff=Backoff(self.rng),
            stopping=stopping,
            drain_s=self.settings.drain_s,
        )
        return LoopParts(self.bus, meter or self.meter, self.clock, self.health, retry, stopping)

    def stage_runner(
        self,
        source: Stream[EventT],
        target: Stream[GivenT_co] | None,
        stage: Stage[EventT, GivenT_co],
        *,
        at_once: int,
        meter: Meter | None = None,
    ) -> StageRunner[EventT, GivenT_co]:
        """The loop around a stage that takes `at_once` messages at a time."""
        limits = RunnerLimits(max_messages=at_once, most_failures=self.settings.most_failures)
        return StageRunner(source, target, stage, self.loop_parts(source.name, meter), limits)

    def batch_runner(
        self, source: Stream[EventT], stage: BatchStage[EventT, Any], *, at_once: int
    ) -> BatchRunner[EventT]:
        """The loop around a last stage that takes up to `at_once` messages together."""
        limits = RunnerLimits(max_messages=at_once, most_failures=self.settings.most_failures)
        return BatchRunner(source, stage, self.loop_parts(source.name), limits)

    def backlog_tick(self, stream: Stream[Any]) -> Callable[[], None]:
        """Keeps the gauges of a stream's backlog."""

        def tick() -> None:
            backlog = self.bus.backlog(stream)
            self.meter.set("stream_waiting_messages", backlog.waiting)
            self.meter.set("stream_pending_messages", backlog.pending)
            self.meter.set("unconfirmed_hand_overs_count", self.bus.unconfirmed())

        return tick

    def memory_tick(self) -> None:
        """Keeps the gauges of how full Redis is."""
        memory = self.bus.memory()
        self.meter.set("redis_used_bytes", memory.used_bytes)
        self.meter.set("redis_limit_bytes", memory.limit_bytes)
        if self.bus.holds_frames_apart:
            memory = self.bus.frames_memory()
            self.meter.set("frames_redis_used_bytes", memory.used_bytes)
            self.meter.set("frames_redis_limit_bytes", memory.limit_bytes)

    def model_ready(self, file: Path, runtime: str | None) -> None:
        """The service's net is loaded from `file`: it is ready, and tells which one it is."""
        self.health.set("model", ready=True)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else ""
        self.meter.set("model_info", 1, folder=file.parent.name, sha256=digest, runtime=runtime or "first installed")

    def bus_tick(self) -> None:
        """Keeps readiness of a service that only publishes."""
        try:
            self.bus.ping()
            self.bus.send_again()
        except BusUnavailableError as error:
            self.health.set(BUS, ready=False, reason=str(error))
            raise
        self.health.set(BUS, ready=True)


def open_bus(service: str, settings: BusSection, decoder: Decoder = decode) -> RedisStreams:
    """The bus on Redis, connected at first use. Raises SettingsError for an address that is none.

    `decoder` decodes the pictures of what comes.
    """
    return RedisStreams(_options(service, settings), ProtobufCodec(decoder), SystemClock())


def open_forming(settings: BusSection, replicas: int) -> Forming:
    """Whoever makes a cluster of the nodes that `redis_url` names. Raises SettingsError."""
    options = _options("forming", settings)
    return Forming(options.url, options, replicas)


def _options(service: str, settings: BusSection) -> RedisOptions:
    return RedisOptions(
        url=settings.redis_url.get_secret_value(),
        consumer=settings.consumer_name(service),
        prefix=settings.redis_prefix,
        ca_file=_text(settings.redis_ca),
        certificate_file=_text(settings.redis_certificate),
        key_file=_text(settings.redis_key),
        claim_after_s=settings.claim_after_s,
        frames_url=settings.frames_redis_url.get_secret_value(),
        partitions=settings.redis_partitions,
        replicas=settings.redis_replicas,
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
