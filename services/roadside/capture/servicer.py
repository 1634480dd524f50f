"""The Capture service: which cameras there are and how they fare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.capture.worker import CameraCondition
from roadside.errors import NotFoundError, UnavailableError
from roadside.v1 import capture_pb2, capture_pb2_grpc
from roadside.wire.convert import picture_to_proto, time_to_proto

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import grpc

    from roadside.capture.worker import CameraWorker

DEFAULT_PAGE = 100
_STATES = {
    CameraCondition.CONNECTING: capture_pb2.CAMERA_STATE_CONNECTING,
    CameraCondition.STREAMING: capture_pb2.CAMERA_STATE_STREAMING,
    CameraCondition.ENDED: capture_pb2.CAMERA_STATE_ENDED,
}


class CaptureServicer(capture_pb2_grpc.CaptureServicer):
    """See protos/roadside/v1/capture.proto."""

    def __init__(
        self, workers: Mapping[str, CameraWorker], sources: Mapping[str, str], rate: Callable[[str], float]
    ) -> None:
        """`sources` are addresses without passwords, by camera; `rate` tells a camera's frames a second."""
        self._workers = workers
        self._sources = sources
        self._rate = rate

    def ListCameras(  # noqa: N802 - the proto's name
        self, request: capture_pb2.ListCamerasRequest, context: grpc.ServicerContext
    ) -> capture_pb2.ListCamerasResponse:
        """All cameras, by name."""
        del context
        names = sorted(name for name in self._workers if name > request.page_token)
        page = names[: request.page_size or DEFAULT_PAGE]
        more = len(names) > len(page)
        return capture_pb2.ListCamerasResponse(
            cameras=[self._camera(name) for name in page], next_page_token=page[-1] if more else ""
        )

    def Snapshot(  # noqa: N802 - the proto's name
        self, request: capture_pb2.SnapshotRequest, context: grpc.ServicerContext
    ) -> capture_pb2.SnapshotResponse:
        """The newest frame."""
        del context
        newest = self._worker(request.camera_id).report.newest
        if newest is None:
            raise UnavailableError(f"camera {request.camera_id} has sent no frame yet")
        return capture_pb2.SnapshotResponse(
            picture=picture_to_proto(newest.picture.encoded()),
            capture_time=time_to_proto(newest.taken_at_ns),
            sequence=newest.sequence,
        )

    def GetStatus(  # noqa: N802 - the proto's name
        self, request: capture_pb2.GetStatusRequest, context: grpc.ServicerContext
    ) -> capture_pb2.GetStatusResponse:
        """How a camera fares."""
        del context
        report = self._worker(request.camera_id).report
        status = capture_pb2.CameraStatus(
            camera=self._camera(request.camera_id),
            frames_per_second=self._rate(request.camera_id),
            frames_published=report.published,
            frames_dropped=report.dropped,
            reconnects=report.reconnects,
        )
        if report.last_captured_at_ns:
            status.last_capture_time.CopyFrom(time_to_proto(report.last_captured_at_ns))
        return capture_pb2.GetStatusResponse(status=status)

    def _worker(self, name: str) -> CameraWorker:
        worker = self._workers.get(name)
        if worker is None:
            raise NotFoundError(f"there is no camera {name!r} here")
        return worker

    def _camera(self, name: str) -> capture_pb2.Camera:
        state = _STATES[self._workers[name].report.condition]
        return capture_pb2.Camera(camera_id=name, source=self._sources[name], state=state)
