"""The loop around a stage: receive, handle, commit; count, time, retry, dead-letter."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from roadside.errors import PoisonError, UnavailableError
from roadside.kit.logs import fields
from roadside.ports.bus import EventT, GivenT_co, Output

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from roadside.kit.health import Health
    from roadside.kit.retry import RetryPolicy
    from roadside.ports.bus import Bus, Delivery, Receipt, Stage, Stream
    from roadside.ports.system import Clock, Meter

WORK = "work"
"""The part of a process's health that is kept here: whether what it does with a message can be done."""
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


@dataclass(frozen=True, slots=True)
class LoopParts:
    """What every loop of a service needs of the world."""

    bus: Bus
    meter: Meter
    clock: Clock
    health: Health
    retry: RetryPolicy
    stopping: threading.Event

    def reject(self, delivery: Delivery[EventT], reason: str) -> None:
        """Make a dead letter of an event and say so; `reason` holds no plate."""
        receipt = delivery.receipt
        where = fields(stream=receipt.stream.name, camera=receipt.camera_id, id=receipt.identity, reason=reason)
        _log.warning("dead letter", extra=where)
        self.retry.call(lambda: self.bus.reject(delivery, reason), otherwise=False)

    def know_outcomes(self) -> None:
        """Make the counters of outcomes known at 0, so that their first count is seen as a rise."""
        for outcome in OUTCOMES:
            self.meter.count("messages_total", 0, outcome=outcome)


class StageRunner(Generic[EventT, GivenT_co]):
    """Runs one stage on one stream until told to stop."""

    def __init__(
        self,
        source: Stream[EventT],
        target: Stream[GivenT_co] | None,
        stage: Stage[EventT, GivenT_co],
        parts: LoopParts,
        limits: RunnerLimits,
    ) -> None:
        """What `stage` gives goes on to `target`, None where nothing follows from it."""
        self._bus = parts.bus
        self._source = source
        self._target = target
        self._stage = stage
        self._parts = parts
        self._limits = limits
        parts.know_outcomes()

    def run(self) -> None:
        """Handle messages until told to stop and what is in hand is done."""
        stopping = self._parts.stopping
        while not stopping.is_set():
            self._parts.health.beat(self._source.name)
            nothing: list[Delivery[EventT]] = []
            deliveries = self._parts.retry.call(self._receive, otherwise=nothing, draining=False)
            self._handle_some(deliveries)
            if deliveries:
                self._give_back([delivery.receipt for delivery in deliveries])
        self._parts.health.done(self._source.name)

    def _receive(self) -> list[Delivery[EventT]]:
        limits = self._limits
        return list(self._bus.receive(self._source, max_messages=limits.max_messages, block_s=limits.block_s))

    def _handle_some(self, deliveries: list[Delivery[EventT]]) -> None:
        """Handle and take away `deliveries`, in their order, until it is time to end."""
        while deliveries and not self._parts.stopping.is_set():
            self._handle(deliveries.pop(0))

    def _handle(self, delivery: Delivery[EventT]) -> None:
        started_s = time.perf_counter()
        self._parts.meter.observe("stream_age_seconds", self._age_s(delivery.receipt))
        outcome = self._outcome(delivery)
        self._told(delivery.receipt, outcome, time.perf_counter() - started_s)

    def _age_s(self, receipt: Receipt) -> float:
        return max(0.0, (self._parts.clock.now_ns() - receipt.captured_at_ns) / 1e9)

    def _told(self, receipt: Receipt, outcome: str, elapsed_s: float) -> None:
        """Count, time and log what became of a message."""
        meter = self._parts.meter
        meter.count("messages_total", outcome=outcome)
        meter.observe("handling_seconds", elapsed_s)
        _log.info(
            "message",
            extra=fields(
                stream=self._source.name,
                camera=receipt.camera_id,
                id=receipt.identity,
                outcome=outcome,
                deliveries=receipt.deliveries,
                ms=round(elapsed_s * 1000, 2),
            ),
        )

    def _outcome(self, delivery: Delivery[EventT]) -> str:
        receipt = delivery.receipt
        if receipt.deliveries > self._limits.most_deliveries:
            return self._dead(delivery, f"handed out {receipt.deliveries} times without being done")
        try:
            given = self._given(delivery)
        except PoisonError as error:
            return self._dead(delivery, str(error))
        except UnavailableError:  # still so when the time to end had come
            self._give_back([receipt])
            return "failed"
        except Exception as error:  # noqa: BLE001 - the one place: whatever a message does to a stage must not end the loop
            _log.exception("failed", extra=fields(camera=receipt.camera_id, id=receipt.identity))
            if receipt.deliveries >= self._limits.most_failures:
                return self._dead(delivery, f"failed {receipt.deliveries} times, with {type(error).__name__}")
            self._give_back([receipt])
            return "failed"
        outputs = [] if self._target is None else [Output(self._target, event) for event in given]
        done = self._parts.retry.call(lambda: self._bus.commit([receipt], outputs), otherwise=False)
        return "done" if done else "duplicate"

    def _give_back(self, receipts: Sequence[Receipt]) -> None:
        self._parts.retry.call(lambda: self._bus.release(receipts), otherwise=None)

    def _given(self, delivery: Delivery[EventT]) -> Sequence[GivenT_co]:
        """What the stage gives, tried again while something outside is away. Raises what the stage raises."""
        event, health = delivery.load(), self._parts.health
        while True:
            try:
                given = self._stage.handle(event)
            except UnavailableError as error:
                health.set(WORK, ready=False, reason=str(error))
                if self._parts.stopping.is_set() or not self._parts.retry.pause(error):
                    raise
            else:
                health.set(WORK, ready=True)
                return given

    def _dead(self, delivery: Delivery[EventT], reason: str) -> str:
        self._parts.reject(delivery, reason)
        return "dead"
