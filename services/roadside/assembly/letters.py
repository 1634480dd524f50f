"""Dead letters under the promises of docs/data-protection.md: what of them holds a plate that is to be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.events import ReadEvent, SightingEvent
from roadside.core.plates import fold
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roadside.core.events import Event


def mentions(plate: str) -> Callable[[Event | bytes], bool]:
    """Tells of what a dead letter holds whether it mentions `plate`, among its alternatives too.

    A letter that is no event mentions what stands in its bytes. Of pictures nothing is known: they go by their age.
    Raises InputError where `plate` holds no letter or digit.
    """
    key = fold(plate)
    if not key:
        raise InputError(f"{plate!r} is no plate")

    def told(content: Event | bytes) -> bool:
        if isinstance(content, bytes):
            return key in fold(content.decode("latin-1"))
        return key in map(fold, _texts(content))

    return told


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
