"""The boundary of gRPC: who is answered, in which sizes, until when, and what is told of errors."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import cv2
import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from prometheus_client import CollectorRegistry

from roadside.core.frames import Box, Detection
from roadside.detector.metrics import SPECS
from roadside.detector.servicer import DetectorServicer
from roadside.errors import ModelError
from roadside.kit.callers import Callers
from roadside.kit.grpc_server import GrpcServer, ServerOptions
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.v1 import detector_pb2, detector_pb2_grpc, types_pb2
from tests.certificates import Authority
from tests.waiting import PLENTY_S, stays, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TOKEN = "a-token-of-some-length"  # noqa: S105 - of a test
PICTURE = types_pb2.Picture(
    encoding=types_pb2.PICTURE_ENCODING_JPEG,
    data=cv2.imencode(".jpg", np.full((48, 64, 3), 200, np.uint8))[1].tobytes(),
)


class BrightestCorner:
    """A detector without a model: slow for dark pictures, faulty for black ones."""

    def __init__(self) -> None:
        self.begun = 0

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        self.begun += 1
        brightness = float(image.mean())
        if brightness < 1:
            raise RuntimeError("a secret of the inside")
        if brightness < 20:
            raise ModelError("the model cannot be used")
        if brightness < 60:
            time.sleep(1.0)  # is slow
        return [Detection(Box(1, 2, 30, 20), brightness / 255)]


def grey(level: int) -> types_pb2.Picture:
    data = cv2.imencode(".png", np.full((48, 64, 3), level, np.uint8))[1].tobytes()
    return types_pb2.Picture(encoding=types_pb2.PICTURE_ENCODING_PNG, data=data)


class Running:
    """A server on a free port."""

    def __init__(self, **options: object) -> None:
        self.health = Health(("model",), time.monotonic)
        self.health.set("model", ready=True)
        self.meter = PrometheusMeter("detector", SPECS, CollectorRegistry())

        self.detector = BrightestCorner()

        def register(server: grpc.aio.Server) -> tuple[str]:
            detector_pb2_grpc.add_DetectorServicer_to_server(DetectorServicer(self.detector), server)
            return ("roadside.v1.Detector",)

        arguments = {"host": "127.0.0.1", "port": 0, **options}
        self.server = GrpcServer(ServerOptions(**arguments), register, self.health, self.meter)  # type: ignore[arg-type]
        self.server.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.server.stop(0)


def detect(
    channel: grpc.Channel, picture: types_pb2.Picture = PICTURE, timeout: float = PLENTY_S, token: str | None = None
) -> detector_pb2.DetectResponse:
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    request = detector_pb2.DetectRequest(picture=picture)
    return detector_pb2_grpc.DetectorStub(channel).Detect(request, timeout=timeout, metadata=metadata)


def refused(channel: grpc.Channel, **arguments: object) -> grpc.Call:
    with pytest.raises(grpc.RpcError) as caught:
        detect(channel, **arguments)  # type: ignore[arg-type]
    assert isinstance(caught.value, grpc.Call)
    return caught.value


def test_one_several_and_a_stream_are_answered_alike(running: Running) -> None:
    with grpc.insecure_channel(running.address) as channel:
        one = detect(channel)
        stub = detector_pb2_grpc.DetectorStub(channel)
        batch = stub.BatchDetect(
            detector_pb2.BatchDetectRequest(requests=[detector_pb2.DetectRequest(picture=PICTURE)] * 3)
        )
        stream = stub.StreamDetect(detector_pb2.StreamDetectRequest(picture=PICTURE) for _ in range(3))
    assert (one.width_px, one.height_px, len(one.detections)) == (64, 48, 1)
    assert list(batch.responses) == list(stream.responses) == [one] * 3


def test_errors_have_codes_and_details(running: Running) -> None:
    with grpc.insecure_channel(running.address) as channel:
        bad = refused(channel, picture=types_pb2.Picture(encoding=types_pb2.PICTURE_ENCODING_JPEG, data=b"x"))
        assert (bad.code(), bad.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "not a JPEG picture")
        assert refused(channel, picture=grey(10)).code() is grpc.StatusCode.INVALID_ARGUMENT
        inside = refused(channel, picture=grey(0))
    assert inside.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in (inside.details() or "")
    status = rpc_status.from_call(inside)
    assert status is not None
    info = error_details_pb2.RequestInfo()
    assert status.details[0].Unpack(info)
    assert info.request_id in (inside.details() or "")


def test_a_deadline_is_kept(running: Running) -> None:
    with grpc.insecure_channel(running.address) as channel:
        assert refused(channel, picture=grey(40), timeout=0.3).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        requests = [detector_pb2.DetectRequest(picture=grey(40))] * 30
        with pytest.raises(grpc.RpcError):
            detector_pb2_grpc.DetectorStub(channel).BatchDetect(
                detector_pb2.BatchDetectRequest(requests=requests), timeout=0.5
            )
        # One before, one or two of the thirty; each takes a second.
        stays(lambda: running.detector.begun <= 3, "what nobody waits for is not done to its end", for_s=3.5)


def test_sizes_are_limited(running: Running) -> None:
    giant = types_pb2.Picture(encoding=types_pb2.PICTURE_ENCODING_JPEG, data=bytes(30_000_000))
    with grpc.insecure_channel(running.address) as channel:
        assert refused(channel, picture=giant).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        requests = detector_pb2.BatchDetectRequest(requests=[detector_pb2.DetectRequest(picture=PICTURE)] * 65)
        with pytest.raises(grpc.RpcError, match="at most 64"):
            detector_pb2_grpc.DetectorStub(channel).BatchDetect(requests)


def test_calls_that_stream_both_ways_are_asked_for_the_token_too() -> None:
    def register(server: grpc.aio.Server) -> tuple[str]:
        echo = grpc.stream_stream_rpc_method_handler(lambda requests, _context: requests)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {"Echo": echo}),))
        return ("test.Echo",)

    meter = PrometheusMeter("detector", SPECS, CollectorRegistry())
    server = GrpcServer(
        ServerOptions("127.0.0.1", 0, callers=Callers(token=TOKEN)), register, Health((), time.monotonic), meter
    )
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            echo = channel.stream_stream("/test.Echo/Echo")
            with pytest.raises(grpc.RpcError) as caught:
                list(echo(iter([b"x"]), timeout=PLENTY_S))
            assert isinstance(caught.value, grpc.Call)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            sent = (("authorization", f"Bearer {TOKEN}"),)
            assert list(echo(iter([b"x", b"y"]), timeout=PLENTY_S, metadata=sent)) == [b"x", b"y"]
    finally:
        server.stop(0)


def test_the_token_is_asked_for() -> None:
    running = Running(callers=Callers(token=TOKEN))
    try:
        with grpc.insecure_channel(running.address) as channel:
            assert refused(channel).code() is grpc.StatusCode.UNAUTHENTICATED
            assert refused(channel, token=TOKEN + "x").code() is grpc.StatusCode.UNAUTHENTICATED
            assert detect(channel, token=TOKEN).detections
            assert health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest()).status
    finally:
        running.server.stop(0)


def own_address() -> str:
    """An address of this machine that is not the loopback's, as another machine would be seen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: it only chooses the address
        return str(probe.getsockname()[0])


def test_without_a_token_other_machines_are_refused() -> None:
    running = Running(host="0.0.0.0")  # noqa: S104 - that is what is tested
    try:
        with grpc.insecure_channel(f"{own_address()}:{running.server.port}") as channel:
            said = refused(channel)
            assert said.code() is grpc.StatusCode.PERMISSION_DENIED
            assert "ROADSIDE_TOKEN" in (said.details() or "")
        with grpc.insecure_channel(running.address) as channel:
            assert detect(channel).detections
    finally:
        running.server.stop(0)


def test_clients_need_a_certificate_where_an_authority_is_given(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority").create()
    stranger = Authority(tmp_path, "stranger").create()
    server, client, other = authority.sign("server"), authority.sign("client"), stranger.sign("other")
    running = Running(certificate_file=server.certificate, key_file=server.key, ca_file=authority.certificate)
    root = authority.certificate.read_bytes()

    def code(key: bytes | None, certificate: bytes | None, timeout_s: float = 5) -> grpc.StatusCode | None:
        credentials = grpc.ssl_channel_credentials(root, key, certificate)
        with grpc.secure_channel(running.address, credentials) as channel:
            try:
                detect(channel, timeout=timeout_s)
            except grpc.RpcError as error:
                return error.code()
            return None

    try:
        assert code(client.key.read_bytes(), client.certificate.read_bytes(), PLENTY_S) is None
        assert code(None, None) in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
        assert code(other.key.read_bytes(), other.certificate.read_bytes()) in {
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.DEADLINE_EXCEEDED,
        }
        with grpc.insecure_channel(running.address) as channel:
            assert refused(channel, timeout=5).code() is not grpc.StatusCode.OK
    finally:
        running.server.stop(0)


def test_health_follows_and_calls_in_hand_finish(running: Running) -> None:
    with grpc.insecure_channel(running.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        assert stub.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
        running.health.set("model", ready=False)
        running.server.tell_health()
        request = health_pb2.HealthCheckRequest(service="roadside.v1.Detector")
        assert stub.Check(request).status == health_pb2.HealthCheckResponse.NOT_SERVING
        call = detector_pb2_grpc.DetectorStub(channel).Detect.future(
            detector_pb2.DetectRequest(picture=grey(40)), timeout=PLENTY_S
        )
        wait_for(lambda: running.detector.begun == 1, "the call to be in hand")
        ending = threading.Thread(target=running.server.stop, args=(PLENTY_S,))
        ending.start()
        assert call.result().detections
        ending.join(PLENTY_S)
        assert not ending.is_alive()
