"""Watches the cameras of a site in one process: each is served in turn, one frame a round."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.assembly.embedded import Silence
from roadside.assembly.watching import SILENCE_S, CameraWatch, load_nets, open_camera
from roadside.capture.feed import FrameFeed
from roadside.errors import SourceError
from roadside.kit.timing import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from roadside.assembly.embedded import FrameReport
    from roadside.assembly.settings import Settings
    from roadside.assembly.site import SiteCamera
    from roadside.assembly.watching import Keepers
    from roadside.core.frames import CameraId
    from roadside.ports.sources import FrameSource

    Open = Callable[[SiteCamera, Settings, Callable[[str], None]], FrameSource]

IDLE_S = 0.1
"""Longest pause between two looks at whether anything has come: a reload and a stop are seen so soon."""


@dataclass(slots=True)
class _Watched:
    camera: SiteCamera
    watch: CameraWatch
    feed: FrameFeed
    last_s: float = field(default_factory=time.monotonic)
    """When the last frame came, or its camera was opened."""
    told_s: float = field(default_factory=time.monotonic)
    """When it was last served."""


def _open_for_ever(camera: SiteCamera, settings: Settings, on_drop: Callable[[str], None]) -> FrameSource:
    return open_camera(camera, settings, on_drop, on_drop, first_attempts=0)


class SiteWatch:
    """Brings the frames of several cameras through a pipeline each, over the same nets. For one thread."""

    def __init__(
        self,
        settings: Settings,
        keepers: Keepers,
        say: Callable[[str], None],
        open_source: Open = _open_for_ever,
    ) -> None:
        """Loads the nets and runs them once. Raises ModelError, SettingsError. `say` is told, in a line, of faults."""
        self.watch_s = Stopwatch()
        self._settings = settings
        self._keepers = keepers
        self._say = say
        self._open = open_source
        self._nets = load_nets(settings)
        self._watched: dict[CameraId, _Watched] = {}
        self._dropped: dict[CameraId, int] = {}
        self._faults: set[tuple[CameraId, str]] = set()
        self._ready = threading.Event()

    @property
    def dropped(self) -> Mapping[CameraId, int]:
        """Frames of each live camera that were replaced by a newer one, all its connections together."""
        now = {name: each.feed.dropped for name, each in self._watched.items()}
        return {name: self._dropped.get(name, 0) + now.get(name, 0) for name in {**self._dropped, **now}}

    @property
    def cameras(self) -> Sequence[CameraId]:
        """Those that are watched now."""
        return tuple(self._watched)

    def change(self, cameras: Sequence[SiteCamera]) -> list[Silence]:
        """From now on watch these; what those that are gone had in view has passed.

        The tracks of cameras whose source stays go on, whatever else is set of them.
        """
        wanted = {camera.camera_id: camera for camera in cameras}
        gone = [each for name, each in self._watched.items() if name not in wanted]
        ended = [self._end(each) for each in gone]
        for name, camera in wanted.items():
            known = self._watched.get(name)
            if known is None:
                self._begin(camera)
            elif _stays(known.camera, camera):
                known.camera = camera
                known.watch.look(camera.view)
                known.watch.opens = camera.opens
            else:
                ended.append(self._end(known))
                self._begin(camera)
        return ended

    def reports(
        self, stop: Callable[[], bool], changes: Callable[[], Sequence[SiteCamera] | None] = lambda: None
    ) -> Generator[FrameReport | Silence]:
        """What each frame led to, in turn, until every camera has ended or `stop` says so; then call `end`.

        `changes` gives the cameras to watch from then on, or None. Raises StoreUnavailableError where a sighting
        cannot be kept.
        """
        while not stop():
            if (wanted := changes()) is not None:
                yield from self.change(wanted)
            if not self._watched:
                return
            self._ready.clear()
            served = 0
            for each in tuple(self._watched.values()):
                if stop():
                    return
                report = self._serve(each)
                if report is not None:
                    served += 1
                    yield report
            if not served:
                self._ready.wait(IDLE_S)

    def end(self) -> list[Silence]:
        """Whatever ended it: the vehicles in view of all cameras have passed."""
        return [self._end(each) for each in tuple(self._watched.values())]

    def _begin(self, camera: SiteCamera) -> None:
        def say(line: str) -> None:
            self._say(f"{camera.camera_id}: {line}")

        try:
            source = self._open(camera, self._settings, say)
        except SourceError as error:
            say(f"{error}; the other cameras go on without it")
            return
        if source.frames_per_s == 0:
            source.close()
            say("pictures are no camera; name a camera or a clip, and give pictures to `roadside read`")
            return
        watch = CameraWatch(camera, source, self._settings, self._nets, self._keepers, watch_s=self.watch_s, say=say)
        feed = FrameFeed(source, on_change=self._ready.set)
        self._dropped.setdefault(camera.camera_id, 0)
        self._watched[camera.camera_id] = _Watched(camera, watch, feed)
        feed.start()

    def _serve(self, each: _Watched) -> FrameReport | Silence | None:
        """One frame of a camera, or that none has come for a while, or that none will; None where there is nothing."""
        now_s = time.monotonic()
        frame = each.feed.take()
        if frame is not None:
            each.last_s = each.told_s = now_s
            report = each.watch.report(frame)
            self._tell_faults(each)
            return report
        if each.feed.is_over:
            if each.feed.failure is not None:
                self._tell_failure(each, each.feed.failure)
            return self._end(each)
        if each.watch.source.live and now_s - each.told_s >= SILENCE_S:
            each.told_s = now_s
            return each.watch.wait(now_s - each.last_s)
        return None

    def _tell_failure(self, each: _Watched, failure: BaseException) -> None:
        if not isinstance(failure, SourceError):
            raise failure
        self._say(f"{each.camera.camera_id}: {failure}; the other cameras go on without it")

    def _tell_faults(self, each: _Watched) -> None:
        for fault in each.watch.faults:
            if (each.camera.camera_id, fault) not in self._faults:
                self._faults.add((each.camera.camera_id, fault))
                self._say(f"{each.camera.camera_id}: {fault}")

    def _end(self, each: _Watched) -> Silence:
        name = each.camera.camera_id
        each.feed.leave()
        self._dropped[name] = self._dropped.get(name, 0) + each.feed.dropped
        del self._watched[name]
        return Silence(tuple(each.watch.end()))


def _stays(before: SiteCamera, after: SiteCamera) -> bool:
    """Whether the same pictures come as before: only what is read of them may have changed."""
    if (before.source, before.opening) != (after.source, after.opening):
        return False
    return (before.view.rotation, before.view.flip) == (after.view.rotation, after.view.flip)
