"""Who may call what over gRPC, with each role and none, and what callers that hold calls open can take from others."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from roadside.assembly.door_table import doors_page
from roadside.detector.metrics import SPECS
from roadside.errors import SettingsError
from roadside.kit.callers import Callers, Client, Role, load_clients
from roadside.kit.doors import door_of
from roadside.kit.grpc_boundary import OPEN_CALLS_PER_PEER, Limits
from roadside.kit.grpc_server import NOT_SERVED_AFTER_S, GrpcServer, ServerOptions
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.v1 import detector_pb2, detector_pb2_grpc, plates_pb2_grpc
from tests.certificates import Authority
from tests.rpcs import METHODS, add_silent_services, call, call_with_bytes, least_request
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import MethodDescriptor

DOORS = {
    "Capture.ListCameras": {"read", "review", "admin"},
    "Capture.Snapshot": {"read", "review", "admin"},
    "Capture.GetStatus": {"read", "review", "admin"},
    "Detector.Detect": {"check", "admin"},
    "Detector.BatchDetect": {"check", "admin"},
    "Detector.StreamDetect": {"check", "admin"},
    "Ocr.Read": {"check", "admin"},
    "Registry.Check": {"check", "admin"},
    "Registry.BatchCheck": {"check", "admin"},
    "Registry.ImportVignettes": {"admin"},
    "Plates.ListSightings": {"read", "review", "admin"},
    "Plates.GetSighting": {"read", "review", "admin"},
    "Plates.GetEvidence": {"read", "review", "admin"},
    "Plates.WatchSightings": {"read", "review", "admin"},
    "Plates.ListStored": {"read", "review", "admin"},
    "KnownLists.ListLists": {"review", "admin"},
    "KnownLists.ListKnownPlates": {"review", "admin"},
    "KnownLists.PutList": {"admin"},
    "KnownLists.PutKnownPlates": {"admin"},
    "KnownLists.RemoveKnown": {"admin"},
    "Registry.GetState": {"read", "review", "admin"},
    "Records.NoteAction": {"admin"},
    "Records.ListAudit": {"admin"},
    "Records.ListAnswers": {"review", "admin"},
    "Records.CountSightings": {"read", "review", "admin"},
    "Records.ForgetPlate": {"admin"},
    "Records.GetSeal": {"read", "review", "admin"},
    "Records.ListTraining": {"review", "admin"},
    "Records.CountTraining": {"review", "admin"},
    "Review.NextSighting": {"review", "admin"},
    "Review.AnswerSighting": {"review", "admin"},
}
"""Who may call what. A method that is not here fails the test: decide who may call it."""
ROLES = tuple(role.value for role in Role)
TOKENS = {role: f"the-token-of-one-who-may-{role}" for role in ROLES}
SINGLE = "the-single-token-of-old"
IDLE_STREAMS = 200
"""A thousand were tried, which take longer to open than is good for a suite."""
IDLE_CONNECTIONS = 1000


class Served:
    """A server of every service, whose methods answer nothing."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - of ServerOptions
        self.health = Health((), time.monotonic)
        self.release = threading.Event()
        meter = PrometheusMeter("detector", SPECS, CollectorRegistry())

        def register(server: grpc.aio.Server) -> tuple[str, ...]:
            slow = grpc.unary_unary_rpc_method_handler(lambda _request, _context: self._wait())
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Slow", {"Slow": slow}),))
            return add_silent_services(server)

        self.server = GrpcServer(ServerOptions("127.0.0.1", 0, **options), register, self.health, meter)
        self.server.start()
        self.address = f"127.0.0.1:{self.server.port}"

    def _wait(self) -> bytes:
        self.release.wait(PLENTY_S)
        return b""

    def close(self) -> None:
        self.release.set()
        self.server.stop(0)


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[grpc.Channel]:
    entries = [f'[[clients]]\nname = "{role}"\nroles = ["{role}"]\ntoken = "{TOKENS[role]}"\n' for role in ROLES]
    file = tmp_path_factory.mktemp("clients") / "clients.toml"
    file.write_text("\n".join(entries), encoding="utf-8")
    with (
        closing(Served(callers=Callers(load_clients(file), SINGLE))) as served,
        grpc.insecure_channel(served.address) as channel,
    ):
        yield channel


def expected(name: str, role: str) -> grpc.StatusCode:
    return grpc.StatusCode.OK if role in DOORS[name] else grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("name", METHODS)
def test_every_method_answers_those_who_may_call_it_and_nobody_else(channel: grpc.Channel, name: str) -> None:
    assert name in DOORS, f"{name}: nobody has said who may call it"
    method: MethodDescriptor = METHODS[name]
    request = least_request(method)
    said = {role: call(channel, method, request, TOKENS[role]) for role in ROLES}
    assert said == {role: expected(name, role) for role in ROLES}
    assert call(channel, method, request) is grpc.StatusCode.UNAUTHENTICATED
    assert call(channel, method, request, "of-nobody-in-particular") is grpc.StatusCode.UNAUTHENTICATED
    assert call(channel, method, request, SINGLE) is grpc.StatusCode.OK


def test_bytes_that_are_no_request_are_the_caller_s_fault(
    channel: grpc.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    said = {name: call_with_bytes(channel, method, b"\xff" * 9, TOKENS["admin"]) for name, method in METHODS.items()}
    assert said == dict.fromkeys(METHODS, grpc.StatusCode.INVALID_ARGUMENT)
    assert "internal fault" not in caplog.text


def test_the_page_of_doors_says_what_the_calls_above_have_shown() -> None:
    page = Path("docs/doors.md").read_text(encoding="utf-8")
    assert page == doors_page(), "run make docs"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines()]
    methods = {name: cells for name, *cells in rows if name in METHODS}
    told = {
        name: {role for role, may in zip(ROLES, cells, strict=False) if may == "yes"} for name, cells in methods.items()
    }
    assert told == DOORS


def test_a_method_of_no_role_needs_an_admin() -> None:
    assert door_of("/test.Slow/Slow").role is Role.ADMIN
    assert set(DOORS) == set(METHODS)


def test_out_of_bounds_is_said_by_every_service(channel: grpc.Channel) -> None:
    for name, method in METHODS.items():
        request = least_request(method)
        field = next((f for f in method.input_type.fields if f.type == f.TYPE_STRING and not f.is_repeated), None)
        if field is not None:
            setattr(request, field.name, "A" * 1000)
            assert call(channel, method, request, SINGLE) is grpc.StatusCode.INVALID_ARGUMENT, name


def test_reflection_is_for_known_callers(channel: grpc.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.ServerReflectionInfo(iter([ask]), timeout=PLENTY_S))
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    known = (("authorization", f"Bearer {TOKENS['check']}"),)
    (answer,) = stub.ServerReflectionInfo(iter([ask]), timeout=PLENTY_S, metadata=known)
    assert "roadside.v1.Plates" in {service.name for service in answer.list_services_response.service}


def test_reflection_can_be_off() -> None:
    with closing(Served(reflection=False)) as served, grpc.insecure_channel(served.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest()]), timeout=PLENTY_S))
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_certificate_is_as_good_as_a_token(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority").create()
    server, kiosk, other = (authority.sign(name) for name in ("server", "kiosk", "other"))
    callers = Callers([Client("kiosk", frozenset({Role.CHECK}), certificate="kiosk")])
    files = {"certificate_file": server.certificate, "key_file": server.key, "ca_file": authority.certificate}
    with closing(Served(callers=callers, **files)) as served:
        said = {}
        for shown in (kiosk, other):
            credentials = grpc.ssl_channel_credentials(
                authority.certificate.read_bytes(), shown.key.read_bytes(), shown.certificate.read_bytes()
            )
            with grpc.secure_channel(served.address, credentials) as channel:
                for name in ("Registry.Check", "Registry.ImportVignettes"):
                    method = METHODS[name]
                    said[shown.key.stem.removeprefix("authority-"), name] = call(channel, method, least_request(method))
    assert said == {
        ("kiosk", "Registry.Check"): grpc.StatusCode.OK,
        ("kiosk", "Registry.ImportVignettes"): grpc.StatusCode.PERMISSION_DENIED,
        ("other", "Registry.Check"): grpc.StatusCode.UNAUTHENTICATED,
        ("other", "Registry.ImportVignettes"): grpc.StatusCode.UNAUTHENTICATED,
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"\[\[clients\]\]"),
        ("x = 1", r"\[\[clients\]\]"),
        ("[[clients]\n", "line 1"),
        ('[[clients]]\nname = "a"\nroles = ["read"]\ntoken = "short-secret"', "at least 16 characters"),
        ('[[clients]]\nname = "a"\nroles = ["king"]\ntoken = "long-enough-secret"', "read, check, review, admin"),
        ('[[clients]]\nname = "a b"\nroles = ["read"]\ntoken = "long-enough-secret"', "name is"),
        ('[[clients]]\nname = "a"\nroles = ["read"]', "give one of"),
        ('[[clients]]\nname = "a"\nroles = ["read"]\ntoken = "long-enough-secret"\ncertificate = "a"', "give one of"),
        ('[[clients]]\nname = "a"\nroles = ["read"]\ntokn = "long-enough-secret"', "has only"),
        ('[[clients]]\nname = "a"\nroles = ["read"]\ntoken_file = "not-there-secret"', "cannot be read"),
        (
            "\n".join(f'[[clients]]\nname = "{n}"\nroles = ["read"]\ntoken = "long-enough-secret"' for n in "ab"),
            "the same token",
        ),
    ],
)
def test_a_wrong_file_of_clients_is_explained_without_its_secrets(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "clients.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as caught:
        load_clients(file)
    assert "secret" not in str(caught.value)


def hold(served: Served, kind: str, stop: threading.Event) -> tuple[grpc.Channel, object]:
    """A call on a connection of its own that sends nothing."""

    def nothing() -> Iterator[Any]:
        stop.wait()
        yield from ()

    channel = grpc.insecure_channel(served.address, [("grpc.use_local_subchannel_pool", 1)])
    match kind:
        case "reflection":
            return channel, reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(nothing())
        case "health":
            return channel, health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        case "upload":
            return channel, detector_pb2_grpc.DetectorStub(channel).StreamDetect.future(nothing())
        case "half":  # a call of one request that does not come
            return channel, channel.stream_unary("/roadside.v1.Detector/Detect").future(nothing())
        case _:
            return channel, channel.stream_unary("/grpc.health.v1.Health/Check").future(nothing())


@pytest.mark.parametrize("kind", ["reflection", "health", "upload", "half", "half health"])
def test_idle_streams_without_a_token_take_nothing_from_others(kind: str) -> None:
    stop = threading.Event()
    held = []
    with closing(Served(callers=Callers(token=SINGLE))) as served:
        try:
            held = [hold(served, kind, stop) for _ in range(IDLE_STREAMS)]
            for channel, _ in held:
                grpc.channel_ready_future(channel).result(PLENTY_S)
            method = METHODS["Detector.Detect"]
            with grpc.insecure_channel(served.address) as channel:
                assert call(channel, method, least_request(method), SINGLE) is grpc.StatusCode.OK
        finally:
            stop.set()
            for channel, _ in held:
                channel.close()


def test_idle_connections_take_nothing_from_others() -> None:
    with closing(Served(callers=Callers(token=SINGLE))) as served:
        host, port = served.address.split(":")
        connections = [socket.create_connection((host, int(port))) for _ in range(IDLE_CONNECTIONS)]
        try:
            method = METHODS["Detector.Detect"]
            with grpc.insecure_channel(served.address) as channel:
                assert call(channel, method, least_request(method), SINGLE) is grpc.StatusCode.OK
        finally:
            for connection in connections:
                connection.close()


def test_known_callers_with_idle_streams_leave_places_for_calls() -> None:
    stop = threading.Event()
    known = (("authorization", f"Bearer {SINGLE}"),)

    def nothing() -> Iterator[detector_pb2.StreamDetectRequest]:
        stop.wait()
        yield from ()

    with (
        closing(Served(callers=Callers(token=SINGLE), stream_threads=2)) as served,
        grpc.insecure_channel(served.address) as channel,
    ):
        stub = detector_pb2_grpc.DetectorStub(channel)
        calls = [stub.StreamDetect.future(nothing(), metadata=known) for _ in range(20)]
        wait_for(lambda: sum(one.done() for one in calls) == 18, "the refusal of those that find no place")
        assert {one.code() for one in calls if one.done()} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        method = METHODS["Detector.Detect"]
        assert call(channel, method, least_request(method), SINGLE) is grpc.StatusCode.OK
        stop.set()


def test_a_stream_that_sends_nothing_is_closed() -> None:
    stop = threading.Event()
    known = (("authorization", f"Bearer {SINGLE}"),)

    def nothing() -> Iterator[detector_pb2.StreamDetectRequest]:
        stop.wait()
        yield from ()

    with (
        closing(Served(callers=Callers(token=SINGLE), limits=Limits(idle_s=0.2))) as served,
        grpc.insecure_channel(served.address) as channel,
    ):
        for one in (
            detector_pb2_grpc.DetectorStub(channel).StreamDetect.future(nothing(), metadata=known),
            channel.stream_unary("/roadside.v1.Detector/Detect").future(nothing(), metadata=known),
        ):
            error = one.exception(PLENTY_S)
            assert isinstance(error, grpc.Call)
            assert error.code() is grpc.StatusCode.UNAVAILABLE
            assert "nothing was sent" in (error.details() or "")
        stop.set()


def test_one_address_has_only_so_many_calls() -> None:
    with (
        closing(Served(callers=Callers(token=SINGLE), limits=Limits(calls_per_peer=3))) as served,
        grpc.insecure_channel(served.address) as channel,
    ):
        slow = channel.unary_unary("/test.Slow/Slow")
        known = (("authorization", f"Bearer {SINGLE}"),)
        calls = [slow.future(b"", metadata=known) for _ in range(5)]
        wait_for(lambda: sum(one.done() for one in calls) == 2, "the refusal of two of five")
        assert {one.code() for one in calls if one.done()} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        served.release.set()
        wait_for(lambda: all(one.done() for one in calls), "the end of the others")
        assert call(channel, METHODS["Detector.Detect"], least_request(METHODS["Detector.Detect"]), SINGLE)


def test_health_watches_are_bounded() -> None:
    with closing(Served()) as served, grpc.insecure_channel(served.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(OPEN_CALLS_PER_PEER)]
        for watch in watches:
            assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            next(stub.Watch(health_pb2.HealthCheckRequest()))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert stub.Check(health_pb2.HealthCheckRequest(), timeout=PLENTY_S).status
        served.health.drain()
        served.server.tell_health()
        assert next(watches[0]).status == health_pb2.HealthCheckResponse.NOT_SERVING


def test_ready_tells_when_calls_are_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roadside.kit.grpc_server.NOT_SERVED_AFTER_S", NOT_SERVED_AFTER_S / 100)
    with closing(Served(threads=1)) as served, grpc.insecure_channel(served.address) as channel:
        held = channel.unary_unary("/test.Slow/Slow").future(b"")
        assert not served.health.missing()

        def told(missing: list[str]) -> bool:
            served.server.see_served()
            return served.health.missing() == missing

        wait_for(lambda: told(["grpc"]), "the word that calls wait")
        served.release.set()
        wait_for(lambda: told([]), "the word that calls are served again")
        held.result(PLENTY_S)


def test_calls_beyond_what_can_wait_are_refused() -> None:
    with (
        closing(Served(threads=1, limits=Limits(calls_per_peer=1000))) as served,
        grpc.insecure_channel(served.address) as channel,
    ):
        slow = channel.unary_unary("/test.Slow/Slow")
        calls = [slow.future(b"") for _ in range(60)]
        wait_for(lambda: any(one.done() for one in calls), "the refusal of one")
        refused = next(one for one in calls if one.done())
        assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        for one in calls:
            one.cancel()


def test_a_stub_of_the_real_service_meets_the_same_door(channel: grpc.Channel) -> None:
    stub = plates_pb2_grpc.PlatesStub(channel)
    method = METHODS["Plates.GetSighting"]
    with pytest.raises(grpc.RpcError, match="needs the role read"):
        stub.GetSighting(least_request(method), metadata=(("authorization", f"Bearer {TOKENS['check']}"),))
