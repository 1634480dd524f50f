"""What carries events from stage to stage, and the stages themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from roadside.core.events import CropEvent, Event, FrameEvent, ReadEvent, SightingEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from roadside.core.frames import CameraId

EventT = TypeVar("EventT", bound=Event)
TakenT_contra = TypeVar("TakenT_contra", bound=Event, contravariant=True)
GivenT_co = TypeVar("GivenT_co", bound=Event, covariant=True)


MEMORY_S = 600.0
"""A memory holds plates: it is not kept for longer than it is of use."""


@dataclass(frozen=True, slots=True)
class Stream(Generic[EventT]):
    """A stream, and by its type the events that travel on it."""

    name: str


FRAMES: Stream[FrameEvent] = Stream("frames")
CROPS: Stream[CropEvent] = Stream("crops")
READS: Stream[ReadEvent] = Stream("reads")
SIGHTINGS: Stream[SightingEvent] = Stream("sightings")
STREAMS: tuple[Stream[Any], ...] = (FRAMES, CROPS, READS, SIGHTINGS)
"""In the order in which a vehicle travels through them."""
UPSTREAM: tuple[Stream[Any], ...] = (FRAMES, CROPS, READS)
"""What is on its way to a sighting: `Cameras.horizon_ns` looks at these."""


def stream_named(name: str) -> Stream[Any]:
    """The stream called `name`. Raises ValueError where there is none."""
    for stream in STREAMS:
        if stream.name == name:
            return stream
    raise ValueError(f"no stream is called {name!r}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Names an event in a consumer's hands; given back to acknowledge, release or reject it."""

    stream: Stream[Any]
    entry_id: str
    """The bus's own name of the entry."""
    camera_id: CameraId
    captured_at_ns: int
    """UTC nanoseconds since 1970."""
    identity: str
    """As `Event.identity`."""
    deliveries: int = 1
    """How often it was handed out, this time included: more than 1 after a consumer died or gave it back."""
    partition: int = 0
    """In which partition of the bus it lies."""


@dataclass(frozen=True, slots=True)
class Delivery(Generic[EventT]):
    """An event in a consumer's hands until its receipt is committed, released or rejected."""

    receipt: Receipt
    load: Callable[[], EventT] = field(repr=False)
    """The event itself, decoded where it travelled. Raises PoisonError where it cannot be."""
    payload: bytes = field(default=b"", repr=False)
    """As it travelled; empty within one process."""


@dataclass(frozen=True, slots=True)
class Output(Generic[EventT]):
    """An event, and the stream that it is to go on to."""

    stream: Stream[EventT]
    event: EventT


class Codec(Protocol):
    """Events as the bytes that a network bus carries."""

    def encode(self, stream: Stream[EventT], event: EventT) -> bytes:
        """The payload of `event` on `stream`."""
        ...

    def decode(self, stream: Stream[EventT], payload: bytes) -> EventT:
        """The event of a payload on `stream`. Raises PoisonError where it is none."""
        ...


class Stage(Protocol[TakenT_contra, GivenT_co]):
    """One step of the way from frame to sighting: it knows no bus, and gives the same events for the same event."""

    def handle(self, event: TakenT_contra) -> Sequence[GivenT_co]:
        """What follows from `event`.

        Raises PoisonError for an event that no retry can mend, UnavailableError where one can.
        """
        ...


class BatchStage(Stage[TakenT_contra, GivenT_co], Protocol):
    """A last step, which takes many events at once more cheaply than one by one."""

    def handle_all(self, events: Sequence[TakenT_contra]) -> None:
        """As `handle` of each, all or none, where nothing follows. Raises what `handle` raises."""
        ...


@dataclass(frozen=True, slots=True)
class Conclusion(Generic[GivenT_co]):
    """What a stage that holds events has done with some of them."""

    identities: tuple[str, ...]
    """Of the events that need not be held any more."""
    outputs: tuple[GivenT_co, ...]
    """What followed from them, nothing in some cases."""


class HoldingStage(Protocol[TakenT_contra, GivenT_co]):
    """A step that needs a camera's events together and in order: it holds them until they are complete."""

    def take(self, event: TakenT_contra) -> bool:
        """Hold `event`; False for one that is held already."""
        ...

    def cameras(self) -> Collection[CameraId]:
        """The cameras of which events are held."""
        ...

    def held(self, camera_id: CameraId) -> Collection[str]:
        """Identities of a camera's events that are held."""
        ...

    def advance(self, camera_id: CameraId, horizon_ns: int) -> Sequence[Conclusion[GivenT_co]]:
        """What is complete, now that every event of the camera from before `horizon_ns` (UTC) has been taken."""
        ...

    def memory(self, camera_id: CameraId) -> bytes:
        """What of a camera is not in the events that are held, and is needed to go on as if nothing had happened."""
        ...

    def recall(self, camera_id: CameraId, remembered: bytes) -> None:
        """Take up the `memory` of whoever held the camera's events before; empty where there is none."""
        ...

    def forget(self, camera_id: CameraId) -> None:
        """Drop whatever is held of a camera, and what is remembered."""
        ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much of a stream is not done."""

    waiting: int
    """Handed to nobody yet."""
    pending: int
    """In a consumer's hands."""


@dataclass(frozen=True, slots=True)
class BusMemory:
    """How full a bus is that has its own memory."""

    used_bytes: int
    limit_bytes: int
    """0: none of its own."""

    @property
    def share(self) -> float:
        """Of the limit that is used; 0 where there is no limit."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 0.0


@dataclass(frozen=True, slots=True)
class StreamReport:
    """How one stream stands."""

    stream: Stream[Any]
    backlog: Backlog
    oldest_at_ns: int | None
    """When the oldest entry was appended (UTC), None where there is none."""
    holders: tuple[tuple[str, int], ...]
    """Consumers that hold entries, and how many."""
    leader: str
    """The one consumer of the stream, where it has one; empty otherwise."""
    partition: int = 0


@dataclass(frozen=True, slots=True)
class CameraReport:
    """How one camera stands."""

    camera_id: CameraId
    state: CameraState | None
    on_their_way: int
    """Its events that are on their way to a sighting."""
    oldest_captured_at_ns: int | None
    """The capture time (UTC) of the oldest of these, None where there is none."""
    partition: int = 0


@dataclass(frozen=True, slots=True)
class BusReport:
    """What a bus holds, for a person to look at."""

    streams: tuple[StreamReport, ...]
    """Those of each partition."""
    cameras: tuple[CameraReport, ...]
    memory: BusMemory
    """Of the fullest server."""
    dead_letters: int
    partitions: int = 1
    frames_memory: BusMemory | None = None
    """Of the server of frames; None where these lie with all the rest."""


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
class DoneFrames:
    """Which frames of a camera are done, where those that are not can be lost with the server that holds them."""

    before: int
    """All with a lower sequence number are."""
    sequences: frozenset[int]
    """Of the others those that are."""

    def holds(self, sequence: int) -> bool:
        """Whether the frame of that number is done, or never was to be."""
        return sequence < self.before or sequence in self.sequences


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be handled, kept for a person."""

    letter_id: str
    stream: Stream[Any]
    camera_id: str
    identity: str
    reason: str
    died_at_ns: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Room:
    """How many frames of a camera may wait, so that no camera takes the place of others; 0: any number.

    A frame finds room at any size where none of its camera waits.
    """

    count: int = 0
    size_bytes: int = 0
    """Of all that wait, with the new one."""
    age_s: float = 0.0
    """No frame is added to one that has waited for so long."""


NO_BOUNDS = Room()


class Leadership(IntEnum):
    """Whether one is the only consumer of a partition of a stream; true where one is."""

    NOT = 0
    KEPT = 1
    """As at the last call: what one holds is still one's own."""
    TAKEN = 2
    """Anew: everything not yet done comes again, also what one held."""


class Publisher(Protocol):
    """Puts events on streams. Methods raise BusUnavailableError when the bus does not answer, and may be repeated."""

    def publish(self, stream: Stream[EventT], event: EventT, *, room: Room = NO_BOUNDS) -> bool:
        """Append `event`.

        False, and nothing appended, where a frame finds no room beside those of its camera that are not done.
        """
        ...

    def keep(self, frames: Sequence[FrameEvent]) -> None:
        """Have frames that another process published before it ended, so that they can be sent again if they are lost.

        They are of one camera, in their order, and before any that is published here.
        """
        ...


class Consumer(Protocol):
    """Takes events off streams, each of which has one consumer group.

    Every method raises BusUnavailableError when the bus does not answer; each may then be called again with
    the same arguments. `commit` and `reject` take effect once.
    """

    def receive(self, stream: Stream[EventT], *, max_messages: int, block_s: float) -> Sequence[Delivery[EventT]]:
        """The next events for this consumer, oldest first; empty after `block_s` without any.

        First comes what this consumer held before it died, then what others have held for too long, then
        what is new.
        """
        ...

    def commit(self, done: Sequence[Receipt], outputs: Sequence[Output[Any]] = ()) -> bool:
        """Acknowledge `done`, all of one stream, and append `outputs`, both or neither.

        Where there are outputs, all is of one camera.

        False, and nothing appended, when none of `done` is in anybody's hands any more.
        """
        ...

    def release(self, receipts: Sequence[Receipt]) -> None:
        """Give back unhandled events: they are handed out again, to anybody."""
        ...

    def reject(self, delivery: Delivery[EventT], reason: str) -> bool:
        """Move an event to the dead letters; False when it was already done. `reason` holds no plate."""
        ...

    def lead(self, stream: Stream[Any]) -> tuple[Leadership, ...]:
        """Become, or stay, the only consumer of partitions of `stream`: the answer for each; NOT while another one is.

        For a stage that needs the events of a camera whole and in order: they are in one partition. Those who call
        share the partitions, and hand some over where another one comes. Leadership lapses some seconds after the
        last call; from then on the former leader commits nothing. Whoever takes over receives everything not yet done.
        """
        ...

    def backlog(self, stream: Stream[Any]) -> Backlog:
        """How much of `stream` is not done."""
        ...


class Cameras(Protocol):
    """What a bus knows of cameras. Methods raise BusUnavailableError when it does not answer."""

    def camera(self, camera_id: CameraId) -> CameraState | None:
        """What is known of a camera; None if it never published."""
        ...

    def done_frames(self, camera_id: CameraId) -> DoneFrames | None:
        """Which of its newest frames are done; None where none that was published can be lost."""
        ...

    def set_camera(self, camera_id: CameraId, *, live: bool, ended: bool) -> None:
        """Declare a camera live or a recording, and whether the recording is over."""
        ...

    def remembered(self, camera_id: CameraId) -> bytes:
        """What was last given to `remember`, in the last MEMORY_S seconds; empty where nothing was."""
        ...

    def remember(self, camera_id: CameraId, memory: bytes) -> None:
        """Keep the memory of whoever holds the camera's events, for the next one."""
        ...

    def horizon_ns(self, camera_id: CameraId, held: Collection[str]) -> int:
        """The capture time before which nothing of this camera is on its way any more, save what is `held`.

        Looks at frames, crops and reads (by identity). With nothing on its way it is the capture time of the
        camera's newest frame, or END_OF_TIME_NS once its recording has ended. Exact to a microsecond, never later.
        """
        ...

    def is_waited_for(self, camera_id: CameraId, held: Collection[str]) -> bool:
        """Whether anything of this camera is on its way, save what is `held`."""
        ...

    def sweep(self, camera_id: CameraId, held: Collection[str]) -> int:
        """Forget events of this camera that were on their way and are on no stream any more, as after a trim; how many.

        Nothing is forgotten where the oldest that is not `held` is still there: then it is waited for rightly.
        """
        ...


class DeadLetters(Protocol):
    """Events that could not be handled. Methods raise BusUnavailableError when the bus does not answer."""

    def dead_letters(self) -> Sequence[DeadLetter]:
        """All of them, oldest first."""
        ...

    def count_dead_letters(self) -> int:
        """How many there are, without fetching them."""
        ...

    def purge_dead_letters(self, before_ns: int) -> int:
        """Delete those that died before that time (UTC, nanoseconds since 1970); how many."""
        ...

    def forget_dead_letters(self, mentions: Callable[[Event | bytes], bool]) -> int:
        """Delete those whose event `mentions` is true of, or whose bytes where they are no event; how many."""
        ...

    def replay(self, letter_id: str) -> bool:
        """Put a dead letter back on its stream; False if there is none of that id."""
        ...

    def drop(self, letter_id: str) -> bool:
        """Delete a dead letter; False if there is none of that id."""
        ...


class Bus(Publisher, Consumer, Cameras, DeadLetters, Protocol):
    """All that a bus does; most need only a part of it."""
