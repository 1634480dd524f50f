"""One camera's loop: take frames, pass the gate, publish; drop and count what nobody has time for."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from roadside.capture.background import BackgroundWatch
from roadside.capture.feed import FrameFeed
from roadside.capture.played import EarlierFrames, Timeline, event_of
from roadside.core.events import FrameEvent, encode_jpeg, encode_raw
from roadside.core.frames import SEPARATE_NS
from roadside.errors import DecoderDiedError, SourceError
from roadside.kit.logs import fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from roadside.capture.gate import FrameGate
    from roadside.core.events import EncodedPicture
    from roadside.core.frames import CameraId, Frame
    from roadside.kit.publisher import BoundedPublisher
    from roadside.kit.stage_runner import LoopParts
    from roadside.ports.bus import CameraState, DoneFrames
    from roadside.ports.sources import FrameSource

DROPS = ("backlog", "newer", "still", "pace")
SILENCE_S = 1.0
"""Between two signs of life of a loop that waits for its camera, which is given up after a timeout of its own."""
FIRST_PAUSE_S = 1.0
"""Before a source that failed is tried again; it doubles with each failure."""
LONGEST_PAUSE_S = 300.0
STEADY_FRAMES = 1000
"""After so many a failure is the first again."""

_log = logging.getLogger(__name__)


class CameraCondition(Enum):
    """How a camera fares."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How frames are published."""

    publish_fps: float = 0.0
    """Most frames a second; 0: all."""
    jpeg_quality: int | None = 90
    """None: as raw pixels."""
    loops: int = 1
    """Of a recording; 0: for ever."""
    pace: bool = True
    """A recording at its own speed."""
    lossless: bool = True
    """A recording waits for slow detectors."""
    room: int = 0
    """How many frames may wait that are not done; 0: any number."""
    on_published: Callable[[FrameSource, Frame], None] | None = None
    """Of single pictures that come for ever: told of each that is on its way. None where the source is none such."""


@dataclass(frozen=True, slots=True)
class CameraReport:
    """What is known of a camera."""

    condition: CameraCondition = CameraCondition.CONNECTING
    last_captured_at_ns: int = 0
    published: int = 0
    dropped: int = 0
    reconnects: int = 0
    newest: FrameEvent | None = None


class CameraWorker:
    """Publishes the frames of one source until it ends or `stopping` is set."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is one thing that a camera is taken with
        self,
        camera_id: CameraId,
        open_source: Callable[[Callable[[str], None]], FrameSource],
        publisher: BoundedPublisher[FrameEvent],
        options: CaptureOptions,
        gate: FrameGate | None,
        parts: LoopParts,
    ) -> None:
        """`open_source` is told whom to tell, in one line, before each attempt to reopen a camera that was lost."""
        self.camera_id = camera_id
        self._open_source = open_source
        self._publisher = publisher
        self._options = options
        self._gate = gate
        self._parts = parts
        self._meter = parts.meter
        self._stopping = parts.stopping
        self._background = BackgroundWatch()
        self._lock = threading.Lock()
        self._report = CameraReport()
        for reason in DROPS:
            self._meter.count("frames_dropped_total", 0, camera=camera_id, reason=reason)
        self._meter.count("frames_total", 0, camera=camera_id)
        for counted in ("camera_reconnects_total", "camera_failures_total", "decoder_deaths_total"):
            self._meter.count(counted, 0, camera=camera_id)
        self._meter.set("camera_up_state", 0, camera=camera_id)

    @property
    def report(self) -> CameraReport:
        """What is known now."""
        with self._lock:
            return self._report

    def run(self) -> None:
        """Take frames; a source that fails is told of and tried again, ever more seldom, and no other camera waits."""
        failures = 0
        while not self._stopping.is_set():
            published = self._report.published
            try:
                self._take()
            except SourceError as error:
                failures = 1 if self._report.published > published + STEADY_FRAMES else failures + 1
                self._failed(error, min(FIRST_PAUSE_S * 2 ** min(failures - 1, 16), LONGEST_PAUSE_S))
            else:
                break
        self._meter.set("camera_up_state", 0, camera=self.camera_id)
        self._parts.health.done(self.camera_id)

    def _failed(self, error: SourceError, pause_s: float) -> None:
        """Tell why the source failed, and let the pause pass."""
        if isinstance(error, DecoderDiedError):
            self._meter.count("decoder_deaths_total", camera=self.camera_id)
        self._meter.count("camera_failures_total", camera=self.camera_id)
        self._meter.set("camera_up_state", 0, camera=self.camera_id)
        with self._lock:
            self._report = replace(self._report, condition=CameraCondition.CONNECTING)
        _log.error("camera fails", extra=fields(camera=self.camera_id, reason=str(error), again_in_s=pause_s))
        until_s = time.monotonic() + pause_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._beat()
            if self._stopping.wait(min(1.0, left_s)):
                return

    def _take(self) -> None:
        """Take frames until the source ends. Raises SourceError where it cannot be used."""
        source = self._open_source(self._lost)
        self._declare(live=source.live or self._options.on_published is not None, ended=False)
        if source.live:
            self._run_live(source)
        elif self._options.on_published is not None:
            self._run_inbox(source, self._options.on_published)
        else:
            self._run_recording(source)

    def _run_live(self, source: FrameSource) -> None:
        state = self._known()
        sequence = state.last_sequence + 1 if state is not None else 0
        later_ns: int | None = None
        due_ns = 0
        with FrameFeed(source, self._stopping.is_set) as feed:
            missed = 0
            for frame in feed.with_silence(SILENCE_S):
                if frame is None:  # a camera that gives single pictures may have no new one for long
                    self._beat()
                    continue
                self._streaming()
                background = self._background.note(frame.image, frame.captured_at_ns)
                self._drop("newer", feed.dropped - missed)
                missed = feed.dropped
                if self._options.publish_fps and frame.captured_at_ns < due_ns:
                    self._drop("pace")
                    continue
                if self._gate is not None and not self._gate.passes(frame):
                    self._drop("still")
                    continue
                if self._options.publish_fps:
                    due_ns = frame.captured_at_ns + int(0.95e9 / self._options.publish_fps)
                if later_ns is None:  # the clock may have been set back since this camera was last watched
                    earliest_ns = 0 if state is None else state.last_captured_at_ns + SEPARATE_NS
                    later_ns = max(0, earliest_ns - frame.captured_at_ns)
                at_ns = frame.captured_at_ns + later_ns
                taken = replace(frame, sequence=sequence, captured_at_ns=at_ns, background=background)
                if self._publish(taken, live=True):
                    sequence += 1

    def _run_inbox(self, source: FrameSource, on_published: Callable[[FrameSource, Frame], None]) -> None:
        """Publish single pictures as they come, every one: no vehicle of one is taken for that of another.

        The camera is declared live, for time passes between them; the pictures are not, for none may be dropped.
        """
        state = self._known()
        sequence = state.last_sequence + 1 if state is not None else 0
        earliest_ns = 0 if state is None else state.last_captured_at_ns + SEPARATE_NS
        with FrameFeed(source, self._stopping.is_set) as feed:
            self._streaming()
            for frame in feed.with_silence(SILENCE_S):
                self._beat()
                if frame is None:
                    continue
                at_ns = max(frame.captured_at_ns, earliest_ns)
                taken = replace(frame, sequence=sequence, captured_at_ns=at_ns)
                if self._publish(taken, live=False, lossless=True):
                    on_published(source, frame)
                    sequence, earliest_ns = sequence + 1, at_ns + SEPARATE_NS

    def _run_recording(self, source: FrameSource) -> None:
        """Play a recording; after a crash, from the frame after the last one published, with the times of before."""
        state = self._known()
        resume_after = state.last_sequence if state is not None else -1
        earlier = EarlierFrames(self._done(), self._options.room)
        timeline = Timeline(self._parts.clock.now_ns(), self._options.publish_fps)
        anchor_s: float | None = None
        frames_before = 0
        loop = 0
        while not self._stopping.is_set():
            count = 0
            with FrameFeed(source, self._stopping.is_set) as feed:
                for frame in feed:
                    self._beat()
                    sequence = frames_before + count
                    count += 1
                    relative_ns = timeline.place(loop, frame)
                    background = self._background.note(frame.image, timeline.start_ns + relative_ns)
                    wanted = timeline.wanted(relative_ns)
                    if sequence <= resume_after:
                        there = replace(frame, sequence=sequence, captured_at_ns=relative_ns, background=background)
                        self._pass(replace(there, stamp=timeline.stamp(frame)), earlier, wanted=wanted)
                        if sequence == resume_after and state is not None:
                            timeline.start_ns = state.last_captured_at_ns - relative_ns
                            self._parts.bus.keep(earlier.placed(timeline.start_ns))
                        continue
                    if not wanted:
                        self._drop("pace")
                        continue
                    if self._options.pace:
                        now_s = time.monotonic()
                        anchor_s = now_s - relative_ns / 1e9 if anchor_s is None else anchor_s
                        self._stopping.wait(max(0.0, anchor_s + relative_ns / 1e9 - now_s))
                    self._streaming()
                    at_ns = timeline.start_ns + relative_ns
                    stamp = timeline.stamp(frame)
                    taken = replace(frame, sequence=sequence, captured_at_ns=at_ns, stamp=stamp, background=background)
                    self._publish(taken, live=False)
                    if self._stopping.is_set():
                        return
            if self._stopping.is_set():
                return
            frames_before += count
            timeline.end_loop()
            loop += 1
            if loop == self._options.loops:
                break
            skipped = self._played_whole(earlier.first(resume_after) - frames_before, count, loop)
            timeline.skip(skipped)
            frames_before, loop = frames_before + skipped * count, loop + skipped
            source = self._open_source(self._lost)
        self._end_recording(frames_before)

    def _pass(self, frame: Frame, earlier: EarlierFrames, *, wanted: bool) -> None:
        """Go past a frame that was published before; have it where it was `wanted` and may be lost."""
        if wanted and earlier.misses(frame.sequence):
            earlier.take(event_of(frame, self._encoded(frame), live=False))

    def _played_whole(self, ahead: int, frames: int, loop: int) -> int:
        """How many loops from `loop` on need not be decoded again: all that may not be done is in later ones.

        `ahead` is how many frames after the first of `loop` that begins, `frames` how many a loop has. The last loop
        that was begun is decoded: it tells the time from which the recording goes on.
        """
        whole = max(0, ahead // frames) if frames > 1 else 0
        return min(whole, self._options.loops - 1 - loop) if self._options.loops else whole

    def _end_recording(self, frames: int) -> None:
        """Tell that it was played; where the service ends the next start sees to it."""
        if self._stopping.is_set():
            return
        self._declare(live=False, ended=True)
        with self._lock:
            self._report = replace(self._report, condition=CameraCondition.ENDED)
        _log.info("recording ended", extra=fields(camera=self.camera_id, frames=frames))

    def _publish(self, frame: Frame, *, live: bool, lossless: bool = False) -> bool:
        started_s = time.perf_counter()
        picture = self._encoded(frame)
        self._meter.observe("encoding_seconds", time.perf_counter() - started_s)
        event = event_of(frame, picture, live=live)
        lossless = lossless or (not live and self._options.lossless)
        if not (self._publisher.push(event) if lossless else self._publisher.offer(event)):
            self._drop("backlog")
            return False
        self._meter.count("frames_total", camera=frame.camera_id)
        self._meter.set("frame_bytes", len(picture.data), camera=frame.camera_id)
        with self._lock:
            report = self._report
            self._report = replace(
                report, published=report.published + 1, last_captured_at_ns=event.taken_at_ns, newest=event
            )
        return True

    def _encoded(self, frame: Frame) -> EncodedPicture:
        if self._options.jpeg_quality is None:
            return encode_raw(frame.image)
        return encode_jpeg(frame.image, self._options.jpeg_quality)

    def _streaming(self) -> None:
        self._beat()
        if self._report.condition is not CameraCondition.STREAMING:
            with self._lock:
                self._report = replace(self._report, condition=CameraCondition.STREAMING)
            self._meter.set("camera_up_state", 1, camera=self.camera_id)
            _log.info("camera sends", extra=fields(camera=self.camera_id))

    def _lost(self, fault: str) -> None:
        """Called by a live source before each attempt to reopen it."""
        self._beat()
        self._meter.count("camera_reconnects_total", camera=self.camera_id)
        self._meter.set("camera_up_state", 0, camera=self.camera_id)
        with self._lock:
            report = self._report
            self._report = replace(report, condition=CameraCondition.CONNECTING, reconnects=report.reconnects + 1)
        _log.warning("camera lost", extra=fields(camera=self.camera_id, reason=fault))

    def _drop(self, reason: str, count: int = 1) -> None:
        if count:
            self._meter.count("frames_dropped_total", count, camera=self.camera_id, reason=reason)
            with self._lock:
                self._report = replace(self._report, dropped=self._report.dropped + count)

    def _beat(self) -> None:
        self._parts.health.beat(self.camera_id)

    def _known(self) -> CameraState | None:
        return self._parts.retry.call(lambda: self._parts.bus.camera(self.camera_id), otherwise=None)

    def _done(self) -> DoneFrames | None:
        return self._parts.retry.call(lambda: self._parts.bus.done_frames(self.camera_id), otherwise=None)

    def _declare(self, *, live: bool, ended: bool) -> None:
        self._parts.retry.call(
            lambda: self._parts.bus.set_camera(self.camera_id, live=live, ended=ended), otherwise=None
        )
