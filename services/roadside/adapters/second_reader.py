"""The second reader of the ocr service, asked over gRPC: the registry itself runs no nets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import grpc

from roadside.core.events import encode_raw
from roadside.core.geometry import shift
from roadside.core.witness import statement
from roadside.errors import PoisonError
from roadside.v1 import ocr_pb2, ocr_pb2_grpc
from roadside.wire.convert import detection_to_proto, picture_to_proto, read_from_proto

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.core.frames import Crop, Detection
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Statement


@dataclass(frozen=True, slots=True)
class OcrOptions:
    """How the ocr service is reached."""

    address: str
    """host:port"""
    token: str | None = None
    ca_file: Path | None = None
    """The authority of its certificate; None: no TLS."""
    deadline_s: float = 5.0


class OcrWitness:
    """Meets `Witness`; threads may share it."""

    def __init__(self, options: OcrOptions) -> None:
        """Connects at the first question."""
        self._options = options
        self._channel = _channel(options)
        self._ocr = ocr_pb2_grpc.OcrStub(self._channel)

    def testify(self, crop: Crop, plate: FusedPlate) -> Statement | None:
        """See `Witness.testify`: None where the service does not answer in time or has no second reader."""
        asked = ocr_pb2.PlateCrop(
            picture=picture_to_proto(encode_raw(crop.image)), detection=detection_to_proto(_within(crop))
        )
        metadata = (("authorization", f"Bearer {self._options.token}"),) if self._options.token else ()
        request = ocr_pb2.ReadRequest(crops=[asked], second_reader=True)
        try:
            answer = self._ocr.Read(request, timeout=self._options.deadline_s, metadata=metadata)
            reads = [read_from_proto(read) for read in answer.reads]
        except (grpc.RpcError, PoisonError):
            return None
        # An older service reads with its first reader and does not say who read.
        return statement(reads[0], plate, answer.reader, answer.sha256) if reads and answer.reader else None

    def close(self) -> None:
        """Let the connection go."""
        self._channel.close()


def _channel(options: OcrOptions) -> grpc.Channel:
    if options.ca_file is None:
        return grpc.insecure_channel(options.address)
    return grpc.secure_channel(options.address, grpc.ssl_channel_credentials(options.ca_file.read_bytes()))


def _within(crop: Crop) -> Detection:
    """The detection in pixels of the crop's picture."""
    found, (left, top) = crop.detection, crop.origin
    corners = found.corners
    if corners is not None:
        (a, b), (c, d), (e, f), (g, h) = corners
        corners = ((a - left, b - top), (c - left, d - top), (e - left, f - top), (g - left, h - top))
    return replace(found, box=shift(found.box, -left, -top), corners=corners)
