"""Dead letters under the promises of docs/data-protection.md: what of them holds a plate that is to be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.events import CropEvent, FrameEvent, ReadEvent, SightingEvent
from roadside.core.plates import fold
from roadside.errors import InputError
from roadside.ports.bus import CROPS, FRAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from roadside.adapters.sql.retention import Passage, RetentionManager
    from roadside.core.events import Event
    from roadside.ports.bus import Bus, DeadLetter


NEAR_NS = 60 * 10**9
"""Before its first and after its last look a vehicle may be in a frame."""


def mentions(plate: str, passages: Sequence[Passage] = ()) -> Callable[[Event | bytes], bool]:
    """Tells of what a dead letter holds whether it mentions `plate`, among its alternatives too.

    A letter that is no event mentions what stands in its bytes. A frame or crop that nobody has read is taken for one
    of the vehicle where it is of the camera and the time of one of its `passages`. Raises InputError where `plate`
    holds no letter or digit.
    """
    key = fold(plate)
    if not key:
        raise InputError(f"{plate!r} is no plate")

    def told(content: Event | bytes) -> bool:
        if isinstance(content, bytes):
            return key in fold(content.decode("latin-1"))
        if isinstance(content, FrameEvent | CropEvent):
            return any(_is_of(content, passage) for passage in passages)
        return key in map(fold, _texts(content))

    return told


def forget_letters(bus: Bus, retention: RetentionManager, plate: str) -> int:
    """Drop the dead letters that mention `plate` or may show it; how many. To be called before its passages go.

    Raises InputError where `plate` is none, BusUnavailableError.
    """
    return bus.forget_dead_letters(mentions(plate, retention.passages(plate)))


def holds_a_picture_alone(letter: DeadLetter) -> bool:
    """Whether nothing tells which vehicle a dead letter shows."""
    return letter.stream in {FRAMES, CROPS}


def _is_of(event: FrameEvent | CropEvent, passage: Passage) -> bool:
    taken = event if isinstance(event, FrameEvent) else event.crop
    at_ns = taken.captured_at_ns if taken.stamp is None else taken.stamp.at_ns
    return (
        event.camera_id == passage.camera_id
        and at_ns - passage.first_ns >= -NEAR_NS
        and (at_ns - passage.last_ns <= NEAR_NS)
    )


def _texts(event: Event) -> Iterator[str]:
    if isinstance(event, ReadEvent):
        yield from (event.read.raw, event.read.text, *(other.text for other in event.read.alternatives))
    if isinstance(event, SightingEvent):
        sighting, verdict = event.sighting, event.sighting.verdict
        if sighting.plate is not None:
            yield from (sighting.plate.raw, sighting.plate.text)
            yield from (other.text for other in sighting.plate.alternatives)
        yield from (reading.plate for reading in verdict.readings)
        yield from (vignette.plate for vignette in (*verdict.vignettes, *verdict.lapsed))
