"""The loop around a stage that holds events: receive, take, advance to the horizon, commit what is concluded."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from roadside.core.frames import END_OF_TIME_NS, SEPARATE_NS
from roadside.errors import PoisonError
from roadside.kit.logs import fields
from roadside.ports.bus import MEMORY_S, EventT, GivenT_co, Leadership, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from roadside.core.frames import CameraId
    from roadside.kit.stage_runner import LoopParts
    from roadside.ports.bus import Conclusion, Delivery, HoldingStage, Receipt, Stream

AT_ONCE = 32
BLOCK_S = 0.2
STAND_BY_S = 1.0
MOST_DELIVERIES = 1000
"""Held events are handed out anew at every restart: only one that surely kills is given up."""


LONGEST_LOOK_S = 1.0
"""Between two looks at a horizon that count as silence."""
GONE_S = MEMORY_S
"""After so long nobody goes on with a recording that stopped, and no camera is declared that never was."""
STILL_S = 60.0
"""A horizon that stood for so long, with something on its way, holds reads that a healthy system would have let go."""
HORIZON = "horizon"
"""The part of a process's health that is kept here."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Standing:
    """A horizon that does not move."""

    horizon_ns: int
    looked_s: float
    for_s: float = 0.0
    swept_s: float = 0.0
    """Of `for_s`, when it was last looked for what it waits for."""
    waits: bool = False
    """Something was on its way still, when it was last asked."""


class HoldingRunner(Generic[EventT, GivenT_co]):
    """Runs a holding stage until told to stop; of several replicas each holds the cameras of some partitions."""

    def __init__(  # noqa: PLR0913 - three are for tests: two spans and a clock
        self,
        source: Stream[EventT],
        target: Stream[GivenT_co],
        stage: HoldingStage[EventT, GivenT_co],
        parts: LoopParts,
        *,
        silence_s: float,
        still_s: float = STILL_S,
        gone_s: float = GONE_S,
        steady_s: Callable[[], float] = time.monotonic,
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        """A live camera that was silent for `silence_s`, with nothing on its way, has no vehicle before it any more.

        A horizon that stands for as long, because of events that are on no stream any more, waits for them no longer.
        While the bus `is_full`, a recording is as a live camera: what is held here is what it waits for.

        `steady_s` are the seconds of a clock that nobody sets: no other one says how long a camera was silent.
        """
        self._bus = parts.bus
        self._source = source
        self._target = target
        self._stage = stage
        self._parts = parts
        self._silence_s = silence_s
        self._still_s = still_s
        self._gone_s = gone_s
        self._steady_s = steady_s
        self._is_full = is_full
        self._standing: dict[CameraId, _Standing] = {}
        self._receipts: dict[tuple[CameraId, str], Receipt] = {}
        self._homes: dict[CameraId, int] = {}
        """Partitions of the cameras of which anything was held."""
        self._memories: dict[CameraId, bytes] = {}
        parts.know_outcomes()

    def run(self) -> None:
        """Hold and advance until told to stop; what is held stays on the stream for whoever comes next."""
        parts = self._parts
        while not parts.stopping.is_set():
            parts.health.beat(self._source.name)
            nowhere: tuple[Leadership, ...] = ()
            led = parts.retry.call(lambda: self._bus.lead(self._source), otherwise=nowhere, draining=False)
            parts.meter.set("leader_state", int(any(led)))
            parts.meter.set("led_partitions_count", sum(map(bool, led)))
            kept = {number for number, leadership in enumerate(led) if leadership is Leadership.KEPT}
            self._forget_all_but(kept)  # of the rest, another may have done something; if not, it comes again
            if not any(led):
                parts.stopping.wait(STAND_BY_S)
                continue
            nothing: Sequence[Delivery[EventT]] = ()
            self._take(parts.retry.call(self._receive, otherwise=nothing, draining=False))
            for camera_id in self._stage.cameras():
                self._advance(camera_id)
            self._tell()
        parts.health.done(self._source.name)

    def _receive(self) -> Sequence[Delivery[EventT]]:
        return self._bus.receive(self._source, max_messages=AT_ONCE, block_s=BLOCK_S)

    def _forget_all_but(self, partitions: Collection[int]) -> None:
        """Drop what was held of the cameras of other partitions: whoever leads these is handed the same events."""
        gone = {camera_id for camera_id, home in self._homes.items() if home not in partitions}
        if not gone:
            return
        self._receipts = {key: receipt for key, receipt in self._receipts.items() if key[0] not in gone}
        for camera_id in gone:
            self._stage.forget(camera_id)
            del self._homes[camera_id]
            self._memories.pop(camera_id, None)
            if self._standing.pop(camera_id, None) is not None:
                self._parts.meter.set("horizon_still_seconds", 0, camera=camera_id)
        self._parts.health.set(HORIZON, ready=True)

    def _take(self, deliveries: Sequence[Delivery[EventT]]) -> None:
        for delivery in deliveries:
            receipt = delivery.receipt
            age_s = (self._parts.clock.now_ns() - receipt.captured_at_ns) / 1e9
            self._parts.meter.observe("stream_age_seconds", max(0.0, age_s))
            try:
                if receipt.deliveries > MOST_DELIVERIES:
                    raise PoisonError(f"handed out {receipt.deliveries} times without being done")  # noqa: TRY301
                event = delivery.load()
            except PoisonError as error:
                self._parts.reject(delivery, str(error))
                self._parts.meter.count("messages_total", outcome="dead")
                continue
            self._homes[event.camera_id] = receipt.partition
            self._recall(event.camera_id)
            key = event.camera_id, event.identity
            if self._stage.take(event):
                self._receipts[key] = receipt
            elif self._receipts[key].entry_id != receipt.entry_id:
                self._commit([receipt], ())

    def _advance(self, camera_id: CameraId) -> None:
        held = self._stage.held(camera_id)
        horizon_ns = self._parts.retry.call(lambda: self._horizon_ns(camera_id, held), otherwise=0)
        conclusions = self._stage.advance(camera_id, horizon_ns)
        if conclusions:
            self._remember(camera_id)
        for conclusion in conclusions:
            self._conclude(camera_id, conclusion)

    def _recall(self, camera_id: CameraId) -> None:
        """Go on where another replica, or this one before it lost the lead, was."""
        if camera_id not in self._memories:
            memory = self._parts.retry.call(lambda: self._bus.remembered(camera_id), otherwise=b"")
            self._parts.meter.count("vanished_events_total", 0, camera=camera_id)
            self._stage.recall(camera_id, memory)
            self._memories[camera_id] = memory

    def _remember(self, camera_id: CameraId) -> None:
        """Before what was concluded is committed: whoever takes over in between concludes the same once more."""
        memory = self._stage.memory(camera_id)
        if memory != self._memories.get(camera_id):
            self._parts.retry.call(lambda: self._bus.remember(camera_id, memory), otherwise=None)
            self._memories[camera_id] = memory

    def _horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """The bus's horizon; a camera that fell silent, with nothing on its way, sees nothing any more."""
        horizon_ns = self._bus.horizon_ns(camera_id, held)
        standing = self._stood(camera_id, horizon_ns)
        standing.waits = False
        if horizon_ns == END_OF_TIME_NS or standing.for_s < self._silence_s:
            return horizon_ns
        if self._bus.is_waited_for(camera_id, held):
            standing.waits = True
            if standing.for_s >= standing.swept_s + self._silence_s:
                standing.swept_s = standing.for_s
                self._sweep(camera_id, held)
            return horizon_ns
        state = self._bus.camera(camera_id)
        is_live = state is not None and state.live
        if not is_live and standing.for_s >= self._gone_s:
            return END_OF_TIME_NS
        # A recording's time stands still while nobody plays it; of a camera that nobody declared there is no time.
        moves = is_live or self._is_full()
        return horizon_ns + min(round(standing.for_s * 1e9), SEPARATE_NS) if moves else horizon_ns

    def _stood(self, camera_id: CameraId, horizon_ns: int) -> _Standing:
        """For how long the horizon has stood, as far as it was looked at: while the bus was away nobody knows."""
        now_s = self._steady_s()
        standing = self._standing.get(camera_id)
        if standing is None or standing.horizon_ns != horizon_ns:
            standing = self._standing[camera_id] = _Standing(horizon_ns, now_s)
        standing.for_s += min(now_s - standing.looked_s, LONGEST_LOOK_S)
        standing.looked_s = now_s
        return standing

    def _sweep(self, camera_id: CameraId, held: Collection[str]) -> None:
        """Wait no longer for what was trimmed, deleted or lost: what is on its way is there, or is told of here."""
        gone = self._bus.sweep(camera_id, held)
        if gone:
            self._parts.meter.count("vanished_events_total", gone, camera=camera_id)
            _log.warning("vanished from the streams", extra=fields(camera=camera_id, events=gone))

    def _tell(self) -> None:
        """How many reads are held, for how long each camera's horizon stands, and whether that is too long."""
        meter = self._parts.meter
        meter.set("held_reads_count", len(self._receipts))
        holding = set(self._stage.cameras())
        for camera_id in [*self._standing]:
            if camera_id not in holding:
                del self._standing[camera_id]
                meter.set("horizon_still_seconds", 0, camera=camera_id)
        for camera_id, standing in self._standing.items():
            meter.set("horizon_still_seconds", standing.for_s if standing.waits else 0, camera=camera_id)
        still = [
            name for name, standing in self._standing.items() if standing.waits and standing.for_s >= self._still_s
        ]
        reason = f"reads are held of {', '.join(sorted(still))}: what was before them is on its way still"
        self._parts.health.set(HORIZON, ready=not still, reason=reason)

    def _conclude(self, camera_id: CameraId, conclusion: Conclusion[GivenT_co]) -> None:
        receipts = [self._receipts.pop((camera_id, identity)) for identity in conclusion.identities]
        self._commit(receipts, [Output(self._target, event) for event in conclusion.outputs])

    def _commit(self, receipts: Sequence[Receipt], outputs: Sequence[Output[GivenT_co]]) -> None:
        done = self._parts.retry.call(lambda: self._bus.commit(receipts, outputs), otherwise=False)
        self._parts.meter.count("messages_total", len(receipts), outcome="done" if done else "duplicate")
