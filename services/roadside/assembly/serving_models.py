"""What capture, detector and ocr are made of."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from roadside.adapters.sources.video import CameraSettings, open_source, redact
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.models import open_detector, open_nets, open_reader, warm_up
from roadside.assembly.service_settings import CaptureSettings, DetectorSettings, OcrSettings, cameras_of
from roadside.assembly.serving_bus import backlog_tick, bus_tick, stage_runner
from roadside.capture.motion import MotionGate
from roadside.capture.servicer import CaptureServicer
from roadside.capture.worker import CameraWorker, CaptureOptions
from roadside.core.frames import CameraId
from roadside.detector.guarded import LockedDetector
from roadside.detector.servicer import DetectorServicer
from roadside.detector.stage import DetectStage
from roadside.detector.wired import WiredDetectStage
from roadside.errors import SettingsError
from roadside.kit.host import Loop, Work
from roadside.kit.rates import RatedMeter
from roadside.ocr.config import ReaderKind
from roadside.ocr.guarded import LockedReader
from roadside.ocr.servicer import OcrServicer
from roadside.ocr.stage import ReadStage
from roadside.ocr.wired import WiredReadStage
from roadside.ports.bus import Stream
from roadside.v1 import capture_pb2, capture_pb2_grpc, detector_pb2, detector_pb2_grpc, ocr_pb2, ocr_pb2_grpc

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    import grpc

    from roadside.adapters.bus.redis_streams import RedisStreams
    from roadside.kit.host import ServiceHost
    from roadside.ports.sources import FrameSource

FRAMES_AT_ONCE = 2
"""Few: what a detector holds, another cannot take."""
CROPS_AT_ONCE = 16


def capture(host: ServiceHost, bus: RedisStreams) -> Work:
    """The capture service. Raises SettingsError without cameras, SourceError for one that cannot be."""
    settings = host.settings
    assert isinstance(settings, CaptureSettings)  # noqa: S101 - the table in `serve` pairs them
    cameras = cameras_of(settings.cameras)
    if not cameras:
        raise SettingsError("cameras: none is named; give --cameras 'gate=rtsp://...; yard=/dev/video0'")
    meter = RatedMeter(host.meter, time.monotonic)
    options = CaptureOptions(
        frames_limit=settings.frames_limit,
        publish_fps=settings.publish_fps,
        jpeg_quality=settings.jpeg_quality if settings.encoding == "jpeg" else None,
        loops=settings.loops,
        pace=settings.pace,
        lossless=settings.recording_lossless,
    )
    camera_settings = CameraSettings(
        width_px=settings.width,
        height_px=settings.height,
        frames_per_s=settings.fps,
        timeout_s=settings.timeout_s,
        first_attempts=0,
    )
    workers = {}
    for name, source in cameras:
        camera_id = CameraId(name)
        opens = _opener(source, camera_id, camera_settings)
        gate = MotionGate() if settings.motion_gate else None
        workers[name] = CameraWorker(
            camera_id,
            opens,
            bus,
            options,
            gate,
            clock=SystemClock(),
            meter=meter,
            stopping=host.lifecycle.stopping,
            beat=_beat(host, name),
        )
        opens(lambda _fault: None).close()  # a source that cannot be is said before the service starts
    servicer = CaptureServicer(workers, {name: redact(source) for name, source in cameras})

    def register(server: grpc.Server) -> tuple[str]:
        capture_pb2_grpc.add_CaptureServicer_to_server(servicer, server)
        return (capture_pb2.DESCRIPTOR.services_by_name["Capture"].full_name,)

    return Work(
        register,
        tuple(Loop(name, _ending(host, name, worker), ends=True) for name, worker in workers.items()),
        ticks=(meter.tick, servicer.tick, bus_tick(host, bus)),
        closers=(bus.close,),
    )


def detector(host: ServiceHost, bus: RedisStreams, rng: random.Random) -> Work:
    """The detector service. Raises ModelError."""
    settings = host.settings
    assert isinstance(settings, DetectorSettings)  # noqa: S101 - the table in `serve` pairs them
    model = LockedDetector(
        open_detector(
            settings.modeldir,
            threads=settings.threads,
            score=settings.score,
            search=settings.search,
            runtime=settings.runtime,
        )
    )
    warm_up(detector=model)
    _tell_model(host, open_nets(settings.runtime).file(settings.modeldir, "detect"), settings.runtime)
    meter = RatedMeter(host.meter, time.monotonic)
    stage = WiredDetectStage(DetectStage(model), settings.frame_max_age_s, SystemClock(), meter)
    runner = stage_runner(host, bus, Stream.FRAMES, stage, meter, rng, at_once=FRAMES_AT_ONCE)

    def register(server: grpc.Server) -> tuple[str]:
        detector_pb2_grpc.add_DetectorServicer_to_server(DetectorServicer(model), server)
        return (detector_pb2.DESCRIPTOR.services_by_name["Detector"].full_name,)

    return Work(
        register,
        (Loop("detect", runner.run),),
        ticks=(meter.tick, backlog_tick(host, bus, Stream.FRAMES)),
        closers=(bus.close,),
    )


def ocr(host: ServiceHost, bus: RedisStreams, rng: random.Random) -> Work:
    """The OCR service. Raises ModelError."""
    settings = host.settings
    assert isinstance(settings, OcrSettings)  # noqa: S101 - the table in `serve` pairs them
    ours = settings.reader is ReaderKind.TFLITE
    folder = settings.reader_modeldir if ours else settings.tessdata
    model = LockedReader(open_reader(folder, settings.reader, threads=settings.threads, runtime=settings.runtime))
    warm_up(reader=model)
    if ours:
        _tell_model(host, open_nets(settings.runtime).file(folder, "read"), settings.runtime)
    else:
        _tell_model(host, folder / "gb.traineddata", "tesseract")
    stage = WiredReadStage(ReadStage(model), settings.confidence, host.meter)
    runner = stage_runner(host, bus, Stream.CROPS, stage, host.meter, rng, at_once=CROPS_AT_ONCE)

    def register(server: grpc.Server) -> tuple[str]:
        ocr_pb2_grpc.add_OcrServicer_to_server(OcrServicer(model), server)
        return (ocr_pb2.DESCRIPTOR.services_by_name["Ocr"].full_name,)

    return Work(
        register,
        (Loop("read", runner.run),),
        ticks=(backlog_tick(host, bus, Stream.CROPS),),
        closers=(bus.close,),
    )


def _opener(
    source: str, camera_id: CameraId, settings: CameraSettings
) -> Callable[[Callable[[str], None]], FrameSource]:
    return lambda lost: open_source(source, camera_id, SystemClock(), settings, on_drop=lost)


def _beat(host: ServiceHost, name: str) -> Callable[[], None]:
    return lambda: host.health.beat(name)


def _ending(host: ServiceHost, name: str, worker: CameraWorker) -> Callable[[], None]:
    def run() -> None:
        worker.run()
        host.health.done(name)

    return run


def _tell_model(host: ServiceHost, file: Path, runtime: str | None) -> None:
    host.health.set("model", ready=True)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else ""
    labels: dict[str, Any] = {"folder": file.parent.name, "sha256": digest, "runtime": runtime or "first installed"}
    host.meter.set("model_info", 1, **labels)
