"""The servers behind an address: one Redis, or the nodes of a Redis cluster, of which each holds some hash slots."""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import NoPermissionError, RedisClusterException
from redis.retry import Retry

from roadside.errors import SettingsError
from roadside.kit.addresses import MEND, server_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.bus.redis_options import RedisOptions

FAULTS = (redis.RedisError, RedisClusterException)
"""What redis-py raises; the latter is none of the former."""
LOOK_AGAIN_S = 0.5
"""Least time between two looks at which node of a cluster holds what."""
_ADDRESS = re.compile(r"(rediss?://(?:[^@]*@)?)([^/?]+)(.*)", re.DOTALL)


class Servers(Protocol):
    """Whoever holds keys."""

    def holding(self, tag: str) -> Any:  # noqa: ANN401 - redis-py types every answer as a union over two protocols
        """The server that holds the keys of a hash tag. Raises one of FAULTS where there is none."""
        ...

    def every(self) -> Sequence[Any]:
        """All that hold keys."""
        ...

    def failed(self) -> None:
        """A call to one of them failed: another may hold its keys now."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Lazy:
    """Servers that are asked what they are at the first use; meets `Servers`."""

    def __init__(self, url: str, options: RedisOptions, setting: str) -> None:
        """Raises SettingsError for an address that is none; `setting` is where it comes from."""
        self._first = clients_of(url, options, setting)
        self._arguments = _arguments(url, options)
        self._lock = threading.Lock()
        self._found: Servers | None = None

    def holding(self, tag: str) -> Any:  # noqa: ANN401 - as above
        """See `Servers.holding`."""
        return self._servers().holding(tag)

    def every(self) -> Sequence[Any]:
        """See `Servers.every`."""
        return self._servers().every()

    def failed(self) -> None:
        """See `Servers.failed`."""
        if self._found is not None:
            self._found.failed()

    def close(self) -> None:
        """See `Servers.close`."""
        for each in self._first:
            each.close()
        if self._found is not None:
            self._found.close()

    def _servers(self) -> Servers:
        with self._lock:
            if self._found is None:
                self._found = self._look()
            return self._found

    def _look(self) -> Servers:
        """By its answer to INFO. A user of an older version may not ask; there were no clusters then."""
        for place, client in enumerate(self._first):
            try:
                is_cluster = bool(client.info("cluster").get("cluster_enabled"))
            except NoPermissionError:
                return _One(client)
            except redis.AuthenticationError:
                raise
            except FAULTS:
                if place == len(self._first) - 1:
                    raise
                continue
            if is_cluster:
                return _Cluster(self._first, self._arguments)
            return _One(client)
        raise AssertionError("an address names at least one server")


class _One:
    """A single Redis."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - as above
        self._client = client

    def holding(self, tag: str) -> Any:  # noqa: ANN401 - as above
        del tag
        return self._client

    def every(self) -> Sequence[Any]:
        return (self._client,)

    def failed(self) -> None:
        pass

    def close(self) -> None:
        self._client.close()


class _Cluster:
    """A Redis cluster. Whoever holds a slot is asked as if it were alone, for whatever is done concerns one slot."""

    def __init__(self, first: Sequence[Any], arguments: dict[str, Any]) -> None:
        known = [client.connection_pool.connection_kwargs for client in first]
        alike = {key: known[0][key] for key in ("username", "password") if known[0].get(key)}
        alike |= {key: value for key, value in arguments.items() if key != "retry"}
        if "ssl_ca_certs" in arguments:
            alike["ssl"] = True
        nodes: list[Any] = [_node(each["host"], each.get("port", 6379)) for each in known]
        self._cluster: Any = RedisCluster(
            startup_nodes=nodes, require_full_coverage=False, dynamic_startup_nodes=False, **alike
        )
        self._looked_s = time.monotonic()
        self._lock = threading.Lock()

    def holding(self, tag: str) -> Any:  # noqa: ANN401 - as above
        return self._cluster.get_redis_connection(self._cluster.get_node_from_key(tag))

    def every(self) -> Sequence[Any]:
        return [self._cluster.get_redis_connection(node) for node in self._cluster.get_primaries()]

    def failed(self) -> None:
        with self._lock:
            if time.monotonic() - self._looked_s < LOOK_AGAIN_S:
                return
            with suppress(*FAULTS):  # whoever calls next is told
                self._cluster.nodes_manager.initialize()
            self._looked_s = time.monotonic()

    def close(self) -> None:
        self._cluster.close()


def clients_of(url: str, options: RedisOptions, setting: str) -> list[Any]:
    """One for each server that `url` names, not yet connected.

    Raises SettingsError for an address that is none; `setting` is where it comes from.
    """
    if fault := server_fault(url):
        raise SettingsError(f"{setting}: {fault}")
    arguments = _arguments(url, options)
    try:
        return [redis.Redis.from_url(each, **arguments) for each in _split(url)]
    except ValueError as exc:
        raise SettingsError(f"{setting}: cannot be used; {MEND}") from exc


def _node(host: str, port: int) -> Any:  # noqa: ANN401 - its constructor has no types
    make: Any = ClusterNode
    return make(host, port)


def _arguments(url: str, options: RedisOptions) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "socket_timeout": options.timeout_s,
        "socket_connect_timeout": min(2.0, options.timeout_s),
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    if url.startswith("rediss://"):
        arguments |= {
            "ssl_ca_certs": options.ca_file,
            "ssl_certfile": options.certificate_file,
            "ssl_keyfile": options.key_file,
        }
    return arguments


def _split(url: str) -> list[str]:
    """An address for each of the hosts that one names with commas between."""
    found = _ADDRESS.fullmatch(url)
    if found is None or "," not in found[2]:
        return [url]
    return [f"{found[1]}{host.strip()}{found[3]}" for host in found[2].split(",") if host.strip()]
