"""The services as processes, with a real Redis: a clip goes in, sightings come out, and they are good citizens."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from itertools import islice
from typing import TYPE_CHECKING

import cv2
import grpc
import numpy as np
import pytest
import redis
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from roadside.assembly.services import SERVICES
from roadside.client import AsyncPlatesClient, PlatesClient, RegistryClient, SightingFilter
from roadside.core.events import EncodedPicture, FrameEvent, PictureEncoding
from roadside.core.frames import CameraId
from roadside.core.sightings import PictureKind, VerdictKind
from roadside.errors import InputError, NotFoundError
from roadside.kit.metrics import Kind, full_name
from roadside.v1 import (
    capture_pb2,
    capture_pb2_grpc,
    detector_pb2,
    detector_pb2_grpc,
    ocr_pb2,
    ocr_pb2_grpc,
    plates_pb2,
    plates_pb2_grpc,
    registry_pb2,
    registry_pb2_grpc,
    types_pb2,
)
from roadside.wire.codec import encode_frame
from roadside.wire.convert import sighting_to_proto
from roadside.wire.pictures import TravellingPicture
from tests.pictures_hostile import claiming_jpeg
from tests.ports import reserved_port
from tests.processes import PREFIX, STREAMS, Cluster
from tests.servers import RedisServer, redis_binary
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roadside.core.sightings import Sighting

ON_THE_WAY = tuple(service for service in SERVICES if service.name != "console")
"""The console is no part of a plate's way, and has tests of its own."""
PLATE = "LS15EBC"
LOOPS = 2
TOKEN = "a-token-of-some-length"  # noqa: S105 - of a test
PASSAGE_TIMEOUT_S = 500.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, photographs: Path) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    redis_server = RedisServer(redis_binary(), folder / "redis", ("--appendonly", "yes"))
    cluster = Cluster(folder, redis_server.url, f"sqlite:///{folder / 'roadside.db'}")
    try:
        redis_server.start()
        cluster.command("database", "migrate")
        vignettes = folder / "vignettes.csv"
        vignettes.write_text("plate,country,valid_from,valid_to\nAB12CDE,UK,2020-01-01,2099-12-31\n")
        cluster.command("registry", "import", str(vignettes))
        source = photographs / "clips" / "uk_ls15ebc.mp4"
        cluster.add(
            "capture", cameras=f"north={source}; south={source}", loops=str(LOOPS), publish_fps="8", recorded_at="now"
        )
        for service in ("detector", "ocr", "registry", "plates"):
            cluster.add(service)
        cluster.add("notify", notify=str(channels(folder)), notify_secrets=str(folder))
        cluster.start()
        yield cluster
        codes = cluster.stop()
        assert set(codes.values()) == {0}, f"SIGTERM ends every service well: {codes}"
    finally:
        cluster.stop()
        redis_server.stop()


def channels(folder: Path) -> Path:
    """A file that names a webhook where nobody listens: metrics and log tell of it all the same."""
    (folder / "HOOK_SECRET").write_text("of this test")
    path = folder / "notify.toml"
    hook = (
        'name = "hook"',
        f'url = "http://127.0.0.1:{reserved_port()}/"',
        'secret_env = "HOOK_SECRET"',
        "with_plate = true",
    )
    path.write_text("\n".join(("[[webhook]]", *hook)))
    return path


def address(cluster: Cluster, service: str) -> str:
    return f"127.0.0.1:{cluster.services[service].grpc_port}"


@pytest.fixture(scope="module")
def passages(cluster: Cluster) -> list[Sighting]:
    """All sightings of the clip, played twice before two cameras."""
    with PlatesClient(address(cluster, "plates")) as client:
        wait_for(lambda: cluster.is_settled(("north", "south")), "end of the recordings", PASSAGE_TIMEOUT_S)
        return list(client.sightings())


def test_every_passage_is_one_sighting(passages: list[Sighting]) -> None:
    seen = sorted((s.camera_id, s.plate.text if s.plate else None) for s in passages)
    assert seen == [("north", PLATE)] * LOOPS + [("south", PLATE)] * LOOPS
    assert all(s.verdict.kind in {VerdictKind.UNPAID, VerdictKind.REVIEW} for s in passages)


def test_pages_and_filters_find_the_same(cluster: Cluster, passages: list[Sighting]) -> None:
    with PlatesClient(address(cluster, "plates")) as client:
        assert [s.sighting_id for s in client.sightings(page_size=1)] == [s.sighting_id for s in passages]
        north = list(client.sightings(SightingFilter(camera_id="north")))
        assert len(north) == LOOPS
        assert len(list(client.sightings(SightingFilter(plate_prefix="LS15")))) == len(passages)
        assert len(list(client.sightings(SightingFilter(plate_like="LS15EBX")))) == len(passages)
        assert not list(client.sightings(SightingFilter(plate_like="XX99XXX")))
        newest = passages[0]
        later = SightingFilter(since_ns=newest.last_seen_ns)
        assert [s.sighting_id for s in client.sightings(later)] == [newest.sighting_id]
        assert sighting_to_proto(client.sighting(newest.sighting_id)) == sighting_to_proto(newest)


def test_evidence_is_what_its_digest_says(cluster: Cluster, passages: list[Sighting]) -> None:
    with PlatesClient(address(cluster, "plates")) as client:
        for evidence in passages[0].evidence:
            data = client.evidence(passages[0].sighting_id, evidence.kind)
            assert hashlib.sha256(data).hexdigest() == evidence.sha256
        assert {e.kind for e in passages[0].evidence} == {PictureKind.CROP, PictureKind.FRAME, PictureKind.STRIP}


def test_errors_tell_what_is_wrong(cluster: Cluster) -> None:
    with PlatesClient(address(cluster, "plates")) as client:
        with pytest.raises(NotFoundError):
            client.sighting("no such sighting")
        with pytest.raises(InputError):
            next(client.sightings(page_size=100_000))


def test_a_watch_resumes_after_a_known_sighting(cluster: Cluster, passages: list[Sighting]) -> None:
    by_storing = sorted(passages, key=lambda s: s.sequence)
    with PlatesClient(address(cluster, "plates")) as client:
        rest = list(islice(client.watch(after=by_storing[0].sighting_id), len(passages) - 1))
    assert [s.sighting_id for s in rest] == [s.sighting_id for s in by_storing[1:]]


def test_the_async_client_sees_the_same(cluster: Cluster, passages: list[Sighting]) -> None:
    async def look() -> tuple[list[str], str]:
        async with AsyncPlatesClient(address(cluster, "plates")) as client:
            listed = [s.sighting_id async for s in client.sightings()]
            after = min(passages, key=lambda s: s.sequence).sighting_id
            async for sighting in client.watch(after=after):
                return listed, sighting.sighting_id
        raise AssertionError("the watch ended")

    listed, watched = asyncio.run(look())
    assert listed == [s.sighting_id for s in passages]
    assert watched == sorted(passages, key=lambda s: s.sequence)[1].sighting_id


def test_the_registry_answers(cluster: Cluster) -> None:
    with RegistryClient(address(cluster, "registry")) as client:
        assert client.check("ab12 cde", "UK").verdict is VerdictKind.PAID
        assert [c.verdict for c in client.check_all([("AB12CDE", "UK"), (PLATE, "UK")])] == [
            VerdictKind.PAID,
            VerdictKind.UNPAID,
        ]
        with pytest.raises(InputError):
            client.check("--")


def test_health_over_http_and_grpc(cluster: Cluster) -> None:
    for process in cluster.services.values():
        assert process.probe("live") == 200
        assert process.probe("ready") == 200
        with grpc.insecure_channel(f"127.0.0.1:{process.grpc_port}") as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PLENTY_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_shows_every_service(cluster: Cluster) -> None:
    names = {"capture": "Capture", "detector": "Detector", "ocr": "Ocr", "registry": "Registry", "plates": "Plates"}
    for service, name in names.items():
        with grpc.insecure_channel(address(cluster, service)) as channel:
            assert f"roadside.v1.{name}" in ProtoReflectionDescriptorDatabase(channel).get_services()


def test_metrics_tell_of_the_way(cluster: Cluster, passages: list[Sighting]) -> None:
    capture, detector = cluster.services["capture"], cluster.services["detector"]
    published = capture.value("roadside_capture_frames_total")
    assert published > 0
    assert detector.value("roadside_detector_frames_total") == published
    assert capture.value("roadside_capture_frames_dropped_total", reason="backlog") == 0
    plates = cluster.services["plates"]
    assert plates.value("roadside_plates_sightings_total") == len(passages)
    assert plates.value("roadside_plates_capture_to_stored_seconds_count") == len(passages)
    assert cluster.services["registry"].value("roadside_registry_leader_state") == 1


def test_no_plate_in_logs_or_metrics(cluster: Cluster, passages: list[Sighting]) -> None:
    assert passages
    for process in cluster.services.values():
        assert PLATE not in process.log.read_text()
        assert PLATE not in process.metrics()
        assert process.log_lines(), "one JSON object a line"


def test_a_token_is_asked_for_and_a_second_replica_shares_the_streams(cluster: Cluster) -> None:
    guarded = cluster.add("plates", "plates-guarded", token=TOKEN)
    guarded.start()
    guarded.wait_ready()
    with PlatesClient(f"127.0.0.1:{guarded.grpc_port}") as client, pytest.raises(InputError, match="authorization"):
        next(client.sightings())
    with PlatesClient(f"127.0.0.1:{guarded.grpc_port}", token=TOKEN) as client:
        assert next(client.sightings()).sighting_id
    assert guarded.stop() == 0


def test_sigterm_ends_a_watch_with_a_word(cluster: Cluster, passages: list[Sighting]) -> None:
    assert passages
    ended = cluster.add("plates", "plates-ending")
    ended.start()
    ended.wait_ready()
    codes: list[grpc.StatusCode] = []

    def watch() -> None:
        with grpc.insecure_channel(f"127.0.0.1:{ended.grpc_port}") as channel:
            answers = plates_pb2_grpc.PlatesStub(channel).WatchSightings(plates_pb2.WatchSightingsRequest())
            with pytest.raises(grpc.RpcError):
                list(answers)
            codes.append(answers.code())

    thread = threading.Thread(target=watch)
    thread.start()
    wait_for(lambda: ended.value("roadside_plates_watchers_count") == 1, "a watcher")
    assert ended.stop() == 0
    thread.join(PLENTY_S)
    assert codes == [grpc.StatusCode.UNAVAILABLE]


def jpeg_bomb() -> bytes:
    """A picture of 65500 x 65500 pixels in a few hundred bytes: 12 GB when decoded."""
    data = bytearray(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65500, 65500)
    return bytes(data)


def poison() -> list[tuple[str, bytes]]:
    """Stream and payload of messages that no service can handle."""

    def frame(data: bytes) -> bytes:
        picture = EncodedPicture(PictureEncoding.JPEG, data)
        return encode_frame(FrameEvent(CameraId("poisoned"), time.time_ns(), 1, TravellingPicture(picture)))

    good = cv2.imencode(".jpg", np.full((64, 64, 3), 128, np.uint8))[1].tobytes()
    dot = cv2.imencode(".jpg", np.zeros((1, 1, 3), np.uint8))[1].tobytes()
    noise = np.random.default_rng(9).bytes(2000)
    frames = [noise, frame(good)[:-200], frame(b"\xff\xd8" + bytes(50_000_000)), frame(jpeg_bomb()), frame(dot)]
    frames.append(frame(claiming_jpeg(30_000, 30_000)))
    others = [(stream, payload) for stream in ("crops", "reads", "sightings") for payload in (noise, frame(good))]
    return [*(("frames", payload) for payload in frames), *others]


def test_poison_stops_nothing_and_ends_as_dead_letters(cluster: Cluster, passages: list[Sighting]) -> None:
    assert passages
    messages = poison()
    client = redis.Redis.from_url(cluster.redis_url, socket_timeout=120)
    for number, (stream, payload) in enumerate(messages):
        entry = {"c": "poisoned", "t": time.time_ns(), "i": str(number), "p": payload}
        client.xadd(PREFIX + stream, entry)  # type: ignore[arg-type]
    wait_for(lambda: client.xlen(PREFIX + "dead") == len(messages), "every dead letter", 300)
    assert not any(client.xlen(PREFIX + stream) for stream in STREAMS)
    client.close()
    for process in cluster.services.values():
        assert process.process is not None
        if process.process.poll() is None:
            assert process.probe("ready") == 200

    listed = cluster.command("dead-letters", "list").stdout.splitlines()
    assert len(listed) == len(messages) + 1
    assert sum("frames" in line for line in listed) == 6
    assert any("pixels a side are taken" in line for line in listed)
    assert any("too many pixels" in line for line in listed)
    first = listed[0].split()[0]
    told = [json.loads(line) for line in cluster.command("dead-letters", "list", "--json").stdout.splitlines()]
    assert [letter["id"] for letter in told] == [line.split()[0] for line in listed[:-1]]
    assert cluster.command("dead-letters", "replay", first).stdout == "1 replayed\n"
    wait_for(
        lambda: len(cluster.command("dead-letters", "list").stdout.splitlines()) == len(messages) + 1,
        "the replayed one to die again",
        300,
    )
    assert cluster.command("dead-letters", "drop", "--all").stdout == f"{len(messages)} dropped\n"
    assert cluster.command("dead-letters", "list").stdout == "no dead letters\n"
    assert cluster.command("dead-letters", "drop", first, check=False).returncode == 2


def test_prometheus_finds_every_metric(cluster: Cluster, passages: list[Sighting], tmp_path: Path) -> None:
    """Debian's Prometheus scrapes the services; every metric that is documented has a value in a query."""
    assert passages
    ask_everything(cluster)
    jobs = [
        {
            "job_name": service.name,
            "static_configs": [{"targets": [f"127.0.0.1:{cluster.services[service.name].metrics_port}"]}],
        }
        for service in ON_THE_WAY
    ]
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "5s"}, "scrape_configs": jobs}))
    port = reserved_port()
    prometheus = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def found(expression: str) -> int:
        address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        try:
            with urllib.request.urlopen(address, timeout=PLENTY_S) as answer:
                reply = json.load(answer)
        except OSError:
            return 0
        assert reply["status"] == "success"
        return len(reply["data"]["result"])

    try:
        wait_for(lambda: found("up == 1") == len(ON_THE_WAY), "Prometheus to scrape all", 300)
        names = [
            full_name(service.name, spec) + ("_count" if spec.kind is Kind.HISTOGRAM else "")
            for service in ON_THE_WAY
            for spec in service.metrics
        ]
        assert len(names) > 50
        wait_for(lambda: [name for name in names if not found(name)] == [], "every metric in Prometheus", every_s=1.0)
    finally:
        prometheus.terminate()
        prometheus.wait(PLENTY_S)


def ask_everything(cluster: Cluster) -> None:
    """One call to every service, so that every gRPC metric has a value."""
    picture = types_pb2.Picture(
        encoding=types_pb2.PICTURE_ENCODING_JPEG,
        data=cv2.imencode(".jpg", np.full((64, 64, 3), 128, np.uint8))[1].tobytes(),
    )
    with grpc.insecure_channel(address(cluster, "capture")) as channel:
        stub = capture_pb2_grpc.CaptureStub(channel)
        cameras = stub.ListCameras(capture_pb2.ListCamerasRequest()).cameras
        assert [c.camera_id for c in cameras] == ["north", "south"]
        assert all(c.state == capture_pb2.CAMERA_STATE_ENDED for c in cameras)
        assert stub.Snapshot(capture_pb2.SnapshotRequest(camera_id="north")).picture.data.startswith(b"\xff\xd8")
        assert stub.GetStatus(capture_pb2.GetStatusRequest(camera_id="north")).status.frames_published > 0
        with pytest.raises(grpc.RpcError, match="no camera"):
            stub.Snapshot(capture_pb2.SnapshotRequest(camera_id="nowhere"))
    with grpc.insecure_channel(address(cluster, "detector")) as channel:
        detector_pb2_grpc.DetectorStub(channel).Detect(detector_pb2.DetectRequest(picture=picture))
    with grpc.insecure_channel(address(cluster, "ocr")) as channel:
        request = ocr_pb2.ReadRequest(crops=[ocr_pb2.PlateCrop(picture=picture)])
        assert len(ocr_pb2_grpc.OcrStub(channel).Read(request).reads) == 1
    with grpc.insecure_channel(address(cluster, "registry")) as channel:
        stub_registry = registry_pb2_grpc.RegistryStub(channel)
        answer = stub_registry.ImportVignettes(
            registry_pb2.ImportVignettesRequest(csv_chunk=chunk)
            for chunk in (b"plate,country,valid_from,valid_to\nZZ", b"99ZZZ,UK,2020-01-01,2099-12-31\n,,,\n")
        )
        assert (answer.imported_count, answer.rejected_count) == (1, 1)
    with RegistryClient(address(cluster, "registry")) as client:
        assert client.check("ZZ99ZZZ").verdict is VerdictKind.PAID
    with PlatesClient(address(cluster, "plates")) as client:
        next(client.sightings())
