"""What Redis holds of streams and cameras: read, never written, for a person who looks why something stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis

from roadside.adapters.bus.redis_options import GROUP
from roadside.core.frames import CameraId
from roadside.ports.bus import STREAMS, Backlog, BusReport, CameraReport, CameraState, StreamReport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.bus.redis_partition import Partition
    from roadside.adapters.bus.redis_slot import Slot
    from roadside.ports.bus import BusMemory, Stream


def report(partitions: Sequence[Partition], memory: BusMemory, frames_memory: BusMemory | None) -> BusReport:
    """Everything of these partitions. Raises BusUnavailableError."""
    cameras = [_camera(each, camera_id) for each in partitions for camera_id in _cameras(each)]
    return BusReport(
        tuple(_stream(each, stream) for each in partitions for stream in STREAMS),
        tuple(sorted(cameras, key=lambda camera: camera.camera_id)),
        memory,
        sum(each.letters.count() for each in partitions),
        len(partitions),
        frames_memory,
    )


def _stream(partition: Partition, stream: Stream[Any]) -> StreamReport:
    slot = partition.slot(stream)
    key = slot.keys.stream(stream)
    with slot.translated():
        length = int(slot.client.xlen(key))
        held = _pending(slot.client, key)
        oldest = _first_id(slot.client, key)
    with partition.ledger.translated():
        leader = partition.ledger.client.get(partition.ledger.keys.leader(stream)) or b""
    return StreamReport(
        stream,
        Backlog(max(0, length - sum(held.values())), sum(held.values())),
        None if oldest is None else int(oldest.partition(b"-")[0]) * 10**6,
        tuple(sorted(held.items())),
        leader.decode(errors="replace"),
        partition.number,
    )


def _pending(client: Any, key: str) -> dict[str, int]:  # noqa: ANN401 - redis-py's answers are unions
    try:
        found = client.xpending(key, GROUP)["consumers"]
    except redis.ResponseError:  # neither the stream nor its group is there before its first consumer
        return {}
    return {consumer["name"].decode(errors="replace"): int(consumer["pending"]) for consumer in found}


def _first_id(client: Any, key: str) -> bytes | None:  # noqa: ANN401 - as above
    found: list[Any] = client.xrange(key, count=1)
    return None if not found else found[0][0]


def _cameras(partition: Partition) -> list[CameraId]:
    found: set[CameraId] = set()
    for slot in partition.slots:
        for kind in ("camera", "flight"):
            start = f"{slot.keys.tag}:{kind}:"
            with slot.translated():
                keys = list(slot.client.scan_iter(f"{start}*", count=1000))
            found |= {CameraId(key.decode(errors="replace")[len(start) :]) for key in keys}
    return sorted(found)


def _camera(partition: Partition, camera_id: CameraId) -> CameraReport:
    on_their_way = [_flight(slot, camera_id) for slot in partition.slots]
    oldest = [at_ns for _, at_ns in on_their_way if at_ns is not None]
    return CameraReport(
        camera_id,
        partition.cameras.camera(camera_id),
        sum(count for count, _ in on_their_way),
        min(oldest, default=None),
        partition.number,
    )


def _flight(slot: Slot, camera_id: CameraId) -> tuple[int, int | None]:
    """How many are on their way, and the capture time of the oldest."""
    key = slot.keys.flight(camera_id)
    with slot.translated():
        oldest = slot.client.zrange(key, 0, 0, withscores=True)
        count = int(slot.client.zcard(key))
    return count, int(oldest[0][1]) * 1000 if oldest else None


def number(value: bytes | float, otherwise: int = 0) -> int:
    """What Redis keeps as a number; `otherwise` where somebody has written something else there."""
    try:
        return int(value)
    except (ValueError, OverflowError):
        return otherwise


def state_of(fields: dict[bytes, bytes]) -> CameraState | None:
    """What is known of a camera, from the hash that keeps it; None where there is none."""
    if not fields:
        return None
    return CameraState(
        last_sequence=number(fields.get(b"sequence", -1), -1),
        last_captured_at_ns=number(fields.get(b"at", 0)),
        live=fields.get(b"live", b"1") == b"1",
        ended=fields.get(b"ended") == b"1",
    )
