"""Watches one source to its end: the loop behind `roadside run` and `ALPR.watch`."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.adapters.frame_clock import FrameClock
from roadside.adapters.sources.video import CameraSettings, ClipSource, open_source
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.embedded import EmbeddedPipeline, Parts
from roadside.assembly.models import detector_name, open_models, reader_name, warm_up
from roadside.assembly.timing import advice, dating_of
from roadside.assembly.uprightness import set_upright
from roadside.capture.feed import FrameFeed
from roadside.capture.interlace import CombWatch
from roadside.capture.motion import MotionGate
from roadside.core.detect import Search
from roadside.core.frames import CameraId
from roadside.detector.sweep import SweepingFinder
from roadside.kit.timing import Stopwatch
from roadside.ocr.orientation import Lie

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from roadside.assembly.embedded import FrameReport, Silence
    from roadside.assembly.settings import Settings
    from roadside.core.events import SightingEvent
    from roadside.core.frames import Frame
    from roadside.core.moments import TimeDoubt
    from roadside.ports.bus import Conclusion
    from roadside.ports.sources import FrameSource
    from roadside.ports.store import SightingKeeper
    from roadside.ports.vision import Detector
    from roadside.ports.witness import Witness
    from roadside.registry.judge import Judge

FAULTS = {
    Lie.MIRRORED: "the pictures look mirrored, and plates are not read so: switch mirroring (flip) off in the camera",
    Lie.UPSIDE_DOWN: "the pictures look upside down, and plates are not read so: turn the camera, or set its rotation "
    "to 180 degrees",
    Lie.FLIPPED: "the pictures look upside down and mirrored, and plates are not read so: switch vertical flip off in "
    "the camera",
}
INTERLACED = (
    "the pictures look interlaced, which blurs what moves: set the camera to progressive, or give a clip to "
    "`ffmpeg -vf yadif` first"
)


SILENCE_S = 0.5
"""A camera that sends nothing for so long is looked after: the vehicles before it may have passed."""


class SourceWatch:
    """Brings the frames of one source through the embedded pipeline. Not safe to share between threads."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is one thing that it is made of
        self,
        source: FrameSource,
        settings: Settings,
        judge: Judge,
        store: SightingKeeper,
        witness: Witness | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Loads the nets and runs them once. Raises ModelError, SettingsError.

        `say` is told, in one line, when the times of frames are believed no more.
        """
        self._say = say
        self._said: set[TimeDoubt] = set()
        self.stills = source.frames_per_s == 0
        """Whether the source gives single pictures: the vehicles of each are seen in no other."""
        self.watch_s = Stopwatch()
        self.dropped = 0
        """Frames of a live source that were replaced by a newer one, once the watch has ended."""
        finder, reader = open_models(settings, extra_cuts=self.stills)
        sweeps = settings.search is Search.AUTO and not self.stills
        detector: Detector = SweepingFinder(finder) if sweeps else finder
        warm_up(detector, reader)
        set_upright(source, finder, reader)
        self._source = source
        self._combs = CombWatch()
        self._gate = MotionGate() if source.live and settings.motion_gate else None
        parts = Parts(
            detector=detector,
            reader=reader,
            judge=judge,
            store=store,
            watch=self.watch_s,
            least_confidence=settings.confidence,
            stills=self.stills,
            witness=witness,
            detector_model=detector_name(settings),
            reader_model=reader_name(settings),
        )
        self._pipeline = EmbeddedPipeline(CameraId(settings.camera), parts, live=source.live)

    def reports(self, stop: Callable[[], bool] = lambda: False) -> Generator[FrameReport | Silence]:
        """What each frame led to, and each half second without one, until the source ends or `stop` says so.

        The source is closed when the iteration ends, by `close` too. Raises SourceError where the source fails, and
        StoreUnavailableError where a sighting cannot be kept; `end` then still tells of what is in view.
        """
        with FrameFeed(self._source, stop) as feed:
            try:
                since_s = time.monotonic()
                for frame in feed.with_silence(SILENCE_S) if self._source.live else feed:
                    if frame is not None:
                        yield self._report(frame)
                        since_s = time.monotonic()
                    else:
                        yield self._pipeline.wait(round((time.monotonic() - since_s) * 1e9))
            finally:
                self.dropped = feed.dropped

    @property
    def faults(self) -> Sequence[str]:
        """What is wrong with the source's pictures as such, and how to mend it: a line each."""
        found = [FAULTS[self._pipeline.lie]] if self._pipeline.lie in FAULTS else []
        return [*found, INTERLACED] if self._combs.is_interlaced else found

    def end(self) -> Sequence[Conclusion[SightingEvent]]:
        """The source is over, whatever ended it: the vehicles in view have passed."""
        return self._pipeline.end()

    def _tell_doubt(self, doubt: TimeDoubt | None) -> None:
        """Say once what speaks against the times of frames; of a live camera again when it comes again."""
        if doubt is None and self._source.live:
            self._said.clear()
        elif doubt is not None and doubt not in self._said:
            self._said.add(doubt)
            self._say(advice(doubt))

    def _report(self, frame: Frame) -> FrameReport:
        self._tell_doubt(None if frame.stamp is None else frame.stamp.doubt)
        still = self._gate is not None and not self._gate.passes(frame)
        if not self.stills:
            self._combs.note(frame.image)
        report = self._pipeline.skip(frame) if still else self._pipeline.take(frame)
        if not self.stills:
            return report
        return replace(report, conclusions=(*report.conclusions, *self._pipeline.flush()))


def open_frames(
    source: str,
    settings: Settings,
    on_drop: Callable[[str], None],
    on_refused: Callable[[str], None] | None = None,
) -> FrameSource:
    """The source as the settings of cameras have it. Raises SourceError.

    `on_drop` is told when a camera is lost, `on_refused` of a folder's picture that cannot be read; without the latter
    such a picture raises.
    """
    camera = CameraSettings(settings.width, settings.height, settings.fps, settings.timeout_s)
    clock = SystemClock()
    return open_source(
        source,
        CameraId(settings.camera),
        clock,
        camera,
        on_drop=on_drop,
        on_refused=on_refused,
        dating=dating_of(settings.recorded_at, clock, settings.timezone),
        stamp=FrameClock(clock, settings.clock_sync).stamp,
    )


def open_again(source: str, settings: Settings, on_drop: Callable[[str], None], watched: FrameSource) -> FrameSource:
    """The recording that was `watched`, from its beginning and the same way up. Raises SourceError."""
    again = open_frames(source, settings, on_drop, lambda _: None)  # what cannot be read was said the first time
    if isinstance(again, ClipSource) and isinstance(watched, ClipSource):
        again.turned_over = watched.turned_over
    return again
