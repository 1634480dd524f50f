"""The loop of the registry: gather reads, close tracks at the horizon, judge them, hand sightings on."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.core.events import PictureEncoding, SightingEvent, crop_identity
from roadside.core.sightings import Picture, PictureKind, VerdictKind
from roadside.errors import PoisonError
from roadside.kit.logs import fields
from roadside.ports.bus import Leadership, Message, Stream
from roadside.registry.gather import Gathering
from roadside.wire.codec import decode_read, encode_sighting

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection, Sequence

    from roadside.core.frames import CameraId
    from roadside.core.reads import PlacedRead
    from roadside.kit.health import Health
    from roadside.kit.retry import RetryPolicy
    from roadside.ports.bus import Bus, Delivery
    from roadside.ports.system import Clock, Meter
    from roadside.registry.gather import ClosedTrack
    from roadside.registry.passages import PassageBuilder

AT_ONCE = 32
BLOCK_S = 0.2
STAND_BY_S = 1.0
MOST_DELIVERIES = 1000
"""Reads of an open track are handed out anew at every restart: only one that surely kills is given up."""

_log = logging.getLogger(__name__)


class GatherRunner:
    """Runs the registry's stage until told to stop; of several replicas one gathers and the others stand by."""

    def __init__(  # noqa: PLR0913 - what the loop needs of the world comes from outside
        self,
        bus: Bus[bytes],
        passages: PassageBuilder,
        *,
        meter: Meter,
        clock: Clock,
        health: Health,
        retry: RetryPolicy,
        stopping: threading.Event,
        silence_s: float,
    ) -> None:
        self._bus = bus
        self._passages = passages
        self._meter = meter
        self._clock = clock
        self._health = health
        self._retry = retry
        self._stopping = stopping
        self._silence_ns = round(silence_s * 1e9)
        self._gathering = Gathering()
        self._deliveries: dict[tuple[CameraId, str], Delivery[bytes]] = {}
        for outcome in ("done", "duplicate", "failed", "dead"):
            meter.count("messages_total", 0, outcome=outcome)

    def run(self) -> None:
        """Gather until `stopping` is set; reads of open tracks stay on the stream for whoever comes next."""
        while not self._stopping.is_set():
            self._health.beat(Stream.READS)
            leadership = self._retry.call(lambda: self._bus.lead(Stream.READS), otherwise=Leadership.NOT)
            self._meter.set("leader_state", int(bool(leadership)))
            if leadership is not Leadership.KEPT:
                self._forget()  # of what was held, another may have done something; if not, it comes again
            if not leadership:
                self._stopping.wait(STAND_BY_S)
                continue
            self._take(self._retry.call(self._receive, otherwise=()))
            for camera_id in self._gathering.cameras():
                self._advance(camera_id)
            self._meter.set("held_reads_count", len(self._deliveries))
        self._health.done(Stream.READS)

    def _receive(self) -> Sequence[Delivery[bytes]]:
        return self._bus.receive(Stream.READS, max_messages=AT_ONCE, block_s=BLOCK_S)

    def _forget(self) -> None:
        """Drop what was gathered: another replica is handed the same reads."""
        self._gathering = Gathering()
        self._deliveries.clear()

    def _take(self, deliveries: Sequence[Delivery[bytes]]) -> None:
        for delivery in deliveries:
            message = delivery.message
            age_s = (self._clock.now_ns() - message.captured_at_ns) / 1e9
            self._meter.observe("stream_age_seconds", max(0.0, age_s))
            try:
                if delivery.deliveries > MOST_DELIVERIES:
                    raise PoisonError(f"handed out {delivery.deliveries} times without being done")  # noqa: TRY301
                event = decode_read(message.payload)
            except PoisonError as error:
                self._reject(delivery, str(error))
                continue
            key = event.crop.camera_id, crop_identity(event.crop)
            if self._gathering.add(event):
                self._deliveries[key] = delivery
            elif self._deliveries[key].entry_id != delivery.entry_id:
                self._commit([delivery], ())

    def _reject(self, delivery: Delivery[bytes], reason: str) -> None:
        message = delivery.message
        where = fields(stream="reads", camera=message.camera_id, id=message.identity, reason=reason)
        _log.warning("dead letter", extra=where)
        self._retry.call(lambda: self._bus.reject(delivery, reason), otherwise=False)
        self._meter.count("messages_total", outcome="dead")

    def _advance(self, camera_id: CameraId) -> None:
        held = self._gathering.held(camera_id)
        horizon_ns = self._retry.call(lambda: self._horizon_ns(camera_id, held), otherwise=0)
        for closed in self._gathering.advance(camera_id, horizon_ns):
            self._conclude(camera_id, closed)
        self._meter.set("open_tracks_count", self._gathering.open_tracks(camera_id), camera=camera_id)

    def _horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """The bus's horizon; a live camera that fell silent, with nothing on its way, sees nothing any more."""
        horizon_ns = self._bus.horizon_ns(camera_id, held)
        state = self._bus.camera(camera_id)
        if state is None or not state.live or horizon_ns <= state.last_captured_at_ns:
            return horizon_ns
        return max(horizon_ns, self._clock.now_ns() - self._silence_ns)

    def _conclude(self, camera_id: CameraId, closed: ClosedTrack) -> None:
        deliveries = [self._deliveries.pop((camera_id, identity)) for identity in closed.identities]
        started_s = time.perf_counter()
        outputs = self._outputs(closed)
        self._meter.observe("judging_seconds", time.perf_counter() - started_s)
        self._meter.observe("track_reads_count", len(deliveries))
        self._commit(deliveries, outputs)

    def _outputs(self, closed: ClosedTrack) -> list[tuple[Stream, Message[bytes]]]:
        def frame_of(placed: PlacedRead) -> Picture | None:
            frame = closed.frames.get(crop_identity(placed.crop))
            if frame is None or frame.encoding is not PictureEncoding.JPEG:
                return None
            return Picture(PictureKind.FRAME, "image/jpeg", frame.data, placed.crop.detection.box)

        camera = closed.track.camera_id
        passage = self._passages.passage(closed.track, frame_of)
        for kind in VerdictKind:
            self._meter.count("verdicts_total", 0, camera=camera, verdict=kind.value)
        self._meter.count("tracks_total", camera=camera, outcome="sighting" if passage else "too little")
        if passage is None:
            return []
        sighting = replace(passage.sighting, first_seen_ns=closed.first_seen_ns, last_seen_ns=closed.last_seen_ns)
        self._meter.count("verdicts_total", camera=camera, verdict=sighting.verdict.kind.value)
        where = fields(camera=camera, sighting=sighting.sighting_id, verdict=sighting.verdict.kind.value)
        _log.info("passage", extra=where)
        payload = encode_sighting(SightingEvent(sighting, passage.pictures))
        return [(Stream.SIGHTINGS, Message(camera, sighting.last_seen_ns, sighting.sighting_id, payload))]

    def _commit(self, deliveries: Sequence[Delivery[bytes]], outputs: Sequence[tuple[Stream, Message[bytes]]]) -> None:
        done = self._retry.call(lambda: self._bus.commit(deliveries, outputs), otherwise=False)
        self._meter.count("messages_total", len(deliveries), outcome="done" if done else "duplicate")
