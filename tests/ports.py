"""Ports for servers of tests, which nobody else takes: not another run of the tests, nor a passing connection."""

from __future__ import annotations

import random
import socket
from functools import cache
from pathlib import Path

LOWEST, HIGHEST = 10_240, 65_535
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_held: list[socket.socket] = []
"""One lock a reserved port; the kernel lets go of them when this process ends, however it ends."""


def reserved_port() -> int:
    """A port of 127.0.0.1 that stays ours while this process lives, also while nobody listens on it.

    A port found by binding to 0 and closing again is anybody's: the kernel hands it to the next outgoing connection or
    to the next who asks, so that a server that starts late or starts again finds it taken. This one lies outside of
    what the kernel hands out, and a lock keeps other runs of these tests away.
    Raises RuntimeError where all are taken.
    """
    for port in _shuffled():
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # An abstract address: of the same network namespace as the port, and gone with its owner.
            lock.bind(f"\0roadside-test-port-{port}")
            _try_to_listen(port)
        except OSError:
            lock.close()
            continue
        _held.append(lock)
        return port
    raise RuntimeError("every port for tests is taken")


def _try_to_listen(port: int) -> None:
    """Raises OSError where a stranger's server is."""
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - to see who listens there, for a moment
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what lingers of the last one does no harm
            probe.bind((host, port))
            probe.listen()


@cache
def _candidates() -> tuple[int, ...]:
    """Ports that the kernel gives to nobody who asks for any."""
    begin, end = map(int, _EPHEMERAL.read_text().split())
    outside = [port for port in range(LOWEST, HIGHEST + 1) if not begin <= port <= end]
    if not outside:
        raise RuntimeError(f"{_EPHEMERAL} leaves no port from {LOWEST} on for tests")
    return tuple(outside)


def _shuffled() -> list[int]:
    return random.sample(_candidates(), len(_candidates()))
