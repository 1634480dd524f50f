"""A recording as it is played: where its frames are in time, and which of an earlier process may be lost."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.core.events import FrameEvent
from roadside.wire.pictures import TravellingPicture

if TYPE_CHECKING:
    from roadside.core.events import EncodedPicture
    from roadside.core.frames import Frame
    from roadside.core.moments import Stamp
    from roadside.ports.bus import DoneFrames

BETWEEN_LOOPS_NS = 3_000_000_000
"""Longer than a track's gap: the vehicles of one loop and of the next are different passages."""


def event_of(frame: Frame, picture: EncodedPicture, *, live: bool) -> FrameEvent:
    """What is published of a frame."""
    travelling = TravellingPicture(picture)
    return FrameEvent(
        frame.camera_id, frame.captured_at_ns, frame.sequence, travelling, live, frame.stamp, frame.background
    )


class EarlierFrames:
    """Frames that this capture published before it was started anew, and that are not known to be done.

    They wait in a Redis without a file, or in somebody's hands; who has them can send them again if that Redis ends.
    """

    def __init__(self, done: DoneFrames | None, room: int) -> None:
        """No more than `room` can wait (0: any number); `done` is None where none can be lost."""
        self._done = done
        self._events: deque[FrameEvent] = deque(maxlen=room or None)

    def first(self, last: int) -> int:
        """The sequence number from which on frames up to the `last` may be not done."""
        return last if self._done is None else min(last, self._done.before)

    def misses(self, sequence: int) -> bool:
        """Whether a frame is not known to be done, and can be lost."""
        return self._done is not None and not self._done.holds(sequence)

    def take(self, event: FrameEvent) -> None:
        """Have a frame whose `captured_at_ns` is counted from the first of the first loop."""
        self._events.append(event)

    def placed(self, start_ns: int) -> list[FrameEvent]:
        """The frames that were taken, where the first of the first loop was captured at `start_ns`."""
        return [replace(event, captured_at_ns=start_ns + event.captured_at_ns) for event in self._events]


class Timeline:
    """Places the frames of a recording in time, the same at every playing."""

    def __init__(self, start_ns: int, publish_fps: float) -> None:
        self.start_ns = start_ns
        self._publish_fps = publish_fps
        self._loop = -1
        self._opened_ns = 0
        self._before_ns = 0
        self._loop_ns = 0
        self._last_ns = 0
        self._step_ns = 0
        self._slot = -1

    def place(self, loop: int, frame: Frame) -> int:
        """Nanoseconds from the first frame of the first loop."""
        if loop != self._loop:
            self._loop, self._opened_ns = loop, frame.captured_at_ns
        relative_ns = self._before_ns + frame.captured_at_ns - self._opened_ns
        self._step_ns, self._last_ns = relative_ns - self._last_ns, relative_ns
        return relative_ns

    def stamp(self, frame: Frame) -> Stamp | None:
        """That of a frame of the loop that is played, as if the camera had gone on."""
        if frame.stamp is None:
            return None
        return replace(frame.stamp, at_ns=frame.stamp.at_ns + self._before_ns)

    def wanted(self, relative_ns: int) -> bool:
        """Whether a frame is the first of its slot, at `publish_fps` slots a second."""
        if not self._publish_fps:
            return True
        slot = int(relative_ns * self._publish_fps / 1e9)
        wanted, self._slot = slot != self._slot, slot
        return wanted

    def end_loop(self) -> None:
        """The next frame begins another loop."""
        next_ns = self._last_ns + self._step_ns + BETWEEN_LOOPS_NS
        self._before_ns, self._loop_ns = next_ns, next_ns - self._before_ns

    def skip(self, loops: int) -> None:
        """So many loops, each as long as the one that ended, are taken for placed."""
        self._before_ns += loops * self._loop_ns
        self._last_ns += loops * self._loop_ns
        if self._publish_fps:
            self._slot = int(self._last_ns * self._publish_fps / 1e9)
