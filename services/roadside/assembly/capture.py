"""The capture service, put together."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import SecretStr

from roadside.adapters.frame_clock import FrameClock
from roadside.adapters.sources.video import WATCH, open_source
from roadside.adapters.sources.watched import WatchedFolder
from roadside.assembly.opening import camera_settings
from roadside.assembly.site import SiteCamera, load_site
from roadside.assembly.timing import dating_of
from roadside.capture.config import cameras_of
from roadside.capture.gate import FrameGate
from roadside.capture.servicer import CaptureServicer
from roadside.capture.viewed import ViewedSource
from roadside.capture.worker import CameraCondition, CameraWorker, CaptureOptions
from roadside.core.frames import CameraId
from roadside.core.moments import TimeDoubt
from roadside.core.view import View
from roadside.errors import DecoderDiedError, SettingsError
from roadside.kit.addresses import redact
from roadside.kit.host import Loop, Work
from roadside.kit.logs import fields
from roadside.kit.publisher import BoundedPublisher
from roadside.kit.rates import RatedMeter
from roadside.ports.bus import FRAMES, Room
from roadside.v1 import capture_pb2, capture_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import grpc.aio

    from roadside.assembly.context import ServiceContext
    from roadside.assembly.settings import CaptureSettings
    from roadside.core.frames import Frame
    from roadside.ports.sources import FrameSource

FRAMES_PART = "frames"
"""The part of its health that tells whether a camera sends."""
_log = logging.getLogger(__name__)


def build(context: ServiceContext[CaptureSettings]) -> Work:
    """Cameras and their loops. Raises SettingsError without cameras, SourceError for one that cannot be."""
    cameras = _cameras(context.settings)
    if not cameras:
        raise SettingsError(
            "cameras: none is named; give --cameras 'gate=rtsp://...; yard=/dev/video0', or a file with cameras"
        )
    meter = RatedMeter(context.meter, time.monotonic)
    frame_clock = FrameClock(context.clock, context.settings.clock_sync)
    workers = {str(each.camera_id): _worker(context, meter, each, frame_clock) for each in cameras}
    sources = {str(each.camera_id): redact(_address(each)) for each in cameras}
    servicer = CaptureServicer(workers, sources, meter.rate)

    def register(server: grpc.aio.Server) -> tuple[str]:
        capture_pb2_grpc.add_CaptureServicer_to_server(servicer, server)
        return (capture_pb2.DESCRIPTOR.services_by_name["Capture"].full_name,)

    return Work(
        register,
        tuple(Loop(name, worker.run, ends=True) for name, worker in workers.items()),
        ticks=(
            meter.tick,
            context.bus_tick,
            context.memory_tick,
            lambda: _frames_tick(context, workers.values()),
            _clock_tick(context, frame_clock),
        ),
        closers=(context.bus.close,),
    )


def _cameras(settings: CaptureSettings) -> Sequence[SiteCamera]:
    """Those of the setting, or else of the file; the views are the file's either way. Raises SettingsError."""
    base = View(rotation=settings.rotation, flip=settings.flip, motion_gate=settings.motion_gate)
    site = load_site(base)
    named = [(CameraId(name), SecretStr(source)) for name, source in cameras_of(settings.cameras)]
    return [SiteCamera(name, source, site.view(name)) for name, source in named] or site.watched()


def _address(camera: SiteCamera) -> str:
    return "" if camera.source is None else camera.source.get_secret_value()


def _frames_tick(context: ServiceContext[CaptureSettings], workers: Collection[CameraWorker]) -> None:
    """Ready means that frames come, of one camera at least; of the others the metrics tell."""
    silent = [worker.camera_id for worker in workers if worker.report.condition is CameraCondition.CONNECTING]
    context.health.set(FRAMES_PART, ready=len(silent) < len(workers), reason=f"no frames of {', '.join(silent)}")


def _clock_tick(context: ServiceContext[CaptureSettings], frame_clock: FrameClock) -> Callable[[], None]:
    """Compares the clock with that of Redis, and tells whether it is believed."""

    def tick() -> None:
        doubt = frame_clock.doubt()
        for known in TimeDoubt:
            if known is not TimeDoubt.RECORDING_UNKNOWN:
                context.meter.set("clock_doubt_state", int(doubt is known), doubt=known.value)
        difference_ns = frame_clock.compare(context.bus.clock_ns())
        context.meter.set("clock_difference_seconds", difference_ns / 1e9)

    return tick


def _remember(source: FrameSource, frame: Frame) -> None:
    """A watched folder's picture is on its way, and need not be read again."""
    folder = source.inner if isinstance(source, ViewedSource) else source
    if isinstance(folder, WatchedFolder):
        folder.done(frame.sequence)


def _worker(
    context: ServiceContext[CaptureSettings], meter: RatedMeter, each: SiteCamera, frame_clock: FrameClock
) -> CameraWorker:
    settings = context.settings.model_copy(update=dict(each.opening))
    camera_id, source = each.camera_id, _address(each)
    camera = camera_settings(settings, 0)
    options = CaptureOptions(
        publish_fps=settings.publish_fps,
        jpeg_quality=settings.jpeg_quality if settings.encoding == "jpeg" else None,
        loops=settings.loops,
        pace=settings.pace,
        lossless=settings.recording_lossless,
        room=settings.frames_limit,
        on_published=_remember if source.startswith(WATCH) else None,
    )
    dating = dating_of(settings.recorded_at, context.clock)
    # A source that cannot be is said before the service starts; one that kills its decoder is the worker's to tell.
    with suppress(DecoderDiedError):
        open_source(source, camera_id, context.clock, camera).close()
    parts = context.loop_parts(camera_id, meter)
    room = Room(settings.frames_limit, settings.frames_bytes, settings.frames_age_s)

    def refused(fault: str) -> None:
        _log.warning("picture refused", extra=fields(camera=camera_id, reason=fault))

    return CameraWorker(
        camera_id,
        lambda lost: ViewedSource(
            open_source(
                source,
                camera_id,
                context.clock,
                camera,
                on_drop=lost,
                on_death=lambda: meter.count("decoder_deaths_total", camera=camera_id),
                on_refused=refused,
                on_note=lambda said: _log.warning("camera differs", extra=fields(camera=camera_id, reason=said)),
                dating=dating,
                stamp=frame_clock.stamp,
                acknowledged=True,
            ),
            each.view,
        ),
        BoundedPublisher(FRAMES, parts, room, camera_id),
        options,
        FrameGate(each.view),
        parts,
    )
