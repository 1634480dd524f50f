"""Ready means useful: services that run and can do nothing say so, with the reason, and say when it is over."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.system_clock import SystemClock
from roadside.core.events import SightingEvent
from roadside.core.frames import Box
from roadside.core.sightings import Picture, PictureKind, VerdictKind
from roadside.ports.bus import SIGHTINGS, Backlog
from roadside.wire.codec import ProtobufCodec
from tests.contract.test_store import sighting
from tests.ports import reserved_port
from tests.processes import Cluster, ServiceProcess
from tests.servers import RedisServer, redis_binary
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 2**20


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    server = RedisServer(redis_binary(), tmp_path / "redis", ("--maxmemory", "256mb"))
    server.start()
    cluster = Cluster(tmp_path, server.url, f"sqlite:///{tmp_path / 'roadside.db'}")
    try:
        yield cluster
    finally:
        cluster.stop()
        server.stop()


def reasons(process: ServiceProcess) -> dict[str, str]:
    """Why /ready says no; nothing where nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{process.health_port}/ready", timeout=5) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
    except OSError:
        return {}
    return dict(json.loads(body).get("reasons", {}))


def test_a_capture_without_frames_is_not_ready(cluster: Cluster) -> None:
    capture = cluster.add("capture", cameras=f"gate=rtsp://127.0.0.1:{reserved_port()}/none", timeout_s="1")
    capture.start()
    wait_for(lambda: reasons(capture).get("frames") == "no frames of gate", "the reason")
    wait_for(lambda: capture.value("roadside_capture_missing_state", part="frames") == 1, "the metric")
    assert capture.missing() == ["frames"]
    assert capture.value("roadside_capture_missing_state", part="bus") == 0
    assert capture.value("roadside_capture_redis_limit_bytes") == 256 * MIB
    assert capture.probe("live") == 200, "to start it anew would not bring the camera back"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=3m", "none", str(folder)]
    if os.getuid() != 0 or subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("only who may mount a disk can fill one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_plates_on_a_full_disk_is_not_ready_and_loses_nothing(cluster: Cluster, small_disk: Path) -> None:
    cluster.command("database", "migrate")
    cluster.settings["ROADSIDE_EVIDENCE"] = str(small_disk)
    plates = cluster.add("plates")
    plates.start()
    wait_for(lambda: "is full" in reasons(plates).get("disk", ""), "a disk that is told to be full")
    bus = RedisStreams(RedisOptions(cluster.redis_url, "test"), ProtobufCodec(), SystemClock())
    for number in range(4):
        picture = Picture(PictureKind.FRAME, "image/jpeg", os.urandom(MIB), Box(0, 0, 10, 10))
        seen = sighting(f"s{number}", VerdictKind.UNPAID, SystemClock().now_ns())
        bus.publish(SIGHTINGS, SightingEvent(seen, (picture,)))
    wait_for(lambda: "No space left" in reasons(plates).get("work", ""), "a reason")
    assert "work" in plates.missing()
    wait_for(lambda: plates.value("roadside_plates_missing_state", part="work") == 1, "the metric")
    assert bus.backlog(SIGHTINGS) != Backlog(0, 0), "it waits"
    assert plates.probe("live") == 200
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    wait_for(lambda: bus.backlog(SIGHTINGS) == Backlog(0, 0), "everything stored")
    plates.wait_ready()
    assert plates.value("roadside_plates_sightings_total") == 4
    bus.close()
