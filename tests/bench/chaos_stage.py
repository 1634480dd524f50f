"""What a chaos run kills: Redis or a cluster of it, PostgreSQL, S3, and the services on them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from roadside.adapters.sql import open_database
from roadside.client import PlatesClient
from roadside.core.partitions import partition_of
from roadside.core.sightings import PictureKind
from tests.bench.chaos_outcome import UNDECIDED, Seen
from tests.bench.chaos_scene import ENDS_AT_ONCE, import_lists
from tests.buses import FAULTS, BusView
from tests.processes import Cluster
from tests.servers import PostgresServer, RedisCluster, RedisServer, S3Server, redis_binary
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CAMERAS = ("north", "south")
CLUSTER_CAMERAS = ("north", "south", "east", "west")
KEEPING = ("--appendonly", "yes", "--appendfsync", "always")
SERVICES = ("capture", "detector", "ocr", "registry", "plates")
REPLICAS = {"detector": 3, "ocr": 2, "registry": 2, "plates": 2}
"""In a cluster."""
PARTITIONS = 16
NODE_TIMEOUT_S = 5.0
SETTLE_TIMEOUT_S = 1800.0
"""After so long without a new message nothing more is waited for: a busy machine may take its time."""
_SIGHTINGS = (
    "SELECT sighting_id, camera_id, first_seen_ns, last_seen_ns, verdict, reasons FROM sightings ORDER BY sequence"
)
_CHANGES = "SELECT sighting_id, before, after FROM verdict_changes ORDER BY change_id"
_DIGESTS = "SELECT kind, sha256 FROM evidence WHERE sighting_id = :id"


@dataclass
class OneRedis:
    """A single server with a file, which holds everything."""

    folder: Path
    servers: dict[str, RedisServer] = field(init=False)
    settings: dict[str, str] = field(default_factory=dict)
    """Of the services, beside the address."""

    def __post_init__(self) -> None:
        self.servers = {"redis": RedisServer(redis_binary(), self.folder / "redis", KEEPING)}
        self.servers["redis"].start()

    @property
    def view(self) -> BusView:
        return BusView(self.servers["redis"].url)

    def lose_one(self) -> str:
        """There is none to spare."""
        return "none"


@dataclass
class RedisNodes:
    """Three masters and three replicas for what was seen, and a server without a file for frames."""

    folder: Path
    cluster: RedisCluster = field(init=False)
    frames: RedisServer = field(init=False)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.cluster = RedisCluster(self.folder / "cluster", replicas=1, options=KEEPING, node_timeout_s=NODE_TIMEOUT_S)
        self.cluster.start()
        self.frames = RedisServer(redis_binary(), self.folder / "frames")
        self.frames.start()

    @property
    def view(self) -> BusView:
        return BusView(self.cluster.url, self.frames.url, PARTITIONS)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "ROADSIDE_FRAMES_REDIS_URL": self.frames.url,
            "ROADSIDE_REDIS_PARTITIONS": str(PARTITIONS),
            "ROADSIDE_REDIS_REPLICAS": "1",
        }

    @property
    def servers(self) -> dict[str, RedisServer]:
        named = {f"node-{number}": node for number, node in enumerate(self.cluster.nodes)}
        return {name: node for name, node in (named | {"frames": self.frames}).items() if name not in self.gone}

    def lose_one(self) -> str:
        """A master of which a replica is up to date, as it is on most days, is killed and does not come back."""
        wait_for(self.cluster.is_whole, "a cluster that is whole", SETTLE_TIMEOUT_S, every_s=0.2)
        home = partition_of(CLUSTER_CAMERAS[0], PARTITIONS)
        master = self.cluster.master_of(f"{{roadside:{home}}}")
        master.kill()
        name = next(name for name, server in self.servers.items() if server is master)
        self.gone.add(name)
        return name


@dataclass
class Stage:
    """Redis, PostgreSQL and the services for one run; `start` starts the services."""

    folder: Path
    clip: Path
    loops: int
    clustered: bool = False
    bus: OneRedis | RedisNodes = field(init=False)
    postgres: PostgresServer = field(init=False)
    pictures: S3Server | None = field(init=False, default=None)
    """Where evidence is kept; without it in a folder."""
    cluster: Cluster = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bus = RedisNodes(self.folder) if self.clustered else OneRedis(self.folder)
        self.postgres = PostgresServer(Path(tempfile.mkdtemp(prefix="roadside-postgres-")) / "server")
        self.postgres.folder.parent.chmod(0o755)  # the user postgres must get through
        self.postgres.create()
        self.postgres.start()
        settings = {"ROADSIDE_CLAIM_AFTER_S": "10", "ROADSIDE_LOG_LEVEL": "info", **self.bus.settings}
        # What a Redis of frames forgot is waited for so long; on a busy machine a capture takes a minute to start.
        settings["ROADSIDE_CAMERA_SILENCE_S"] = "300"
        if self.clustered:
            self.pictures = S3Server(self.folder / "s3")
            self.pictures.start()
            settings |= _bucket(self.pictures)
        settings |= ENDS_AT_ONCE
        self.cluster = Cluster(self.folder, self.bus.view.url, self.postgres.url, settings)
        self.cluster.command("database", "migrate")
        for service in SERVICES[1:]:
            for number in range(REPLICAS[service] if self.clustered else 1):
                name = f"{service}-{number}" if self.clustered else service
                self.cluster.add(service, name, **({"recheck_every_s": "5"} if service == "plates" else {}))

    def start(self, paid_for_s: float) -> int:
        """Start the services and then the cameras; the moment at which the vignette ends, `paid_for_s` later, in ns."""
        self.cluster.start(SETTLE_TIMEOUT_S)
        paid_until_ns = time.time_ns() + round(paid_for_s * 1e9)
        database = open_database(self.postgres.url)
        import_lists(database, paid_until_ns)
        database.close()
        sources = "; ".join(f"{camera}={self.clip}" for camera in self.cameras)
        self.cluster.add("capture", cameras=sources, loops=str(self.loops), recorded_at="now")
        self.cluster.start(SETTLE_TIMEOUT_S)
        return paid_until_ns

    @property
    def servers(self) -> dict[str, RedisServer | S3Server]:
        """All that may be killed but PostgreSQL, by name."""
        return {**self.bus.servers, **({"s3": self.pictures} if self.pictures else {})}

    @property
    def cameras(self) -> tuple[str, ...]:
        return CLUSTER_CAMERAS if self.clustered else CAMERAS

    def sightings(self) -> list[Seen]:
        database = open_database(self.postgres.url)
        try:
            with database.read() as connection:
                rows = connection.execute(text(_SIGHTINGS)).all()
                changes = connection.execute(text(_CHANGES)).all()
        finally:
            database.close()
        told: dict[str, tuple[str, ...]] = {}
        for sighting_id, before, after in changes:
            told[sighting_id] = (*told.get(sighting_id, (before,)), after)
        return [
            Seen(
                row.sighting_id,
                row.camera_id,
                row.first_seen_ns,
                row.last_seen_ns,
                row.verdict,
                json.loads(row.reasons)["rule"],
                told.get(row.sighting_id, (row.verdict,)),
            )
            for row in rows
        ]

    def is_settled(self) -> bool:
        """Whether all was played, and nothing is on its way."""
        try:
            return self.bus.view.is_settled(self.cameras)
        except FAULTS:
            return False

    def messages(self) -> dict[str, int]:
        return self.bus.view.messages()

    def dead_letters(self) -> int:
        return self.bus.view.dead_letters()

    def unconfirmed(self) -> int:
        name = "unconfirmed_hand_overs_count"
        each = [p for p in self.cluster.services.values() if p.service != "capture"]
        return sum(int(process.value(f"roadside_{process.service}_{name}")) for process in each)

    def undecided(self) -> int:
        return sum(seen.verdict == UNDECIDED for seen in self.sightings())

    def stop(self) -> None:
        for service in self.cluster.services.values():
            with contextlib.suppress(AssertionError):
                service.stop()
        self.postgres.stop()
        for server in self.servers.values():
            server.stop()

    def shown(self, accused: Sequence[str]) -> int:
        """Of how many of these sightings plates gives a crop and a frame that have the digests stored with them."""
        service = next(process for process in self.cluster.services.values() if process.service == "plates")
        database = open_database(self.postgres.url)
        count = 0
        try:
            with PlatesClient(f"127.0.0.1:{service.grpc_port}") as plates, database.read() as connection:
                for sighting_id in accused:
                    digests = {row.kind: row.sha256 for row in connection.execute(text(_DIGESTS), {"id": sighting_id})}
                    count += _is_whole(plates, sighting_id, digests)
        finally:
            database.close()
        return count

    def verified(self) -> tuple[bool, str]:
        """Whether `roadside evidence verify` finds everything intact, and its last line."""
        done = self.cluster.command("evidence", "verify", check=False)
        return done.returncode == 0, (done.stdout.strip() or done.stderr.strip()).rpartition("\n")[2]


def _is_whole(plates: PlatesClient, sighting_id: str, digests: Mapping[str, str]) -> bool:
    """Whether there are a crop and a frame, each with its digest."""
    given = {kind: hashlib.sha256(plates.evidence(sighting_id, PictureKind(kind))).hexdigest() for kind in digests}
    return given == digests and set(digests) >= {PictureKind.CROP.value, PictureKind.FRAME.value}


def _bucket(server: S3Server) -> dict[str, str]:
    return {
        "ROADSIDE_EVIDENCE_S3_URL": server.url,
        "ROADSIDE_EVIDENCE_S3_BUCKET": server.bucket,
        "ROADSIDE_EVIDENCE_S3_ACCESS_KEY": server.access_key,
        "ROADSIDE_EVIDENCE_S3_SECRET_KEY": server.secret_key,
    }


def hands_on(stage: Stage, target: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """How to kill and to restart a target."""
    if target == "postgres":
        return stage.postgres.kill, lambda: restart_postgres(stage.postgres)
    server = stage.servers.get(target)
    if server is not None:
        return server.kill, lambda: server.start(wait=False)
    service = stage.cluster.services[target]
    return service.kill, service.start


def restart_postgres(server: PostgresServer) -> None:
    """The workers of the killed one hold its memory for a moment more."""

    def is_back() -> bool:
        if server.process is None or server.process.poll() is not None:
            server.start(wait=False)
            return False
        return server.answers()

    wait_for(is_back, "PostgreSQL after it was killed", every_s=0.2)
