"""Makes one Redis cluster of nodes that were started for it, and mends it where nodes came back under new addresses.

Whatever is there already is left as it is, so it may be run again at any time: slots are given where nobody holds them
and the node that they are meant for holds none, a master without slots becomes a replica, and nodes that lost sight of
one another are brought together.
"""

from __future__ import annotations

import socket
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis

from roadside.adapters.bus.redis_servers import clients_of
from roadside.errors import BusUnavailableError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roadside.adapters.bus.redis_options import RedisOptions

SLOTS = 16384


@dataclass(frozen=True, slots=True)
class Known:
    """What one node knows of another, or of itself."""

    node_id: str
    bus_port: int
    is_master: bool
    is_connected: bool
    master_id: str
    """Empty of a master."""
    slots: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node that answers."""

    place: int
    """Among all that were named."""
    host: str
    client: Any
    itself: Known
    others: dict[str, Known]


class Forming:
    """One attempt after another brings the nodes nearer to being one whole cluster."""

    def __init__(self, url: str, options: RedisOptions, replicas: int) -> None:
        """Of the nodes that `url` names the first are to be masters, each with so many `replicas` among the rest.

        Raises SettingsError where they are too few: of fewer than three masters none is missed when it fails.
        """
        self._clients = clients_of(url, options, "redis_url")
        self._masters = len(self._clients) // (1 + replicas)
        if self._masters < 3:  # of two neither is a majority
            count = len(self._clients)
            raise SettingsError(
                f"redis_url names {count} nodes with commas between: three masters, each with {replicas} replicas, "
                f"are {3 * (1 + replicas)}"
            )

    def step(self) -> Sequence[str]:
        """Do what can be done now, and tell it. Raises BusUnavailableError where no node answers."""
        nodes = self._nodes()
        if done := list(_brought_together(nodes)):
            return done
        if any(len(node.others) < len(nodes) - 1 for node in nodes):
            return ()  # they are still about to hear of each other
        return [*self._given_slots(nodes), *self._given_masters(nodes)]

    def is_whole(self) -> bool:
        """Whether every node answers, sees all slots held, and is a master with slots or a replica."""
        nodes = self._nodes()
        if len(nodes) < len(self._clients) or any(n.itself.is_master and not n.itself.slots for n in nodes):
            return False
        states = [node.client.execute_command("CLUSTER INFO") for node in nodes]
        return all(s["cluster_state"] == "ok" and s["cluster_slots_ok"] == str(SLOTS) for s in states)

    def _nodes(self) -> list[Node]:
        found: list[Node] = []
        fault: redis.RedisError | None = None
        for place, client in enumerate(self._clients):
            try:
                known = _known(client.execute_command("CLUSTER", "NODES").decode())
            except redis.ResponseError as error:
                raise SettingsError(
                    f"{_host(client)} is no node of a cluster, or refuses this user: {error}"
                ) from error
            except redis.RedisError as error:
                fault = error
                continue
            itself = known.pop("")
            found.append(Node(place, _host(client), client, itself, known))
        if not found:
            raise BusUnavailableError(f"no node answers: {fault}") from fault
        return found

    def _given_slots(self, nodes: Iterable[Node]) -> Iterable[str]:
        taken = sum(node.itself.slots for node in nodes)
        for node in nodes:
            itself = node.itself
            if node.place >= self._masters or not itself.is_master or itself.slots:
                continue
            first, last = (SLOTS * place // self._masters for place in (node.place, node.place + 1))
            if taken + last - first > SLOTS:
                continue  # somebody holds them: of another division, or a replica that took over
            node.client.execute_command("CLUSTER ADDSLOTSRANGE", first, last - 1)
            taken += last - first
            yield f"{node.host}: slots {first} to {last - 1}"

    def _given_masters(self, nodes: Sequence[Node]) -> Iterable[str]:
        masters = {node.itself.node_id: node for node in nodes if node.itself.is_master and node.itself.slots}
        served = Counter(node.itself.master_id for node in nodes if not node.itself.is_master)
        for node in nodes:
            if node.place < self._masters or not node.itself.is_master or node.itself.slots or not masters:
                continue
            least = min(masters, key=lambda node_id: (served[node_id], masters[node_id].place))
            node.client.execute_command("CLUSTER REPLICATE", least)
            served[least] += 1
            yield f"{node.host}: replica of {masters[least].host}"


def _brought_together(nodes: Sequence[Node]) -> Iterable[str]:
    """Each learns of those that it does not reach; of one that is known already, its address."""
    for node in nodes:
        for other in nodes:
            seen = node.others.get(other.itself.node_id)
            if other is node or (seen is not None and seen.is_connected):
                continue
            address = socket.gethostbyname(other.host)  # the command takes no names
            port = other.client.connection_pool.connection_kwargs["port"]
            node.client.execute_command("CLUSTER MEET", address, port, other.itself.bus_port)
            yield f"{node.host}: meets {other.host}"


def _known(answer: str) -> dict[str, Known]:
    """What CLUSTER NODES says, by id; of the node itself under the empty one.

    A line is: id, ip:port@bus-port, flags, master, two times, an epoch, the state of the link, slots
    (https://redis.io/docs/latest/commands/cluster-nodes/).
    """
    found: dict[str, Known] = {}
    for line in answer.splitlines():
        node_id, address, flags, master_id, _, _, _, link, *slots = line.split(" ")
        if "handshake" in flags:
            continue
        bus_port = int(address.partition("@")[2].partition(",")[0])
        held = sum(map(_count, slots))
        of = "" if master_id == "-" else master_id
        known = Known(node_id, bus_port, "master" in flags.split(","), link == "connected", of, held)
        found["" if "myself" in flags else node_id] = known
    return found


def _count(slots: str) -> int:
    """How many a range like 0-5460, or 7, has; those on their way to another node stand in brackets."""
    first, _, last = slots.partition("-")
    return 0 if slots.startswith("[") else int(last or first) - int(first) + 1


def _host(client: Any) -> str:  # noqa: ANN401 - redis-py's pool has no types
    return str(client.connection_pool.connection_kwargs["host"])
