"""The Ocr service: pictures of plates in, characters out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.picture_header import CROP_LIMITS
from roadside.errors import UnavailableError
from roadside.v1 import ocr_pb2, ocr_pb2_grpc, types_pb2
from roadside.wire.convert import detection_from_proto, picture_from_proto, read_to_proto
from roadside.wire.decoding import decode
from roadside.wire.pictures import decode_picture

if TYPE_CHECKING:
    import grpc

    from roadside.ports.vision import Reader
    from roadside.wire.pictures import Decoder

ASKED = CameraId("asked")


@dataclass(frozen=True, slots=True)
class Named:
    """A reader, and what its answers call it."""

    reader: Reader
    name: str = ""
    sha256: str = ""
    """Of the file of its weights."""


class OcrServicer(ocr_pb2_grpc.OcrServicer):
    """See protos/roadside/v1/ocr.proto."""

    def __init__(self, reader: Reader, second: Named | None = None, decoder: Decoder = decode) -> None:
        """`decoder` decodes the pictures that are sent."""
        self._first = Named(reader)
        self._second = second
        self._decoder = decoder

    def Read(  # noqa: N802 - the proto's name
        self, request: ocr_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> ocr_pb2.ReadResponse:
        """One read for each crop. Raises UnavailableError where a second reader is asked for and there is none."""
        asked = self._second if request.second_reader else self._first
        if asked is None:
            raise UnavailableError("this service has no second reader: set second_reader, or install Tesseract")
        reads: list[types_pb2.Read] = []
        for crop in request.crops:
            if not context.is_active():  # the deadline has passed, nobody waits for the rest
                break
            reads.append(read_to_proto(asked.reader.read(_crop(crop, self._decoder))))
        return ocr_pb2.ReadResponse(reads=reads, reader=asked.name, sha256=asked.sha256)


def _crop(asked: ocr_pb2.PlateCrop, decoder: Decoder) -> Crop:
    image = decode_picture(picture_from_proto(asked.picture), limits=CROP_LIMITS, decoder=decoder)
    if asked.HasField("detection"):
        detection = detection_from_proto(asked.detection)
    else:
        detection = Detection(Box(0, 0, image.shape[1], image.shape[0]), 1.0)
    return Crop(ASKED, 0, 0, detection, image)
