"""Redis with the users that the manifests give it: nobody else is let in, and nothing is forgotten."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import redis

from roadside.ports.bus import CROPS, READS, Output
from tests.integration.test_redis_partitions import connect, read_of
from tests.manifests.documents import K3S
from tests.notes import GATE
from tests.servers import RedisServer, redis_binary, valkey_binary
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("binary", [redis_binary(), valkey_binary()], ids=["redis", "valkey"])
def test_what_was_handed_over_is_there_after_a_restart(binary: str, tmp_path: Path) -> None:
    drawn = (str(K3S / "make-secrets"), "--only", "redis", "--files", str(tmp_path / "secrets"))
    subprocess.run(["bash", *drawn], check=True)
    options = ("--appendonly", "yes", "--aclfile", str(tmp_path / "secrets" / "redis-acl" / "users.acl"))
    server = RedisServer(binary, tmp_path / "redis", options)
    server.start()
    try:
        url = (tmp_path / "secrets" / "redis" / "url").read_text()
        bus = connect(url.replace("redis.roadside:6379", f"127.0.0.1:{server.port}"))
        bus.publish(CROPS, read_of(GATE))
        bus.publish(CROPS, read_of(GATE, 1))
        (first,) = bus.receive(CROPS, max_messages=1, block_s=0)
        assert bus.commit([first.receipt], [Output(READS, read_of(GATE))])
        server.stop()
        server.start(wait=False)
        wait_for(server.answers, "the server")
        assert [bus.backlog(stream).waiting for stream in (CROPS, READS)] == [1, 1]
        with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        server.stop()
