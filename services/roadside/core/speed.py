"""Average speed between two cameras (section control), with what is not known of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.plates import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from roadside.core.frames import CameraId
    from roadside.core.sightings import Sighting

KMH = 3.6
"""Kilometres an hour of one metre a second."""
RECTANGULAR = math.sqrt(3.0)
"""A bound, the true value anywhere within, divided by this is a standard uncertainty (JCGM 100:2008, 4.3.7)."""
COVERAGE = 2.0
"""Factor of the expanded uncertainty, for some 95 % (JCGM 100:2008, 6.3)."""
SLOWEST_MS = 1.0
"""Metres a second, 3.6 km/h: who takes longer has stopped on the way."""


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of road between two cameras. Errors are bounds: the true value lies within, anywhere."""

    name: str
    start: CameraId
    end: CameraId
    distance_m: float
    """Along the road, from where one camera sees plates to where the other one does."""
    distance_error_m: float
    clock_error_s: float
    """Of either camera's clock against the true time."""

    @property
    def longest_ns(self) -> int:
        """The time of the slowest passage that is told."""
        return int(self.distance_m / SLOWEST_MS * 1e9)


@dataclass(frozen=True, slots=True)
class SectionPassage:
    """A vehicle that was seen at both ends of a section."""

    section: Section
    entered: Sighting
    left: Sighting
    speed: AverageSpeed


@dataclass(frozen=True, slots=True)
class AverageSpeed:
    """In kilometres an hour; the true one lies between `lowest` and `highest` in some 95 of 100 cases."""

    kmh: float
    lowest_kmh: float
    highest_kmh: float


def is_faster(speed: AverageSpeed | None, over_kmh: float | None) -> bool:
    """Whether a speed is higher than that beyond its uncertainty; everybody's is higher than None."""
    return over_kmh is None or (speed is not None and speed.lowest_kmh > over_kmh)


def average_speed(section: Section, entered: Sighting, left: Sighting) -> AverageSpeed | None:
    """The average speed between two sightings; None where the clocks cannot tell that any time passed between them.

    v = d / t. Relative uncertainties add as squares, (u(v)/v)^2 = (u(d)/d)^2 + (u(t)/t)^2 (JCGM 100:2008, 5.1.6); since
    t may be known badly the interval is that of ln v, v * exp(-2u) to v * exp(2u). A plate passes the point that the
    distance is measured to at any moment of its sighting, so that each sighting's length counts as a rectangular
    distribution, u = length / sqrt(12); errors of clocks and distance are bounds, u = error / sqrt(3) (4.3.7).
    """
    seconds = (_middle_ns(left) - _middle_ns(entered)) / 1e9
    lengths = [(each.last_seen_ns - each.first_seen_ns) / 1e9 for each in (entered, left)]
    clock = section.clock_error_s / RECTANGULAR
    time_error = math.sqrt(sum(length**2 / 12.0 for length in lengths) + 2.0 * clock**2)
    if seconds <= COVERAGE * time_error:
        return None
    distance_error = section.distance_error_m / RECTANGULAR
    relative = math.hypot(distance_error / section.distance_m, time_error / seconds)
    kmh, factor = section.distance_m / seconds * KMH, math.exp(COVERAGE * relative)
    return AverageSpeed(kmh, kmh / factor, kmh * factor)


def section_passages(section: Section, sightings: Iterable[Sighting]) -> Iterator[SectionPassage]:
    """The vehicles of `sightings`, in the order of time, that were seen at the start and then at the end.

    Vehicles are told apart by their plate, read alike at both ends; where a plate is not kept, by its hash. Who is seen
    at the start twice entered the last time; who is seen at the end twice left the first time.
    """
    inside: dict[str, Sighting] = {}
    for sighting in sightings:
        key = _identity(sighting)
        if key is None:
            continue
        if sighting.camera_id == section.start:
            inside[key] = sighting
        elif sighting.camera_id == section.end and (entered := inside.pop(key, None)) is not None:
            if sighting.last_seen_ns - entered.last_seen_ns > section.longest_ns:
                continue
            speed = average_speed(section, entered, sighting)
            if speed is not None:
                yield SectionPassage(section, entered, sighting, speed)


def _middle_ns(sighting: Sighting) -> int:
    return (sighting.first_seen_ns + sighting.last_seen_ns) // 2


def _identity(sighting: Sighting) -> str | None:
    if sighting.plate_hash is not None:
        return sighting.plate_hash
    return None if sighting.plate is None else fold(sighting.plate.text)
