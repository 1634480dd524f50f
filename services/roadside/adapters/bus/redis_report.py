"""What Redis holds of streams and cameras: read, never written, for a person who looks why something stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis

from roadside.core.frames import CameraId
from roadside.ports.bus import STREAMS, Backlog, BusReport, CameraReport, CameraState, StreamReport

if TYPE_CHECKING:
    from roadside.ports.bus import BusMemory, Stream


def report(client: Any, prefix: str, group: str, memory: BusMemory) -> BusReport:  # noqa: ANN401 - redis-py's is a union
    """Everything of one prefix."""
    base = f"{{{prefix}}}"
    return BusReport(
        tuple(_stream(client, base, group, stream) for stream in STREAMS),
        tuple(_camera(client, base, camera_id) for camera_id in _cameras(client, base)),
        memory,
        int(client.xlen(f"{base}:dead")),
    )


def _stream(client: Any, base: str, group: str, stream: Stream[Any]) -> StreamReport:  # noqa: ANN401 - as above
    key = f"{base}:{stream.name}"
    length = int(client.xlen(key))
    held = _pending(client, key, group)
    oldest = _first_id(client, key)
    leader = client.get(f"{base}:leader:{stream.name}") or b""
    return StreamReport(
        stream,
        Backlog(max(0, length - sum(held.values())), sum(held.values())),
        None if oldest is None else int(oldest.partition(b"-")[0]) * 10**6,
        tuple(sorted(held.items())),
        leader.decode(errors="replace"),
    )


def _pending(client: Any, key: str, group: str) -> dict[str, int]:  # noqa: ANN401 - as above
    try:
        found = client.xpending(key, group)["consumers"]
    except redis.ResponseError:  # neither the stream nor its group is there before its first consumer
        return {}
    return {consumer["name"].decode(errors="replace"): int(consumer["pending"]) for consumer in found}


def _first_id(client: Any, key: str) -> bytes | None:  # noqa: ANN401 - as above
    found: list[Any] = client.xrange(key, count=1)
    return None if not found else found[0][0]


def _cameras(client: Any, base: str) -> list[CameraId]:  # noqa: ANN401 - as above
    found: set[CameraId] = set()
    for kind in ("camera", "flight"):
        start = f"{base}:{kind}:"
        found |= {
            CameraId(key.decode(errors="replace")[len(start) :]) for key in client.scan_iter(f"{start}*", count=1000)
        }
    return sorted(found)


def _camera(client: Any, base: str, camera_id: CameraId) -> CameraReport:  # noqa: ANN401 - as above
    flight = f"{base}:flight:{camera_id}"
    oldest = client.zrange(flight, 0, 0, withscores=True)
    return CameraReport(
        camera_id,
        state_of(client.hgetall(f"{base}:camera:{camera_id}")),
        int(client.zcard(flight)),
        int(oldest[0][1]) * 1000 if oldest else None,
    )


def state_of(fields: dict[bytes, bytes]) -> CameraState | None:
    """What is known of a camera, from the hash that keeps it; None where there is none."""
    if not fields:
        return None
    return CameraState(
        last_sequence=int(fields.get(b"sequence", -1)),
        last_captured_at_ns=int(fields.get(b"at", 0)),
        live=fields.get(b"live", b"1") == b"1",
        ended=fields.get(b"ended") == b"1",
    )
