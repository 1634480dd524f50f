"""What capture, detector and ocr are made of."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from roadside.adapters.models.corner_finder import PlateFinder
from roadside.adapters.models.tesseract import ArticleReader, TesseractReader
from roadside.adapters.models.tflite import TfliteReader
from roadside.adapters.sources.video import CameraSettings, open_source, redact
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.service_settings import CaptureSettings, DetectorSettings, OcrSettings, cameras_of
from roadside.assembly.serving_bus import backlog_tick, bus_tick, stage_runner
from roadside.assembly.settings import ReaderKind
from roadside.capture.motion import MotionGate
from roadside.capture.servicer import CaptureServicer
from roadside.capture.worker import CameraWorker, CaptureOptions
from roadside.core.detect import SearchPolicy
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.detector.guarded import LockedDetector
from roadside.detector.servicer import DetectorServicer
from roadside.detector.stage import DetectStage
from roadside.detector.wired import WiredDetectStage
from roadside.errors import SettingsError
from roadside.kit.host import Loop, Work
from roadside.kit.rates import RatedMeter
from roadside.kit.weights import check_shipped
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
    from roadside.ports.vision import Reader

FRAMES_AT_ONCE = 2
"""Few: what a detector holds, another cannot take."""
CROPS_AT_ONCE = 16
_GREY = np.full((64, 128, 3), 127, np.uint8)
"""The first run of a model allocates and takes several times as long: no picture shall pay for it."""


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
    check_shipped(settings.modeldir)
    policy = SearchPolicy(search=settings.search)
    model = LockedDetector(PlateFinder(settings.modeldir, settings.threads, settings.score, policy, settings.runtime))
    model.detect(_GREY)
    _tell_model(host, settings.modeldir, "detect.tflite", settings.runtime)
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
    model = LockedReader(_reader(settings))
    model.read(Crop(CameraId("warm-up"), 0, 0, Detection(Box(8, 8, 120, 56), 1.0), _GREY))
    if settings.reader is ReaderKind.TFLITE:
        _tell_model(host, settings.reader_modeldir, "read.tflite", settings.runtime)
    else:
        _tell_model(host, settings.tessdata, "gb.traineddata", "tesseract")
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


def _reader(settings: OcrSettings) -> Reader:
    check_shipped(settings.reader_modeldir if settings.reader is ReaderKind.TFLITE else settings.tessdata)
    match settings.reader:
        case ReaderKind.TFLITE:
            return TfliteReader(settings.reader_modeldir, settings.threads, settings.runtime)
        case ReaderKind.TESSERACT:
            return TesseractReader(settings.tessdata)
        case ReaderKind.ARTICLE:
            return ArticleReader(settings.tessdata)


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


def _tell_model(host: ServiceHost, folder: Path, name: str, runtime: str | None) -> None:
    host.health.set("model", ready=True)
    file = folder / name
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else ""
    labels: dict[str, Any] = {"folder": folder.name, "sha256": digest, "runtime": runtime or "first installed"}
    host.meter.set("model_info", 1, **labels)
