"""`roadside streams form-cluster`: one Redis cluster of real nodes, made, left alone, and mended."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import redis

from roadside.cli import main
from roadside.ports.bus import READS
from tests.integration.test_redis_partitions import connect, read_of
from tests.manifests.documents import K3S
from tests.notes import GATE
from tests.ports import reserved_port
from tests.servers import RedisCluster
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYTHING = "user test on >sees-all ~* &* +@all\n"
PORT = re.compile(r"redis-cluster-\d\.redis-cluster\.roadside:6379")


@dataclass(frozen=True, slots=True)
class World:
    cluster: RedisCluster
    secrets: Path
    """What `k3s/make-secrets` drew."""

    def url(self, secret: str) -> str:
        """An address of the secrets, of the nodes of this test."""
        ports = iter(node.port for node in self.cluster.nodes)
        return PORT.sub(lambda _: f"127.0.0.1:{next(ports)}", (self.secrets / secret / "url").read_text())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Six nodes that know nothing of one another, with the users that the manifests give them."""
    secrets = tmp_path / "secrets"
    drawn = (str(K3S / "make-secrets"), "--only", "redis", "--redis-cluster", "--files", str(secrets))
    subprocess.run(["bash", *drawn], check=True)
    users = tmp_path / "users.acl"
    users.write_text((secrets / "redis-acl" / "users.acl").read_text() + EVERYTHING)
    options = ("--include", str(secrets / "redis-acl" / "nodes.conf"), "--aclfile", str(users), "--appendonly", "yes")
    cluster = RedisCluster(tmp_path / "cluster", replicas=1, options=options, node_timeout_s=5)
    try:
        cluster.launch()
        yield World(cluster, secrets)
    finally:
        cluster.stop()


def form(world: World, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["streams", "form-cluster", "--redis-url", world.url("redis-forming")]) == 0
    return capsys.readouterr().out.splitlines()


def shares(cluster: RedisCluster) -> list[str]:
    """What each node says of itself: its flags and slots."""
    said = []
    for node in cluster.nodes:
        with redis.Redis(port=node.port, username="test", password="sees-all") as client:  # noqa: S106 - a test's
            answer = client.execute_command("CLUSTER", "NODES").decode()
        (mine,) = [line.split(" ") for line in answer.splitlines() if "myself" in line]
        said.append(" ".join([mine[2].removeprefix("myself,"), *mine[8:]]))
    return said


def test_six_nodes_become_a_cluster_once_and_find_one_another_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = world.cluster
    told = form(world, capsys)
    assert told[-1] == "the cluster is whole"
    assert sum("slots" in line for line in told) == 3
    assert sum("replica of" in line for line in told) == 3
    made = shares(nodes)
    assert sorted(made) == ["master 0-5460", "master 10922-16383", "master 5461-10921", "slave", "slave", "slave"]
    assert form(world, capsys) == ["the cluster is whole"], "whatever is there is left alone"
    bus = connect(world.url("redis"), timeout_s=5, replicas=1)
    assert bus.publish(READS, read_of(GATE))
    assert not bus.unconfirmed(), "its replica has it, too"
    bus.close()
    for node in nodes.nodes:  # all lose their address at once, as pods do when the power comes back
        node.stop()
    for node in nodes.nodes:
        node.port = reserved_port()
        node.start(wait=False)
    for node in nodes.nodes:
        wait_for(node.answers, f"node on port {node.port}")
    told = form(world, capsys)
    assert told[-1] == "the cluster is whole"
    assert {re.sub(r"127\.0\.0\.1", "", line) for line in told[:-1]} <= {": meets "}
    assert shares(nodes) == made
    assert connect(world.url("redis"), timeout_s=5).backlog(READS).waiting == 1


def test_too_few_nodes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["streams", "form-cluster", "--redis-url", "redis://127.0.0.1:1,127.0.0.1:2"]) == 2
    assert "three masters, each with 1 replicas, are 6" in capsys.readouterr().err


def test_whoever_may_not_form_a_cluster_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["streams", "form-cluster", "--redis-url", world.url("redis")]) == 2
    assert "refuses this user" in capsys.readouterr().err
