"""Which frames of a camera are looked at at all: those of its hours in which something moves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.capture.motion import MotionGate

if TYPE_CHECKING:
    from datetime import tzinfo

    from roadside.core.frames import Frame
    from roadside.core.view import View


class FrameGate:
    """The schedule and the motion gate of one live camera. Not safe to share between threads."""

    def __init__(self, view: View, zone: tzinfo | None = None) -> None:
        """`zone` is the schedule's; None: that of this computer."""
        self.view = view
        """May be replaced between frames."""
        self._zone = zone
        self._motion = MotionGate()

    def passes(self, frame: Frame) -> bool:
        """Whether `frame` is to be looked at."""
        taken_ns = frame.captured_at_ns if frame.stamp is None else frame.stamp.at_ns
        local = datetime.fromtimestamp(taken_ns / 1e9, UTC).astimezone(self._zone)
        if not self.view.is_open(local):
            return False
        return not self.view.motion_gate or self._motion.passes(frame)
