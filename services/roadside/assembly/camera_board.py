"""The newest picture of each camera of this process, for those who look at the console."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.adapters.annotate import Mark, draw
from roadside.adapters.camera_picture import jpeg_of, without_plates
from roadside.console.ports import CameraState
from roadside.core.frames import CameraId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roadside.assembly.embedded import FrameReport

RATE_OVER = 60
"""Frames over which the rate is taken."""
_LEAST_CONFIDENCE = 0.5
"""Texts of reads under it are not drawn: they change from frame to frame."""


@dataclass(slots=True)
class _Camera:
    frames: int = 0
    dropped: int = 0
    times_s: deque[float] = field(default_factory=lambda: deque(maxlen=RATE_OVER))
    newest: FrameReport | None = None
    ended: bool = False

    def rate(self) -> float:
        if len(self.times_s) < 2:
            return 0.0
        span_s = self.times_s[-1] - self.times_s[0]
        return (len(self.times_s) - 1) / span_s if span_s > 0 else 0.0


class CameraBoard:
    """Told of every frame, asked by the console's pages. Safe to share between threads."""

    def __init__(self) -> None:
        self._cameras: dict[str, _Camera] = {}
        self._lock = threading.Lock()

    def note(self, report: FrameReport) -> None:
        """A frame was looked at. Cheap: pictures are encoded when somebody asks for one."""
        with self._lock:
            camera = self._cameras.setdefault(report.frame.camera_id, _Camera())
            camera.frames += 1
            camera.times_s.append(time.monotonic())
            camera.newest = report

    def expect(self, cameras: Sequence[CameraId], dropped: Mapping[CameraId, int]) -> None:
        """These cameras are watched now, whether they have sent anything or not; the others' sources are over."""
        with self._lock:
            for expected in cameras:
                self._cameras.setdefault(expected, _Camera())
            for name, camera in self._cameras.items():
                camera.ended = name not in cameras
                camera.dropped = dropped.get(CameraId(name), camera.dropped)

    def end(self, camera_id: str, dropped: int) -> None:
        """The camera's source is over."""
        with self._lock:
            camera = self._cameras.setdefault(camera_id, _Camera())
            camera.ended, camera.dropped = True, dropped

    def states(self) -> Sequence[CameraState]:
        """All of them, by name."""
        with self._lock:
            return [
                CameraState(
                    name,
                    camera.frames,
                    camera.rate(),
                    camera.dropped,
                    camera.newest.frame.captured_at_ns if camera.newest is not None else None,
                    camera.ended,
                )
                for name, camera in sorted(self._cameras.items())
            ]

    def picture(self, camera_id: str, *, blurred: bool) -> bytes | None:
        """The newest frame as JPEG with the plates framed, or blurred; None where there is none yet."""
        with self._lock:
            camera = self._cameras.get(camera_id)
            report = camera.newest if camera is not None else None
        if report is None:
            return None
        boxes = [placed.crop.detection.box for placed in report.reads]
        if blurred:
            return jpeg_of(without_plates(report.frame.image, boxes))
        sure = (p for p in report.reads if p.read.confidence >= _LEAST_CONFIDENCE)
        marks = [Mark(p.crop.detection.box, p.read.text, p.read.country) for p in sure]
        return jpeg_of(draw(report.frame.image, marks))
