"""What lies in the streams of a bus, seen past its code: for tests of whole clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis

from roadside.adapters.bus.redis_keys import Keys
from roadside.core.partitions import partition_of
from roadside.ports.bus import FRAMES, STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from roadside.ports.bus import Stream

FAULTS = (redis.RedisError, redis.exceptions.RedisClusterException)
"""What is raised while a server is away."""


@dataclass(frozen=True)
class BusView:
    """Of one Redis or a cluster, in partitions, with frames there or in a Redis of their own."""

    url: str
    frames_url: str = ""
    partitions: int = 1
    prefix: str = "roadside"

    def is_settled(self, cameras: Sequence[str]) -> bool:
        """Whether the recordings of these cameras were played to their end, and nothing is on its way any more."""
        with self._client(self.url) as ledger:
            for camera in cameras:
                keys = Keys.of_partition(self.prefix, partition_of(camera, self.partitions), self.partitions)
                if ledger.hget(keys.camera(camera), "ended") != b"1":
                    return False
        return not any(self._each("xlen"))

    def messages(self) -> dict[str, int]:
        """How many there ever were on each stream, as far as its server remembers."""
        return {stream.name: sum(self._each("added", [stream])) for stream in STREAMS}

    def dead_letters(self) -> int:
        """How many there are."""
        with self._client(self.url) as ledger:
            return sum(int(ledger.xlen(keys.dead[0])) for keys in self._keys())

    def _each(self, what: str, streams: Iterable[Stream[Any]] = STREAMS) -> Iterator[int]:
        for stream in streams:
            with self._client(self.frames_url if self.frames_url and stream == FRAMES else self.url) as client:
                for keys in self._keys():
                    key = keys.stream(stream)
                    if what == "xlen":
                        yield int(client.xlen(key))
                    elif client.exists(key):
                        yield int(client.xinfo_stream(key)["entries-added"])

    def _keys(self) -> Iterator[Keys]:
        for number in range(self.partitions):
            yield Keys.of_partition(self.prefix, number, self.partitions)

    def _client(self, url: str) -> Any:  # noqa: ANN401 - of redis-py, for one server or for many
        if "," not in url:
            return redis.Redis.from_url(url, socket_timeout=60)
        hosts = [host.rpartition(":") for host in url.removeprefix("redis://").split(",")]
        nodes: list[Any] = [redis.cluster.ClusterNode(host, int(port)) for host, _, port in hosts]  # type: ignore[no-untyped-call]
        return redis.RedisCluster(startup_nodes=nodes, socket_timeout=60, require_full_coverage=False)
