"""What Redis knows of the cameras of one partition: their state, what they have on their way, what is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roadside.adapters.bus.redis_options import HANDED_KEPT
from roadside.adapters.bus.redis_report import number, state_of
from roadside.adapters.bus.redis_scripts import DECLARE, NOTE_FRAME, REMEMBER, SWEEP
from roadside.core.frames import END_OF_TIME_NS
from roadside.ports.bus import CROPS, FRAMES, MEMORY_S, READS, DoneFrames

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from roadside.adapters.bus.redis_slot import Slot
    from roadside.core.frames import CameraId
    from roadside.ports.bus import CameraState, Stream


class Cameras:
    """The part of a bus that `roadside.ports.bus.Cameras` promises, for the cameras of one partition.

    Where frames lie in a Redis of their own, that one knows which of them are on their way, and the other one knows
    the rest. Whatever leaves the one is in the other before; so the horizon asks the other one last.
    """

    def __init__(self, ledger: Slot, frames: Slot) -> None:
        """`frames` is `ledger` where frames lie there, too."""
        self._ledger = ledger
        self._frames = frames

    @property
    def apart(self) -> bool:
        """Whether frames lie in a Redis of their own."""
        return self._frames is not self._ledger

    def horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See Bus; rounded down to a microsecond."""
        if not self.apart:
            return _horizon_ns(*self._looked(camera_id, held), held)
        with self._ledger.translated():
            state = self._ledger.client.hgetall(self._ledger.keys.camera(camera_id))
        with self._frames.translated(), self._frames.client.pipeline(transaction=False) as pipeline:
            pipeline.hget(self._frames.keys.camera(camera_id), "sequence")
            pipeline.zrange(self._frames.keys.flight(camera_id), 0, 0, withscores=True)
            known, frames = pipeline.execute()
        with self._ledger.translated():
            rest = self._ledger.client.zrange(self._ledger.keys.flight(camera_id), 0, len(held), withscores=True)
        if known is None and b"sequence" in state:
            return 0  # that Redis forgot what was on its way: capture sends it once more, or it is swept
        return min(_horizon_ns(state, frames, ()), _horizon_ns(state, rest, held))

    def is_waited_for(self, camera_id: CameraId, held: Collection[str]) -> bool:
        """See Bus."""
        if self.apart and (self._is_forgotten(camera_id) or self._waited_for(self._frames, camera_id, ()) is not None):
            return True
        return self._waited_for(self._ledger, camera_id, held) is not None

    def sweep(self, camera_id: CameraId, held: Collection[str]) -> int:
        """See Bus; looks through every stream on the way, so it is for a horizon that stands still."""
        swept = 0
        for slot, streams in self._sides():
            waited_for = self._waited_for(slot, camera_id, held if slot is self._ledger else ())
            if waited_for is not None:
                swept += self._swept(slot, streams, camera_id, waited_for)
        return swept + self._recalled(camera_id)

    def repair(self, camera_id: CameraId) -> int:
        """The same of all that is on its way, whatever is waited for; how many were forgotten."""
        swept = sum(self._swept(slot, streams, camera_id, b"") for slot, streams in self._sides())
        return swept + self._recalled(camera_id)

    def camera(self, camera_id: CameraId) -> CameraState | None:
        """See Bus."""
        with self._ledger.translated():
            return state_of(self._ledger.client.hgetall(self._ledger.keys.camera(camera_id)))

    def done_frames(self, camera_id: CameraId) -> DoneFrames | None:
        """See Bus; what was handed over is marked, the latest HANDED_KEPT of a camera at the least."""
        if not self.apart:
            return None
        with self._ledger.translated():
            marks = sorted(map(int, self._ledger.client.zrange(self._ledger.keys.handed(camera_id), 0, -1)))
        return DoneFrames(marks[-HANDED_KEPT] if len(marks) >= HANDED_KEPT else 0, frozenset(marks))

    def set_camera(self, camera_id: CameraId, *, live: bool, ended: bool) -> None:
        """See Bus."""
        with self._ledger.translated():
            self._ledger.run(DECLARE, [self._ledger.keys.camera(camera_id)], [int(live), int(ended)], confirmed=True)

    def note(self, camera_id: CameraId, captured_at_ns: int, sequence: str) -> None:
        """A frame was published in the other Redis."""
        with self._ledger.translated():
            self._ledger.run(NOTE_FRAME, [self._ledger.keys.camera(camera_id)], [captured_at_ns, sequence])

    def remembered(self, camera_id: CameraId) -> bytes:
        """See Bus."""
        with self._ledger.translated():
            memory: bytes | None = self._ledger.client.get(self._ledger.keys.memory(camera_id))
        return memory or b""

    def remember(self, camera_id: CameraId, memory: bytes) -> None:
        """See Bus."""
        with self._ledger.translated():
            self._ledger.run(REMEMBER, [self._ledger.keys.memory(camera_id)], [memory, round(MEMORY_S * 1000)])

    def _looked(self, camera_id: CameraId, held: Collection[str]) -> tuple[dict[bytes, bytes], list[tuple[bytes, Any]]]:
        # A full Redis refuses transactions, so these are none. In this order they need not be one: what is published
        # in between is newer than the camera's state as it was read, and is in the flight.
        with self._ledger.translated(), self._ledger.client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(self._ledger.keys.camera(camera_id))
            # Of the first len(held) + 1 members at least one is not held, if there is one at all.
            pipeline.zrange(self._ledger.keys.flight(camera_id), 0, len(held), withscores=True)
            state, flight = pipeline.execute()
        return state, flight

    def _sides(self) -> Iterator[tuple[Slot, tuple[Stream[Any], ...]]]:
        if self.apart:
            yield self._frames, (FRAMES,)
            yield self._ledger, (CROPS, READS)
        else:
            yield self._ledger, (FRAMES, CROPS, READS)

    def _swept(self, slot: Slot, streams: tuple[Stream[Any], ...], camera_id: CameraId, waited_for: bytes) -> int:
        own = (slot.keys.flight(camera_id), slot.keys.sizes(camera_id), slot.keys.since(camera_id))
        with slot.translated():
            return int(slot.run(SWEEP, [*own, *map(slot.keys.stream, streams)], [camera_id, waited_for]))

    def _waited_for(self, slot: Slot, camera_id: CameraId, held: Collection[str]) -> bytes | None:
        """The oldest event on its way that is not held: of the first len(held) + 1 at least one is not."""
        with slot.translated():
            found: list[bytes] = slot.client.zrange(slot.keys.flight(camera_id), 0, len(held))
        return next((identity for identity in found if identity.decode(errors="replace") not in held), None)

    def _is_forgotten(self, camera_id: CameraId) -> bool:
        with self._frames.translated():
            known = self._frames.client.hget(self._frames.keys.camera(camera_id), "sequence")
        with self._ledger.translated():
            return known is None and self._ledger.client.hget(self._ledger.keys.camera(camera_id), "sequence")

    def _recalled(self, camera_id: CameraId) -> int:
        """Tell the Redis of frames, which forgot, how far the camera was: what waited there is lost; 1 where it had."""
        if not self.apart or not self._is_forgotten(camera_id):
            return 0
        with self._ledger.translated():
            state = self._ledger.client.hgetall(self._ledger.keys.camera(camera_id))
        with self._frames.translated():
            self._frames.run(
                NOTE_FRAME, [self._frames.keys.camera(camera_id)], [state.get(b"at", b"0"), state[b"sequence"]]
            )
        return 1


def _horizon_ns(state: dict[bytes, bytes], flight: list[tuple[bytes, Any]], held: Collection[str]) -> int:
    for identity, captured_at_us in flight:
        if identity.decode(errors="replace") not in held:
            return number(captured_at_us) * 1000
    if state.get(b"ended") == b"1":
        return END_OF_TIME_NS
    return number(state.get(b"at", 0)) // 1000 * 1000
