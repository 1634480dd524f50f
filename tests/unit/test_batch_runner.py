"""A stage that takes many messages at once: together where it can, alone where one of them fails."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.system_clock import SystemClock
from roadside.core.events import SightingEvent
from roadside.core.sightings import VerdictKind
from roadside.errors import PoisonError
from roadside.kit.backoff import Backoff
from roadside.kit.batch_runner import BatchRunner
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts, RunnerLimits
from roadside.plates.metrics import SPECS
from roadside.ports.bus import SIGHTINGS, Backlog
from tests.contract.test_store import sighting
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Noted:
    """A stage that refuses what is called bad."""

    calls: list[list[str]] = field(default_factory=list)

    def handle(self, event: SightingEvent) -> Sequence[SightingEvent]:
        self.handle_all([event])
        return ()

    def handle_all(self, events: Sequence[SightingEvent]) -> None:
        names = [event.sighting.sighting_id for event in events]
        self.calls.append(names)
        if "bad" in names:
            raise PoisonError("it is bad")
        if "odd" in names:
            raise ValueError("it is odd")


def run(*names: str) -> tuple[Noted, MemoryBus]:
    clock, stage = SystemClock(), Noted()
    bus = MemoryBus(MemoryBroker(clock, idle_s=30, leadership_s=5), "plates")
    meter, health, stopping = PrometheusMeter("plates", SPECS, CollectorRegistry()), Health((), time.monotonic), Event()
    for name in names:
        bus.publish(SIGHTINGS, SightingEvent(sighting(name, VerdictKind.UNPAID, clock.now_ns()), ()))
    backoff = Backoff(random.Random(1))
    retry = RetryPolicy("t", meter=meter, health=health, backoff=backoff, stopping=stopping, drain_s=1)
    parts = LoopParts(bus, meter, clock, health, retry, stopping)
    runner = BatchRunner(SIGHTINGS, stage, parts, RunnerLimits(block_s=0.05, most_failures=2))
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        wait_for(lambda: bus.backlog(SIGHTINGS) == Backlog(0, 0), "all messages done")
    finally:
        stopping.set()
        thread.join()
    return stage, bus


def test_what_came_together_is_handled_together() -> None:
    stage, bus = run("a", "b", "c")
    assert stage.calls == [["a", "b", "c"]]
    assert bus.dead_letters() == []


def test_one_alone_is_handled_alone() -> None:
    assert run("a")[0].calls == [["a"]]


def test_the_one_that_is_poison_is_a_dead_letter_and_the_others_are_done() -> None:
    stage, bus = run("a", "bad", "c")
    assert stage.calls == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    assert [letter.identity for letter in bus.dead_letters()] == ["bad"]


def test_one_that_fails_in_company_is_tried_again_alone_and_then_given_up() -> None:
    stage, bus = run("a", "odd", "c")
    assert stage.calls == [["a", "odd", "c"], ["a"], ["odd"], ["c"], ["odd"]]
    assert "ValueError" in bus.dead_letters()[0].reason
