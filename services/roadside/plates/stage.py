"""The last step of the pipeline: stores sightings with their pictures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.events import Event, SightingEvent
    from roadside.core.sightings import Sighting
    from roadside.ports.store import BatchKeeper, SightingKeeper
    from roadside.ports.system import Clock, Meter

OLDEST_S = 86_400.0
"""Older are recordings, which were not on their way for so long."""


class StoreStage:
    """Stores sightings; one that comes again, as after a crash, is stored only once."""

    def __init__(self, store: SightingKeeper, clock: Clock, meter: Meter) -> None:
        self._store = store
        self._clock = clock
        self._meter = meter

    def handle(self, event: SightingEvent) -> Sequence[Event]:
        """See `Stage.handle`: nothing follows. Raises StoreUnavailableError where nothing was stored."""
        started_s = time.perf_counter()
        kept = self._store.save(event.sighting, event.pictures)
        self._count(event, kept, time.perf_counter() - started_s)
        return ()

    def _count(self, event: SightingEvent, kept: Sighting, elapsed_s: float) -> None:
        sighting = event.sighting
        self._meter.observe("storing_seconds", elapsed_s)
        age_s = (self._clock.now_ns() - sighting.last_seen_ns) / 1e9
        if age_s < OLDEST_S:
            self._meter.observe("capture_to_stored_seconds", max(0.0, age_s))
        self._meter.count("sightings_total", camera=sighting.camera_id, verdict=kept.verdict.kind.value)


class BatchStoreStage(StoreStage):
    """Stores as many sightings as come together in one transaction."""

    def __init__(self, store: BatchKeeper, clock: Clock, meter: Meter) -> None:
        super().__init__(store, clock, meter)
        self._batches = store

    def handle_all(self, events: Sequence[SightingEvent]) -> None:
        """See `BatchStage`. Raises StoreUnavailableError, PoisonError where nothing was stored."""
        started_s = time.perf_counter()
        stored = self._batches.save_all([(event.sighting, event.pictures) for event in events])
        each_s = (time.perf_counter() - started_s) / len(events)
        for event, kept in zip(events, stored, strict=True):
            self._count(event, kept, each_s)
