"""The detector service, put together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from roadside.adapters.frame_clock import SteadyClock
from roadside.assembly.models import detector_name, open_named_detector, open_nets, warm_up
from roadside.assembly.site import load_site
from roadside.core.detect import Search
from roadside.core.view import View
from roadside.detector.locked import LockedDetector
from roadside.detector.servicer import DetectorServicer
from roadside.detector.stage import DetectStage
from roadside.kit.grpc_server import MAX_MESSAGE_BYTES
from roadside.kit.host import Loop, Work
from roadside.kit.rates import RatedMeter
from roadside.ports.bus import CROPS, FRAMES
from roadside.v1 import detector_pb2, detector_pb2_grpc

if TYPE_CHECKING:
    import grpc.aio

    from roadside.assembly.context import ServiceContext
    from roadside.assembly.settings import DetectorSettings

FRAMES_AT_ONCE = 2
"""Few: what a detector holds, another cannot take."""


def build(context: ServiceContext[DetectorSettings]) -> Work:
    """The detector, its stage and its answers over gRPC. Raises ModelError, SettingsError, UnavailableError."""
    settings = context.settings
    # One look a frame: a cluster answers with more detectors, not with more looks.
    search = Search.FAST if settings.search is Search.AUTO else settings.search
    model = LockedDetector(open_named_detector(settings, search))
    warm_up(detector=model)
    context.decoder.start()
    context.model_ready(open_nets(settings.runtime).file(settings.detector_folder(), "detect"), settings.runtime)
    meter = RatedMeter(context.meter, time.monotonic)
    clock = SteadyClock(context.clock)
    site = load_site(View(least_width_px=settings.least_width))
    name = detector_name(settings)
    stage = DetectStage(model, settings.frame_max_age_s, clock, meter, model=name, view_of=site.view)
    runner = context.stage_runner(FRAMES, CROPS, stage, at_once=FRAMES_AT_ONCE, meter=meter)

    def register(server: grpc.aio.Server) -> tuple[str]:
        detector_pb2_grpc.add_DetectorServicer_to_server(DetectorServicer(model, context.decoder), server)
        return (detector_pb2.DESCRIPTOR.services_by_name["Detector"].full_name,)

    return Work(
        register,
        (Loop("detect", runner.run),),
        ticks=(meter.tick, context.backlog_tick(FRAMES)),
        closers=(context.bus.close,),
        max_request_bytes=MAX_MESSAGE_BYTES,
    )
