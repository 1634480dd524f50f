"""Frames that were published in a Redis without a file, kept by whoever published them until they are done."""

from __future__ import annotations

import threading
from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.events import Event
    from roadside.core.frames import CameraId


class Known(IntEnum):
    """What a Redis says to a frame that is offered."""

    NO_ROOM = 0
    YES = 1
    NOT = 2
    """It forgot this camera: it was started anew, without what waited in it."""


class KeptFrames:
    """As many as may wait: each publication tells which of them wait no longer. Safe for threads of several cameras."""

    def __init__(self) -> None:
        self._frames: dict[CameraId, deque[tuple[Event, bytes]]] = {}
        self._newest: dict[CameraId, tuple[int, str]] = {}
        self._lock = threading.Lock()

    def keep(self, event: Event, payload: bytes, oldest: str) -> None:
        """`event` was published; of its camera nothing before `oldest` waits any more, where that is known."""
        with self._lock:
            kept = self._frames.setdefault(event.camera_id, deque())
            kept.append((event, payload))
            self._newest[event.camera_id] = event.captured_at_ns, event.identity
            while oldest and kept and int(kept[0][0].identity) < int(oldest):
                kept.popleft()

    def take_up(self, camera_id: CameraId, frames: Sequence[tuple[Event, bytes]]) -> None:
        """Keep what another process published, the oldest first, before what was published here of the camera."""
        with self._lock:
            kept = self._frames.setdefault(camera_id, deque())
            kept.extendleft(reversed(frames))
            if frames:
                self._newest.setdefault(camera_id, (frames[-1][0].captured_at_ns, frames[-1][0].identity))

    def newest(self) -> Sequence[tuple[CameraId, int, str]]:
        """Capture time and sequence number of the newest frame of each camera."""
        with self._lock:
            return tuple((camera_id, at_ns, sequence) for camera_id, (at_ns, sequence) in self._newest.items())

    def done(self, camera_id: CameraId, oldest: int | None, newest: int) -> None:
        """Of the frames up to `newest` only those from `oldest` on wait still; none where that is None."""
        with self._lock:
            kept = self._frames.get(camera_id, deque())
            while kept and int(kept[0][0].identity) <= newest and (oldest is None or int(kept[0][0].identity) < oldest):
                kept.popleft()

    def any_of(self, camera_id: CameraId) -> bool:
        """Whether any is kept, so that the Redis must know the camera."""
        with self._lock:
            return bool(self._frames.get(camera_id))

    def of(self, camera_id: CameraId) -> Sequence[tuple[Event, bytes]]:
        """Those of a camera, the oldest first."""
        with self._lock:
            return tuple(self._frames.get(camera_id, ()))
