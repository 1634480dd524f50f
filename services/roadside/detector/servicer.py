"""The Detector service: pictures in, plates out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.errors import InputError
from roadside.v1 import detector_pb2, detector_pb2_grpc, types_pb2
from roadside.wire.convert import detection_to_proto, picture_from_proto
from roadside.wire.decoding import decode
from roadside.wire.pictures import decode_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from roadside.ports.vision import Detector
    from roadside.wire.pictures import Decoder

MOST_IN_A_STREAM = 10_000


class DetectorServicer(detector_pb2_grpc.DetectorServicer):
    """See protos/roadside/v1/detector.proto."""

    def __init__(self, detector: Detector, decoder: Decoder = decode) -> None:
        """`decoder` decodes the pictures that are sent."""
        self._detector = detector
        self._decoder = decoder

    def Detect(  # noqa: N802 - the proto's name
        self, request: detector_pb2.DetectRequest, context: grpc.ServicerContext
    ) -> detector_pb2.DetectResponse:
        """The plates of one picture."""
        del context
        return self._detect(request.picture)

    def BatchDetect(  # noqa: N802 - the proto's name
        self, request: detector_pb2.BatchDetectRequest, context: grpc.ServicerContext
    ) -> detector_pb2.BatchDetectResponse:
        """The plates of several pictures."""
        responses = []
        for one in request.requests:
            if not context.is_active():  # the deadline has passed, nobody waits for the rest
                break
            responses.append(self._detect(one.picture))
        return detector_pb2.BatchDetectResponse(responses=responses)

    def StreamDetect(  # noqa: N802 - the proto's name
        self, request_iterator: Iterator[detector_pb2.StreamDetectRequest], context: grpc.ServicerContext
    ) -> detector_pb2.StreamDetectResponse:
        """The plates of pictures that come one at a time."""
        responses: list[detector_pb2.DetectResponse] = []
        for one in request_iterator:
            if len(responses) == MOST_IN_A_STREAM:
                raise InputError(f"a stream has at most {MOST_IN_A_STREAM} pictures")
            if not context.is_active():
                break
            responses.append(self._detect(one.picture))
        return detector_pb2.StreamDetectResponse(responses=responses)

    def _detect(self, picture: types_pb2.Picture) -> detector_pb2.DetectResponse:
        image = decode_picture(picture_from_proto(picture), decoder=self._decoder)
        return detector_pb2.DetectResponse(
            detections=[detection_to_proto(detection) for detection in self._detector.detect(image)],
            width_px=image.shape[1],
            height_px=image.shape[0],
        )
