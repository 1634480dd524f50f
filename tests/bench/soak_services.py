"""The services as a soak watches them: capture to plates over a Redis, one replica each."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.processes import Cluster
from tests.servers import RedisServer, redis_binary

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@contextlib.contextmanager
def watching_services(folder: Path, address: str) -> Iterator[Mapping[str, subprocess.Popen[bytes]]]:
    """The services as they watch the camera at `address`, and their Redis, by name; their records lie in `records`."""
    records = folder / "records"
    server = RedisServer(redis_binary(), folder / "redis", ("--appendonly", "yes"))
    server.start()
    cluster = Cluster(
        folder,
        server.url,
        f"sqlite:///{records / 'r.db'}",
        {"ROADSIDE_EVIDENCE": str(records / "evidence"), "ROADSIDE_KEYS": str(records / "keys.json")},
    )
    try:
        cluster.command("database", "migrate")
        for name in ("detector", "ocr", "registry", "plates"):
            cluster.add(name)
        cluster.start()
        cluster.add("capture", cameras=f"camera={address}")
        cluster.start()
        processes = {name: service.process for name, service in cluster.services.items()}
        yield {
            name: process for name, process in (*processes.items(), ("redis", server.process)) if process is not None
        }
    finally:
        cluster.stop()
        server.stop()
