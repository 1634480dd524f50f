"""Watches one source to its end: the loop behind `roadside run` and `ALPR.watch`."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from roadside.adapters.frame_clock import FrameClock
from roadside.adapters.sources.recorded import ClipSource
from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.embedded import EmbeddedPipeline, Parts
from roadside.assembly.models import detector_name, open_models, reader_name, warm_up
from roadside.assembly.opening import camera_settings
from roadside.assembly.site import SiteCamera, load_site
from roadside.assembly.timing import advice, dating_of
from roadside.assembly.uprightness import set_upright
from roadside.capture.feed import FrameFeed
from roadside.capture.gate import FrameGate
from roadside.capture.interlace import CombWatch
from roadside.capture.viewed import ViewedSource
from roadside.core.detect import Search
from roadside.core.frames import CameraId
from roadside.core.view import View
from roadside.detector.sweep import SweepingFinder
from roadside.kit.timing import Stopwatch
from roadside.ocr.orientation import Lie

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from roadside.assembly.embedded import FrameReport, Silence
    from roadside.assembly.gates import Gates
    from roadside.assembly.settings import Settings
    from roadside.core.events import SightingEvent
    from roadside.core.frames import Frame
    from roadside.core.moments import TimeDoubt
    from roadside.detector.finder import PlateFinder
    from roadside.ports.bus import Conclusion
    from roadside.ports.sources import FrameSource
    from roadside.ports.store import SightingKeeper
    from roadside.ports.vision import Detector, Reader
    from roadside.ports.witness import Witness
    from roadside.registry.judge import Judge
    from roadside.registry.passages import FindKnown

FAULTS = {
    Lie.MIRRORED: "the pictures look mirrored, and plates are not read so: switch mirroring (flip) off in the camera, "
    "or give --flip horizontal",
    Lie.UPSIDE_DOWN: "the pictures look upside down, and plates are not read so: turn the camera, or set its rotation "
    "to 180 degrees, or give --rotation 180",
    Lie.FLIPPED: "the pictures look upside down and mirrored, and plates are not read so: switch vertical flip off in "
    "the camera, or give --flip vertical",
}
INTERLACED = (
    "the pictures look interlaced, which blurs what moves: set the camera to progressive, or give a clip to "
    "`ffmpeg -vf yadif` first"
)


SILENCE_S = 0.5
"""A camera that sends nothing for so long is looked after: the vehicles before it may have passed."""


@dataclass(frozen=True, slots=True)
class Nets:
    """The nets of one process, loaded and run once; all its cameras share them."""

    finder: PlateFinder
    reader: Reader
    detector_model: str
    reader_model: str
    """Their names in the evidence."""


def load_nets(settings: Settings, *, stills: bool = False) -> Nets:
    """The nets that the settings name, for single pictures or not. Raises ModelError, SettingsError."""
    finder, reader = open_models(settings, extra_cuts=stills)
    warm_up(finder, reader)
    return Nets(finder, reader, detector_name(settings), reader_name(settings))


@dataclass(frozen=True, slots=True)
class Keepers:
    """Whoever judges and keeps what is seen."""

    judge: Judge
    store: SightingKeeper
    witness: Witness | None = None
    judged: bool = True
    """Whether there is anything to judge by: without it, times that are not believed matter to nobody."""
    find_known: FindKnown = lambda *_: ()
    """Tells which known plates a plate may be at a time."""
    gates: Gates | None = None
    """Opens for those who may come in."""
    strips: bool = False
    """Whether the reads of a passage are kept as a film strip."""


class CameraWatch:
    """Brings the frames of one camera through the embedded pipeline. Not safe to share between threads."""

    def __init__(  # noqa: PLR0913 - each is one thing that it is made of
        self,
        camera: SiteCamera,
        source: FrameSource,
        settings: Settings,
        nets: Nets,
        keepers: Keepers,
        *,
        watch_s: Stopwatch,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`say` is told, in one line, when the times of frames are believed no more; `watch_s` times the stages."""
        self.camera_id = camera.camera_id
        self.source = source
        self._say = say if keepers.judged else lambda _: None
        self._said: set[TimeDoubt] = set()
        self.stills = source.frames_per_s == 0
        """Whether the source gives single pictures: the vehicles of each are seen in no other."""
        sweeps = settings.search is Search.AUTO and not self.stills
        detector: Detector = SweepingFinder(nets.finder) if sweeps else nets.finder
        self._combs = CombWatch()
        self._gate = FrameGate(camera.view) if source.live else None
        parts = Parts(
            detector=detector,
            reader=nets.reader,
            judge=keepers.judge,
            store=keepers.store,
            watch=watch_s,
            least_confidence=settings.confidence,
            stills=self.stills,
            witness=keepers.witness,
            detector_model=nets.detector_model,
            reader_model=nets.reader_model,
            view=camera.view,
            find_known=keepers.find_known,
            strips=keepers.strips,
        )
        self.opens = camera.opens
        """Relays that known plates open; may be replaced between frames."""
        gates = keepers.gates
        self._gates = gates if gates is not None and (source.live or gates.from_files) else None
        self._pipeline = EmbeddedPipeline(self.camera_id, parts, live=source.live)

    def look(self, view: View) -> None:
        """From the next frame on `view` is what is looked at; tracks go on."""
        self._pipeline.view = view
        if self._gate is not None:
            self._gate.view = view
        if isinstance(self.source, ViewedSource):
            self.source.view = view

    def report(self, frame: Frame) -> FrameReport:
        """What `frame` leads to. Raises StoreUnavailableError where a sighting cannot be kept."""
        self._tell_doubt(None if frame.stamp is None else frame.stamp.doubt)
        still = self._gate is not None and not self._gate.passes(frame)
        if not self.stills:
            self._combs.note(frame.image)
        report = self._pipeline.skip(frame) if still else self._pipeline.take(frame)
        if self._gates is not None and report.reads and self._gates.wanted():
            self._gates.keeper.look(self.camera_id, self._pipeline.growing(), self.opens)
        if not self.stills:
            return report
        return replace(report, conclusions=(*report.conclusions, *self._pipeline.flush()))

    def wait(self, silent_s: float) -> Silence:
        """No frame came for so long. Raises StoreUnavailableError."""
        return self._pipeline.wait(round(silent_s * 1e9))

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
        if doubt is None and self.source.live:
            self._said.clear()
        elif doubt is not None and doubt not in self._said:
            self._said.add(doubt)
            self._say(advice(doubt))


class SourceWatch:
    """Watches one source, the camera of the settings, to its end. Not safe to share between threads."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is one thing that it is made of
        self,
        source: FrameSource,
        settings: Settings,
        judge: Judge,
        store: SightingKeeper,
        witness: Witness | None = None,
        say: Callable[[str], None] = lambda _: None,
        *,
        keepers: Keepers | None = None,
    ) -> None:
        """Loads the nets and runs them once. Raises ModelError, SettingsError.

        `say` is told, in one line, when the times of frames are believed no more. `keepers` take the place of `judge`,
        `store` and `witness` where they do more.
        """
        self.stills = source.frames_per_s == 0
        """As that of `CameraWatch`."""
        self.watch_s = Stopwatch()
        self.dropped = 0
        """Frames of a live source that were replaced by a newer one, once the watch has ended."""
        nets = load_nets(settings, stills=self.stills)
        camera = camera_of(settings)
        if not camera.view.is_turned:
            set_upright(bare(source), nets.finder, nets.reader)
        self._source = source
        keepers = keepers or Keepers(judge, store, witness)
        self._camera = CameraWatch(camera, source, settings, nets, keepers, watch_s=self.watch_s, say=say)

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
                        yield self._camera.report(frame)
                        since_s = time.monotonic()
                    else:
                        yield self._camera.wait(time.monotonic() - since_s)
            finally:
                self.dropped = feed.dropped

    def look(self, view: View) -> None:
        """As that of `CameraWatch`; from any thread."""
        self._camera.look(view)

    @property
    def faults(self) -> Sequence[str]:
        """What is wrong with the source's pictures as such, and how to mend it: a line each."""
        return self._camera.faults

    def end(self) -> Sequence[Conclusion[SightingEvent]]:
        """The source is over, whatever ended it: the vehicles in view have passed."""
        return self._camera.end()


def base_view(settings: Settings) -> View:
    """What the settings say of every camera's picture."""
    return View(
        rotation=settings.rotation,
        flip=settings.flip,
        least_width_px=settings.least_width,
        motion_gate=settings.motion_gate,
    )


def camera_of(settings: Settings) -> SiteCamera:
    """The one camera of the settings, with the view that the file has of it. Raises SettingsError."""
    camera_id = CameraId(settings.camera)
    site = load_site(base_view(settings))
    known = site.cameras.get(camera_id)
    return SiteCamera(camera_id, settings.source, site.view(camera_id), opens=() if known is None else known.opens)


def bare(source: FrameSource) -> FrameSource:
    """`source` without the view that is laid over it."""
    return source.inner if isinstance(source, ViewedSource) else source


def open_camera(
    camera: SiteCamera,
    settings: Settings,
    on_drop: Callable[[str], None],
    on_refused: Callable[[str], None] | None = None,
    *,
    first_attempts: int = 1,
) -> ViewedSource:
    """A camera's source, turned and masked as its view says. Raises SourceError.

    `on_drop` is told when a camera is lost, `on_refused` of a folder's picture that cannot be read; without the latter
    such a picture raises. A camera that never answered is given up after `first_attempts`; 0: never.
    """
    opened = settings.model_copy(update=dict(camera.opening))
    clock = SystemClock()
    source = open_source(
        "" if camera.source is None else camera.source.get_secret_value(),
        camera.camera_id,
        clock,
        camera_settings(opened, first_attempts),
        on_drop=on_drop,
        on_note=on_drop,
        on_refused=on_refused,
        dating=dating_of(opened.recorded_at, clock, opened.timezone),
        stamp=FrameClock(clock, opened.clock_sync).stamp,
    )
    return ViewedSource(source, camera.view)


def open_frames(
    source: str,
    settings: Settings,
    on_drop: Callable[[str], None],
    on_refused: Callable[[str], None] | None = None,
) -> FrameSource:
    """`source` as the settings of the one camera have it. Raises SourceError; see `open_camera`."""
    camera = replace(camera_of(settings), source=SecretStr(source))
    return open_camera(camera, settings, on_drop, on_refused)


def open_again(source: str, settings: Settings, on_drop: Callable[[str], None], watched: FrameSource) -> FrameSource:
    """The recording that was `watched`, from its beginning and the same way up. Raises SourceError."""
    again = open_frames(source, settings, on_drop, lambda _: None)  # what cannot be read was said the first time
    now, before = bare(again), bare(watched)
    if isinstance(now, ClipSource) and isinstance(before, ClipSource):
        now.turned_over = before.turned_over
    return again
