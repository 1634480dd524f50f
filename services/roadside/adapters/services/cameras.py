"""The cameras of a cluster: states and pictures of the capture services, plates found by the detector service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from roadside.adapters.annotate import Mark, draw
from roadside.adapters.camera_picture import blurred_whole, jpeg_of, without_plates
from roadside.console.ports import CameraState
from roadside.core.events import PictureEncoding
from roadside.errors import NotFoundError, PoisonError, RoadsideError, SettingsError, UnavailableError
from roadside.v1 import capture_pb2, capture_pb2_grpc, detector_pb2, detector_pb2_grpc, types_pb2
from roadside.wire import convert
from roadside.wire.decoding import decode
from roadside.wire.pictures import decode_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.services.connection import Connection, Replicas
    from roadside.core.frames import Box
    from roadside.core.retrial import Retrial
    from roadside.core.view import View

LOOK_S = 3.0
"""A page of cameras does not wait longer for one that does not answer."""
MOST_AT_ONCE = 8


class RemoteCameras:
    """Meets the console's `CameraDesk`."""

    def __init__(self, captures: Sequence[Replicas], detector: Connection | None) -> None:
        """Without a `detector` nobody knows where the plates are: pictures are shown blurred whole, or unmarked."""
        self._captures = captures
        self._detector = detector
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, "cameras")
        self._where: dict[str, Connection] = {}

    def states(self) -> Sequence[CameraState]:
        """Of all cameras whose service answers, by name."""
        reached = [connection for replicas in self._captures for connection in replicas.connections()]
        found = [state for states in self._pool.map(self._states, reached) for state in states]
        return sorted(found, key=lambda state: state.camera_id)

    def picture(self, camera_id: str, *, blurred: bool) -> bytes | None:
        """The newest frame as JPEG with the plates framed, or blurred; None where there is none yet."""
        taken = self._snapshot(camera_id)
        if taken is None:
            return None
        boxes = self._boxes(taken)
        if boxes is None and not blurred and convert.picture_from_proto(taken).encoding is PictureEncoding.JPEG:
            return taken.data
        image = decode_picture(convert.picture_from_proto(taken), decoder=decode)
        if blurred:
            return jpeg_of(blurred_whole(image) if boxes is None else without_plates(image, boxes))
        return jpeg_of(draw(image, [Mark(box, "") for box in boxes or ()]))

    def view(self, camera_id: str) -> View | None:
        """None: the services read a file that this one does not see."""
        del camera_id
        return None

    def retry(self, camera_id: str, view: View) -> Retrial | None:
        """None."""
        del camera_id, view
        return None

    def save_view(self, camera_id: str, view: View) -> str:
        """Raises SettingsError."""
        del view
        raise SettingsError(f"what is set of camera {camera_id} cannot be changed here")

    def close(self) -> None:
        """Ask nobody any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _states(self, capture: Connection) -> list[CameraState]:
        stub = capture_pb2_grpc.CaptureStub(capture.channel)
        try:
            listed = capture.call(stub.ListCameras, capture_pb2.ListCamerasRequest(page_size=1000), LOOK_S)
            found = []
            for camera in listed.cameras:
                self._where[camera.camera_id] = capture
                request = capture_pb2.GetStatusRequest(camera_id=camera.camera_id)
                found.append(_state(capture.call(stub.GetStatus, request, LOOK_S).status))
        except RoadsideError:
            return []
        else:
            return found

    def _snapshot(self, camera_id: str) -> types_pb2.Picture | None:
        if camera_id not in self._where:
            self.states()
        capture = self._where.get(camera_id)
        if capture is None:
            return None
        stub = capture_pb2_grpc.CaptureStub(capture.channel)
        try:
            answer = capture.call(stub.Snapshot, capture_pb2.SnapshotRequest(camera_id=camera_id), LOOK_S)
        except (UnavailableError, NotFoundError):
            return None
        return answer.picture  # type: ignore[no-any-return]

    def _boxes(self, picture: types_pb2.Picture) -> tuple[Box, ...] | None:
        """Where the plates are; None where nobody knows."""
        if self._detector is None:
            return None
        stub = detector_pb2_grpc.DetectorStub(self._detector.channel)
        try:
            answer = self._detector.call(stub.Detect, detector_pb2.DetectRequest(picture=picture), LOOK_S)
            return tuple(convert.detection_from_proto(found).box for found in answer.detections)
        except (UnavailableError, PoisonError):
            return None


def _state(status: capture_pb2.CameraStatus) -> CameraState:
    return CameraState(
        status.camera.camera_id,
        status.frames_published,
        status.frames_per_second,
        status.frames_dropped,
        convert.time_from_proto(status.last_capture_time) if status.HasField("last_capture_time") else None,
        status.camera.state == capture_pb2.CAMERA_STATE_ENDED,
    )
