"""What a clip or a camera says: the vehicles that passed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.core.sightings import PictureKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.events import SightingEvent
    from roadside.core.frames import Box
    from roadside.core.sightings import Verdict
    from roadside.ports.bus import Conclusion


@dataclass(frozen=True, slots=True)
class Alternative:
    """A plate that may be the one that was seen."""

    plate: str
    """Upper case, no separators."""
    country: str | None
    probability: float
    """0 to 1."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Sighting:
    """One vehicle that passed one camera: all the frames that showed its plate, put together."""

    sighting_id: str
    """24 hexadecimal digits that name the passage."""
    camera: str
    """The option `camera`."""
    plate: str
    """The registration that all reads together say, under the grammars of the known countries."""
    raw: str
    """The same before any grammar."""
    country: str | None
    """`UK`, `CZ`, `SK`, `DE`...; None where unsure."""
    confidence: float
    """Calibrated probability that `plate` is right, 0 to 1."""
    alternatives: tuple[Alternative, ...]
    """The most probable plates, best first, `plate` among them."""
    looks: int
    """Independent looks that agree on this plate: frames that show it in the same place and size are one."""
    first_seen_ns: int
    """UTC, nanoseconds since 1970: by this computer's clock, or as the recording says; `verdict.passage`
    tells whether it is believed."""
    last_seen_ns: int
    """The same of the last frame that shows the plate."""
    crop: NDArray[np.uint8]
    """The plate in the best frame with a margin around it, (h, w, 3) uint8, blue green red."""
    frame: NDArray[np.uint8] | None
    """The best frame, (H, W, 3) uint8, blue green red; None in the rare case that it was not kept."""
    box: Box | None
    """The plate in `frame`, in half-open pixels."""
    direction: str | None
    """`in` or `out`, by the line that the file of settings draws for the camera; None where there is none, or the
    vehicle did not cross it."""
    speed_kmh: tuple[float, float, float] | None
    """How fast it was between the two lines of the file of settings, and the least and the most that it may have been
    (95 %); None where there are none, or it is not known."""
    verdict: Verdict | None
    """Whether its vignette was paid; None where no registry was named."""

    @property
    def first_seen(self) -> datetime:
        """The time of the first frame that shows the plate, UTC."""
        return datetime.fromtimestamp(self.first_seen_ns / 1e9, UTC)

    @property
    def last_seen(self) -> datetime:
        """The time of the last frame that shows the plate, UTC."""
        return datetime.fromtimestamp(self.last_seen_ns / 1e9, UTC)

    def __repr__(self) -> str:
        verdict = "" if self.verdict is None else f", verdict={self.verdict.kind.value}"
        return f"Sighting({self.plate!r}, country={self.country!r}, confidence={self.confidence:.2f}{verdict})"


def sightings_of(conclusions: Iterable[Conclusion[SightingEvent]], *, judged: bool) -> Iterator[Sighting]:
    """The vehicles that were concluded, without a verdict where nobody could have `judged`."""
    for conclusion in conclusions:
        for event in conclusion.outputs:
            yield _sighting(event, judged=judged)


def _sighting(event: SightingEvent, *, judged: bool) -> Sighting:
    from roadside.adapters.sources.pictures import decode_picture  # noqa: PLC0415 - OpenCV makes the import slow

    seen, fused = event.sighting, event.sighting.plate
    assert fused is not None  # noqa: S101 - only a store leaves the plate out
    pictures = {picture.kind: picture for picture in event.pictures}
    frame = pictures.get(PictureKind.FRAME)
    return Sighting(
        sighting_id=seen.sighting_id,
        camera=seen.camera_id,
        plate=fused.text,
        raw=fused.raw,
        country=fused.country,
        confidence=fused.confidence,
        alternatives=tuple(Alternative(h.text, h.country, math.exp(h.log_p)) for h in fused.alternatives),
        looks=fused.looks,
        first_seen_ns=seen.first_seen_ns,
        last_seen_ns=seen.last_seen_ns,
        crop=decode_picture(pictures[PictureKind.CROP].data, "crop"),
        frame=None if frame is None else decode_picture(frame.data, "frame"),
        box=None if frame is None else frame.box,
        direction=None if seen.direction is None else seen.direction.value,
        speed_kmh=None if seen.speed is None else (seen.speed.kmh, seen.speed.lowest_kmh, seen.speed.highest_kmh),
        verdict=seen.verdict if judged else None,
    )
