"""The loop around a stage: receive, handle, commit; count, time, retry, dead-letter."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.errors import PoisonError, UnavailableError
from roadside.kit.logs import fields

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from roadside.kit.health import Health
    from roadside.kit.retry import RetryPolicy
    from roadside.ports.bus import Bus, Delivery, Message, Stage, Stream
    from roadside.ports.system import Clock, Meter

OUTCOMES = ("done", "duplicate", "failed", "dead")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerLimits:
    """How much at a time, and how often again."""

    max_messages: int = 8
    block_s: float = 0.5
    most_failures: int = 5
    """A message whose handling raised and that was handed out this often is a dead letter."""
    most_deliveries: int = 20
    """One handed out more often is a dead letter unhandled: it seems to kill whoever takes it."""


class StageRunner:
    """Runs one stage on one stream until told to stop."""

    def __init__(  # noqa: PLR0913 - what the loop needs of the world comes from outside
        self,
        bus: Bus[bytes],
        stream: Stream,
        stage: Stage[bytes],
        *,
        meter: Meter,
        clock: Clock,
        health: Health,
        retry: RetryPolicy,
        stopping: threading.Event,
        limits: RunnerLimits,
    ) -> None:
        self._bus = bus
        self._stream = stream
        self._stage = stage
        self._meter = meter
        self._clock = clock
        self._health = health
        self._retry = retry
        self._stopping = stopping
        self._limits = limits
        for outcome in OUTCOMES:
            meter.count("messages_total", 0, outcome=outcome)

    def run(self) -> None:
        """Handle messages until `stopping` is set and what is in hand is done."""
        while not self._stopping.is_set():
            self._health.beat(self._stream)
            nothing: list[Delivery[bytes]] = []
            deliveries = self._retry.call(self._receive, otherwise=nothing)
            while deliveries and not self._stopping.is_set():
                self._handle(deliveries.pop(0))
            if deliveries:
                self._give_back(deliveries)
        self._health.done(self._stream)

    def _receive(self) -> list[Delivery[bytes]]:
        limits = self._limits
        return list(self._bus.receive(self._stream, max_messages=limits.max_messages, block_s=limits.block_s))

    def _handle(self, delivery: Delivery[bytes]) -> None:
        started_s = time.perf_counter()
        age_s = (self._clock.now_ns() - delivery.message.captured_at_ns) / 1e9
        self._meter.observe("stream_age_seconds", max(0.0, age_s))
        outcome = self._outcome(delivery)
        elapsed_s = time.perf_counter() - started_s
        self._meter.count("messages_total", outcome=outcome)
        self._meter.observe("handling_seconds", elapsed_s)
        message = delivery.message
        _log.info(
            "message",
            extra=fields(
                stream=self._stream.value,
                camera=message.camera_id,
                id=message.identity,
                outcome=outcome,
                deliveries=delivery.deliveries,
                ms=round(elapsed_s * 1000, 2),
            ),
        )

    def _outcome(self, delivery: Delivery[bytes]) -> str:
        if delivery.deliveries > self._limits.most_deliveries:
            return self._dead(delivery, f"handed out {delivery.deliveries} times without being done")
        try:
            outputs = self._patiently(delivery)
        except PoisonError as error:
            return self._dead(delivery, str(error))
        except UnavailableError:  # still so when the time to end had come
            self._give_back([delivery])
            return "failed"
        except Exception as error:  # noqa: BLE001 - the one place: whatever a message does to a stage must not end the loop
            _log.exception("failed", extra=fields(camera=delivery.message.camera_id, id=delivery.message.identity))
            if delivery.deliveries >= self._limits.most_failures:
                return self._dead(delivery, f"failed {delivery.deliveries} times, with {type(error).__name__}")
            self._give_back([delivery])
            return "failed"
        done = self._retry.call(lambda: self._bus.commit([delivery], outputs), otherwise=False)
        return "done" if done else "duplicate"

    def _give_back(self, deliveries: Sequence[Delivery[bytes]]) -> None:
        self._retry.call(lambda: self._bus.release(deliveries), otherwise=None)

    def _patiently(self, delivery: Delivery[bytes]) -> Sequence[tuple[Stream, Message[bytes]]]:
        """The stage's outputs, tried again while something outside is away. Raises what the stage raises."""
        while True:
            try:
                return self._stage.handle(delivery.message)
            except UnavailableError as error:
                if self._stopping.is_set() or not self._retry.pause(error):
                    raise

    def _dead(self, delivery: Delivery[bytes], reason: str) -> str:
        message = delivery.message
        where = fields(stream=self._stream.value, camera=message.camera_id, id=message.identity, reason=reason)
        _log.warning("dead letter", extra=where)
        self._retry.call(lambda: self._bus.reject(delivery, reason), otherwise=False)
        return "dead"
