"""Reads are let go with their track alone, so a crash at any moment changes nothing of what is seen."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.system_clock import SystemClock
from roadside.core.confusions import typical
from roadside.core.events import EncodedPicture, PictureEncoding, ReadEvent
from roadside.core.frames import END_OF_TIME_NS, Box, CameraId, Crop, Detection
from roadside.core.reads import ALPHABET, Character, Hypothesis, Read
from roadside.core.verdict import Policy
from roadside.core.vignettes import RegistryAnswer
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.holding_runner import HoldingRunner
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts
from roadside.ports.bus import READS, SIGHTINGS, Backlog
from roadside.registry.judge import Judge
from roadside.registry.passages import PassageBuilder
from roadside.registry.stage import GatherStage
from roadside.wire.pictures import TravellingPicture
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.events import SightingEvent
    from roadside.core.moments import PassageTime
    from roadside.core.vignettes import CandidateQuery
    from roadside.ports.bus import Conclusion

GATE = CameraId("gate")
STEP_NS = 100_000_000
PLATES = ("AB12CDE", "LS15EBC", "GX07PKO", "1A23456")


def read_of(text: str) -> Read:
    posterior = np.full((len(text), len(ALPHABET)), 0.02 / 35, np.float32)
    for slot, character in enumerate(text):
        posterior[slot, ALPHABET.index(character)] = 0.98
    return Read(
        text, text, "UK", 0.95, tuple(Character(c, 0.98) for c in text), posterior, (Hypothesis(text, "UK", -0.1),)
    )


def street(vehicles: int, rng: random.Random) -> list[ReadEvent]:
    """Reads of vehicles that drive past side by side, some frames without a read."""
    texture = np.random.default_rng(3).integers(0, 255, (40, 160, 3), np.uint8)
    frame = TravellingPicture(EncodedPicture(PictureEncoding.JPEG, b"\xff\xd8"))
    events = []
    for vehicle in range(vehicles):
        lane, begins = vehicle % 3, rng.randrange(vehicles * 8)
        for step in range(rng.randrange(4, 14)):
            if rng.random() < 0.2:
                continue
            sequence = begins + step
            x, y = 50.0 + 30 * step, 100.0 + 150 * lane
            crop = Crop(
                GATE,
                sequence * STEP_NS + 1000,
                sequence,
                Detection(Box(x, y, x + 130, y + 30), 0.9),
                texture,
                (int(x), int(y)),
            )
            events.append(ReadEvent(crop, frame, read_of(PLATES[vehicle % len(PLATES)])))
    unique = {event.identity: event for event in events}
    return sorted(unique.values(), key=lambda e: e.crop.captured_at_ns)


@dataclass
class Counts:
    """A Meter that remembers."""

    values: dict[str, float] = field(default_factory=dict)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        key = f"{name}{sorted(labels.items())}" if labels else name
        self.values[key] = self.values.get(key, 0) + amount

    def set(self, name: str, value: float, **labels: str) -> None:
        self.values[f"{name}{sorted(labels.items())}" if labels else name] = value

    def observe(self, name: str, value: float, **labels: str) -> None:
        del value
        self.count(name, 1, **labels)


class NobodyPaid:
    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        del query, passage
        return RegistryAnswer((), ())


def publish(bus: MemoryBus, events: Sequence[ReadEvent]) -> None:
    for event in events:
        bus.publish(READS, event)


def gathering(meter: Counts | None = None) -> GatherStage:
    """The registry's stage, before a registry in which nobody paid."""
    passages = PassageBuilder(Judge(NobodyPaid(), typical(), Policy(), SystemClock()))
    return GatherStage(passages, meter or Counts())


def gather(broker: MemoryBroker, moment_s: float | None = None) -> None:
    """Run the registry's loop for a moment; without one, until nothing is left on the way."""
    stopping = threading.Event()
    bus: MemoryBus = MemoryBus(broker, "registry")
    health = Health(("bus",), time.monotonic)
    meter = Counts()
    retry = RetryPolicy(
        "reads", meter=meter, health=health, backoff=Backoff(random.Random(1)), stopping=stopping, drain_s=1
    )
    parts = LoopParts(bus, meter, SystemClock(), health, retry, stopping)
    runner = HoldingRunner(READS, SIGHTINGS, gathering(meter), parts, silence_s=10)
    thread = threading.Thread(target=runner.run)
    thread.start()
    if moment_s is None:
        wait_for(lambda: bus.backlog(READS) == Backlog(0, 0), "the end of all reads")
    else:
        time.sleep(moment_s)  # stopped at any moment, wherever it stands
    stopping.set()
    thread.join(PLENTY_S)
    assert not thread.is_alive()


def sightings(broker: MemoryBroker) -> list[tuple[str, str, int, int]]:
    bus: MemoryBus = MemoryBus(broker, "plates")
    found = []
    while deliveries := bus.receive(SIGHTINGS, max_messages=10, block_s=0):
        for delivery in deliveries:
            sighting = delivery.load().sighting
            assert sighting.plate is not None
            found.append((sighting.sighting_id, sighting.plate.text, sighting.first_seen_ns, sighting.last_seen_ns))
        bus.commit([delivery.receipt for delivery in deliveries])
    return sorted(found)


def new_broker() -> MemoryBroker:
    return MemoryBroker(SystemClock(), idle_s=30, leadership_s=5)


@pytest.mark.parametrize("seed", range(3))
def test_restarts_change_nothing(seed: int) -> None:
    rng = random.Random(seed)
    events = street(12, rng)
    calm = new_broker()
    bus: MemoryBus = MemoryBus(calm, "ocr")
    publish(bus, events)
    bus.set_camera(GATE, live=False, ended=True)
    gather(calm)
    expected = sightings(calm)
    assert len(expected) >= 6

    shaken = new_broker()
    bus = MemoryBus(shaken, "ocr")
    cuts = sorted(rng.sample(range(1, len(events)), 4))
    for begin, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
        publish(bus, events[begin:end])
        gather(shaken, rng.uniform(0, 0.4))
    bus.set_camera(GATE, live=False, ended=True)
    gather(shaken)
    assert sightings(shaken) == expected


@pytest.mark.parametrize("seed", range(12))
def test_what_is_rebuilt_of_open_tracks_is_what_was(seed: int) -> None:
    """At every step, a fresh gathering of what is still held goes on to the same tracks."""
    rng = random.Random(seed)
    events = street(14, rng)
    straight = gathering()
    expected = []
    for event in events:
        straight.take(event)
        expected += straight.advance(GATE, event.crop.captured_at_ns)
    expected += straight.advance(GATE, END_OF_TIME_NS)

    broken = gathering()
    held: dict[str, ReadEvent] = {}
    found = []
    for event in events:
        if rng.random() < 0.15:
            remembered = broken.memory(GATE)
            broken = gathering()
            broken.recall(GATE, remembered)
            for kept in rng.sample(list(held.values()), len(held)):
                broken.take(kept)
        held[event.identity] = event
        broken.take(event)
        for closed in broken.advance(GATE, event.crop.captured_at_ns):
            found.append(closed)
            for identity in closed.identities:
                del held[identity]
    found += broken.advance(GATE, END_OF_TIME_NS)

    def ids(closed: Conclusion[SightingEvent]) -> tuple[str, ...]:
        return tuple(event.identity for event in closed.outputs)

    def names(closed: Sequence[Conclusion[SightingEvent]]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        return sorted((ids(c), tuple(sorted(c.identities))) for c in closed)

    assert names(found) == names(expected)
    assert sum(len(c.identities) for c in expected) == len(events)


def test_a_read_that_is_held_is_not_taken_twice() -> None:
    event = street(1, random.Random(5))[0]
    stage = gathering()
    assert stage.take(event)
    assert not stage.take(event)


def test_a_late_read_is_a_track_of_its_own() -> None:
    events = street(1, random.Random(5))
    stage = gathering()
    for event in events[1:]:
        stage.take(event)
    assert len(stage.advance(GATE, events[-1].crop.captured_at_ns + 10**10)) == 1
    stage.take(events[0])
    (late,) = stage.advance(GATE, events[-1].crop.captured_at_ns + 10**10)
    assert late.identities == (events[0].identity,)
    assert not stage.cameras()
