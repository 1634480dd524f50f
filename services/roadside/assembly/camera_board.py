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
from roadside.core.retrial import Found, retry
from roadside.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roadside.assembly.camera_views import CameraViews
    from roadside.assembly.embedded import FrameReport
    from roadside.core.retrial import Retrial
    from roadside.core.view import View

MINUTE_NS = 60 * 10**9
MOST_FOUND = 20_000
"""Plates of the last minute: ten in each of 30 frames a second."""
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
    found: deque[Found] = field(default_factory=lambda: deque(maxlen=MOST_FOUND))
    """In the last minute, the oldest first."""

    def rate(self) -> float:
        if len(self.times_s) < 2:
            return 0.0
        span_s = self.times_s[-1] - self.times_s[0]
        return (len(self.times_s) - 1) / span_s if span_s > 0 else 0.0


class CameraBoard:
    """Told of every frame, asked by the console's pages. Safe to share between threads."""

    def __init__(self, views: CameraViews | None = None) -> None:
        """`views` is what is set of their pictures, where that can be asked and changed."""
        self._views = views
        self._cameras: dict[str, _Camera] = {}
        self._lock = threading.Lock()

    def note(self, report: FrameReport) -> None:
        """A frame was looked at. Cheap: pictures are encoded when somebody asks for one."""
        with self._lock:
            camera = self._cameras.setdefault(report.frame.camera_id, _Camera())
            camera.frames += 1
            camera.times_s.append(time.monotonic())
            camera.newest = report
            camera.found.extend(_found_in(report))
            while camera.found and camera.found[0].at_ns < report.frame.captured_at_ns - MINUTE_NS:
                camera.found.popleft()

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
                    settable=self._views is not None,
                    found=len(camera.found),
                    read=sum(each.text != "" for each in camera.found),
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

    def view(self, camera_id: str) -> View | None:
        """What is set of the camera's picture; None where nobody can tell. Raises SettingsError."""
        with self._lock:
            known = camera_id in self._cameras
        return self._views.view(camera_id) if known and self._views is not None else None

    def retry(self, camera_id: str, view: View) -> Retrial | None:
        """What a view would have made of the plates of the last minute; None where it turns the pictures otherwise."""
        now = self.view(camera_id)
        if now is None or (now.rotation, now.flip) != (view.rotation, view.flip):
            return None
        with self._lock:
            camera = self._cameras.get(camera_id)
            found = tuple(camera.found) if camera is not None else ()
        return retry(view, found)

    def save_view(self, camera_id: str, view: View) -> str:
        """Set what is looked at from now on; the file that says so. Raises SettingsError."""
        now = self.view(camera_id)
        if now is None or self._views is None:
            raise SettingsError(f"what is set of camera {camera_id} cannot be changed here")
        self._views.save(camera_id, view)
        if (now.rotation, now.flip) != (view.rotation, view.flip):
            with self._lock:
                self._cameras[camera_id].found.clear()
        return str(self._views.path)


def _found_in(report: FrameReport) -> list[Found]:
    height, width = report.frame.image.shape[:2]
    read = {p.crop.detection.box: p.read.text for p in report.reads if p.read.confidence >= _LEAST_CONFIDENCE}
    at_ns = report.frame.captured_at_ns
    return [Found(at_ns, box, (width, height), read.get(box, "")) for box in report.found]
