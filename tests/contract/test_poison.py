"""What a database refuses however often it is tried, and what only looks like one of its page tokens."""

from __future__ import annotations

import base64
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.sql.finding import position_of
from roadside.adapters.system_clock import SystemClock
from roadside.core.events import SightingEvent
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.errors import InputError, PoisonError
from roadside.kit.backoff import Backoff
from roadside.kit.batch_runner import BatchRunner
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts, RunnerLimits
from roadside.plates.metrics import SPECS
from roadside.plates.stage import BatchStoreStage
from roadside.ports.bus import SIGHTINGS
from tests.contract.test_store import CROP, World, server, sighting, world
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.sightings import Picture, Sighting

__all__ = ["server", "world"]  # fixtures of another file


def poisons(seen: Sighting) -> Sequence[tuple[Sighting, tuple[Picture, ...]]]:
    """Two pictures of one kind; numbers over 64 bits; a text that no encoding has."""
    return (
        (replace(seen, sighting_id="twice"), (CROP, replace(CROP, data=b"another crop"))),
        (replace(seen, sighting_id="late", last_seen_ns=2**70), ()),
        (replace(seen, sighting_id="half a pair", track_id="\ud800"), ()),
    )


def test_what_no_retry_can_mend_is_poison_and_tells_no_value(world: World) -> None:
    for bad, pictures in poisons(sighting("x", VerdictKind.UNPAID, 10)):
        with pytest.raises(PoisonError, match="refuses") as caught:
            world.store.save(bad, pictures)
        assert "1AB2345" not in str(caught.value)
    assert not world.store.find(SightingQuery(10)).sightings


def test_poison_is_a_dead_letter_at_once_and_what_follows_is_stored(world: World) -> None:
    bus: MemoryBus = MemoryBus(MemoryBroker(SystemClock(), idle_s=30, leadership_s=5), "plates")
    meter = PrometheusMeter("plates", SPECS, CollectorRegistry())
    for bad, pictures in poisons(sighting("x", VerdictKind.UNPAID, 10)):
        bus.publish(SIGHTINGS, SightingEvent(bad, pictures))
    bus.publish(SIGHTINGS, SightingEvent(sighting("good", VerdictKind.UNPAID, 10), (CROP,)))
    health, stopping = Health((), time.monotonic), threading.Event()
    retry = RetryPolicy(
        "store", meter=meter, health=health, backoff=Backoff(random.Random(1)), stopping=stopping, drain_s=1
    )
    parts = LoopParts(bus, meter, SystemClock(), health, retry, stopping)
    runner = BatchRunner(SIGHTINGS, BatchStoreStage(world.store, world.clock, meter), parts, RunnerLimits(block_s=0.05))
    thread = threading.Thread(target=runner.run)
    thread.start()
    wait_for(lambda: bool(_stored(world)), "the good one")
    stopping.set()
    thread.join(PLENTY_S)
    assert _stored(world) == ["good"]
    letters = bus.dead_letters()
    assert [letter.identity for letter in letters] == ["twice", "late", "half a pair"]
    assert all("refuses" in letter.reason for letter in letters)


def _stored(world: World) -> list[str]:
    return [seen.sighting_id for seen in world.store.find(SightingQuery(10)).sightings]


TOKENS = [
    "99999999999999999999.1",
    "1.99999999999999999999",
    f"{2**63}.1",
    "-1.-1",
    "1_0.2",
    "\u0661.\u0661",
    "1.2.3",
    " 1.2",
    "1.2\n",
    "9" * 5000 + ".1",
]


@pytest.mark.parametrize("text", TOKENS)
def test_page_tokens_of_others_are_refused(world: World, text: str) -> None:
    token = base64.urlsafe_b64encode(text.encode()).decode()
    with pytest.raises(InputError, match="page_token"):
        world.store.find(SightingQuery(10, page_token=token))


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_any_text_is_a_position_of_64_bits_or_refused(token: str) -> None:
    try:
        position = position_of(token)
    except InputError:
        return
    assert all(abs(number) < 2**63 for number in position)


def test_a_long_plate_is_not_searched_for(world: World) -> None:
    for wanted in ({"plate_like": "A" * 33}, {"plate_prefix": "A" * 33}):
        with pytest.raises(InputError, match="at most 32"):
            world.store.find(SightingQuery(10, **wanted))  # type: ignore[arg-type]
