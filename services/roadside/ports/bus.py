"""What carries events from stage to stage."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from roadside.core.frames import CameraId

PayloadT = TypeVar("PayloadT")


class Stream(StrEnum):
    """The streams, in the order in which a vehicle travels through them."""

    FRAMES = "frames"
    CROPS = "crops"
    READS = "reads"
    SIGHTINGS = "sightings"


@dataclass(frozen=True, slots=True)
class Message(Generic[PayloadT]):
    """What travels on a stream."""

    camera_id: CameraId
    captured_at_ns: int
    identity: str
    """Names the message within its camera: `sequence` of a frame, `sequence:x1,y1,x2,y2` of a crop or read.

    Equal identities are the same message."""
    payload: PayloadT
    """Bytes on a network bus; the event itself within one process."""


@dataclass(frozen=True, slots=True)
class Delivery(Generic[PayloadT]):
    """A message in a consumer's hands until it is committed, released or rejected."""

    stream: Stream
    entry_id: str
    message: Message[PayloadT]
    deliveries: int = 1
    """How often it was handed out, this time included: more than 1 after a consumer died or gave it back."""


class Stage(Protocol[PayloadT]):
    """One step of the way from frame to sighting: it knows no bus, and gives the same outputs for the same message."""

    def handle(self, message: Message[PayloadT]) -> Sequence[tuple[Stream, Message[PayloadT]]]:
        """What follows from `message`, and the streams that it belongs to.

        Raises PoisonError for a message that no retry can mend, UnavailableError where one can.
        """
        ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much of a stream is not done."""

    waiting: int
    """Handed to nobody yet."""
    pending: int
    """In a consumer's hands."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """What the bus knows of a camera's frames; it survives the capture process."""

    last_sequence: int
    """Sequence number of the newest frame published, -1 before the first."""
    last_captured_at_ns: int
    live: bool
    """A live camera's time is the clock; a recording's time stands still while nobody plays it."""
    ended: bool
    """The recording has been published to its end."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be handled, kept for a person."""

    letter_id: str
    stream: Stream
    camera_id: str
    identity: str
    reason: str
    died_at_ns: int
    size_bytes: int


class Leadership(IntEnum):
    """Whether one is the only consumer of a stream; true where one is."""

    NOT = 0
    KEPT = 1
    """As at the last call: what one holds is still one's own."""
    TAKEN = 2
    """Anew: everything not yet done comes again, also what one held."""


class Bus(Protocol[PayloadT]):
    """Streams with one consumer group each.

    Every method raises BusUnavailableError when the bus does not answer; each may then be called again with
    the same arguments. `commit` and `reject` take effect once.
    """

    def publish(self, stream: Stream, message: Message[PayloadT], *, limit: int = 0) -> bool:
        """Append `message`.

        False, and nothing appended, when `limit` messages are already not done (0: no limit).
        """
        ...

    def receive(self, stream: Stream, *, max_messages: int, block_s: float) -> Sequence[Delivery[PayloadT]]:
        """The next messages for this consumer, oldest first; empty after `block_s` without any.

        First comes what this consumer held before it died, then what others have held for too long, then
        what is new.
        """
        ...

    def commit(
        self,
        done: Sequence[Delivery[PayloadT]],
        outputs: Sequence[tuple[Stream, Message[PayloadT]]] = (),
    ) -> bool:
        """Acknowledge `done` and append `outputs`, both or neither.

        False, and nothing appended, when none of `done` is in anybody's hands any more.
        """
        ...

    def release(self, deliveries: Sequence[Delivery[PayloadT]]) -> None:
        """Give back unhandled messages: they are handed out again, to anybody."""
        ...

    def reject(self, delivery: Delivery[PayloadT], reason: str) -> bool:
        """Move a message to the dead letters; False when it was already done. `reason` holds no plate."""
        ...

    def horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """The capture time before which nothing of this camera is on its way any more, save what is `held`.

        Looks at frames, crops and reads (by identity). With nothing on its way it is the capture time of the
        camera's newest frame, or the end of time (2**63 - 1) once its recording has ended. Exact to a
        microsecond, never later.
        """
        ...

    def camera(self, camera_id: CameraId) -> CameraState | None:
        """What is known of a camera; None if it never published."""
        ...

    def set_camera(self, camera_id: CameraId, *, live: bool, ended: bool) -> None:
        """Declare a camera live or a recording, and whether the recording is over."""
        ...

    def lead(self, stream: Stream) -> Leadership:
        """Become, or stay, the only consumer of `stream`; NOT while another one is.

        For a stage that needs a stream whole and in order. Leadership lapses some seconds after the last
        call; from then on the former leader commits nothing. Whoever takes over receives everything not yet done.
        """
        ...

    def backlog(self, stream: Stream) -> Backlog:
        """How much of `stream` is not done."""
        ...

    def dead_letters(self) -> Sequence[DeadLetter]:
        """All of them, oldest first."""
        ...

    def replay(self, letter_id: str) -> bool:
        """Put a dead letter back on its stream; False if there is none of that id."""
        ...

    def drop(self, letter_id: str) -> bool:
        """Delete a dead letter; False if there is none of that id."""
        ...
