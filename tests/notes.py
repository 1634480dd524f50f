"""Events that carry nothing but a few bytes, for tests of what does not look into events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roadside.core.frames import CameraId

if TYPE_CHECKING:
    from roadside.ports.bus import Stream

GATE = CameraId("gate")


@dataclass(frozen=True, slots=True)
class Note:
    """An event of a camera."""

    captured_at_ns: int
    identity: str
    body: bytes
    camera_id: CameraId = GATE


class NoteCodec:
    """The number of the capture time, the identity and the body; meets `roadside.ports.bus.Codec`."""

    def encode(self, stream: Stream[Any], event: Note) -> bytes:
        del stream
        return b"%d|%s|%s" % (event.captured_at_ns, event.identity.encode(), event.body)

    def decode(self, stream: Stream[Any], payload: bytes) -> Note:
        del stream
        at_ns, identity, body = payload.split(b"|", 2)
        return Note(int(at_ns), identity.decode(), body)
