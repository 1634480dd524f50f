"""The OCR service, put together."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from roadside.assembly.models import open_named_reader, open_nets, reader_name, warm_up
from roadside.assembly.witness import open_second
from roadside.kit.grpc_server import MAX_MESSAGE_BYTES
from roadside.kit.host import Loop, Work
from roadside.kit.logs import fields
from roadside.ocr.config import ReaderKind
from roadside.ocr.locked import LockedReader
from roadside.ocr.orientation import LieWatch
from roadside.ocr.servicer import Named, OcrServicer
from roadside.ocr.stage import ReadStage
from roadside.ports.bus import CROPS, READS
from roadside.v1 import ocr_pb2, ocr_pb2_grpc

if TYPE_CHECKING:
    import grpc.aio

    from roadside.assembly.context import ServiceContext
    from roadside.assembly.settings import OcrSettings

CROPS_AT_ONCE = 16

_log = logging.getLogger(__name__)


def build(context: ServiceContext[OcrSettings]) -> Work:
    """The reader, its stage and its answers over gRPC. Raises ModelError, SettingsError."""
    settings = context.settings
    model, folder = LockedReader(open_named_reader(settings)), settings.reader_folder()
    warm_up(reader=model)
    if settings.reader is ReaderKind.TFLITE:
        context.model_ready(open_nets(settings.runtime).file(folder, "read"), settings.runtime)
    else:
        context.model_ready(folder / "gb.traineddata", "tesseract")
    second = open_second(settings)
    witness = None if second is None else Named(LockedReader(second.reader), second.name, second.sha256)
    _log.info("second reader", extra=fields(reader="none" if second is None else second.name))
    stage = ReadStage(model, settings.confidence, context.meter, model=reader_name(settings), watch=LieWatch(model))
    runner = context.stage_runner(CROPS, READS, stage, at_once=CROPS_AT_ONCE)

    def register(server: grpc.aio.Server) -> tuple[str]:
        ocr_pb2_grpc.add_OcrServicer_to_server(OcrServicer(model, witness, context.decoder), server)
        return (ocr_pb2.DESCRIPTOR.services_by_name["Ocr"].full_name,)

    return Work(
        register,
        (Loop("read", runner.run),),
        ticks=(context.backlog_tick(CROPS),),
        closers=(context.bus.close,),
        max_request_bytes=MAX_MESSAGE_BYTES,
    )
