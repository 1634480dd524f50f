"""Whether something else that was taken for a plate goes along with a plate, as lettering of the same vehicle does.

A van has one plate, and a telephone number, a fleet number or an advert that may have the form of one. They move as
one body: from frame to frame the one keeps its place beside the other, in widths of the plate, and its size. Two
vehicles do not, unless they drive abreast: of two lanes the nearer grows faster. Which of the two is the plate a person
sees at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.geometry import intersection
from roadside.core.motion import Place
from roadside.core.poses import difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roadside.core.frames import Box, Crop
    from roadside.core.reads import PlacedRead

NEAR_WIDTHS = 0.12
"""What a place beside a plate may differ from one frame to another, in widths of the plate: boxes are no better..."""
NEAR_SHARE = 0.03
"""... and by how much more, of the distance from the plate: the width that it is measured in is no better, either."""
ALIKE = 0.1
"""Natural logarithm of the ratio by which the sizes of the two may differ from one frame to another."""
MOST_RATIO = 4.0
"""Of the two widths: what is smaller beside a plate is a lamp or a badge."""
LEAST_WAY, ENOUGH_WAY = 1.0, 7.0
"""How far the plate must have gone with it beside it, in the measure of `poses.difference`: as far as another look, and
for certain to twice its size or over three and a half of its widths. So far a vehicle in the next lane, 5 m behind at
the same speed, does not keep its place: while the plate comes from 14 m to 7 m, it goes from 0.74 of its size to 0.58.
"""
MOST_OF_WAY = 0.8
"""Where the plate was not seen to go so far with anything beside it, the share of its way with it that is enough."""
LEAST_FRAMES, LEAST_SHARE = 3, 1 / 3
"""In so many frames it must be there, and in such a share of all from the first of them to the last: what the detector
takes for a plate now and then stands beside one twice by chance."""
FEW_READS = 4
"""Where a plate was read so seldom, two frames are enough."""
MOST_OTHERS = 8
"""In one frame: more are looked at in none."""


@dataclass(frozen=True, slots=True)
class _Beside:
    """Where something is, seen from the plate."""

    x: float
    y: float
    """In widths of the plate."""
    size: float
    """Natural logarithm of its width, in widths of the plate."""

    def is_at(self, other: _Beside) -> bool:
        """Whether it kept its place and size, when the other frame is that of `other`."""
        reach = NEAR_WIDTHS + NEAR_SHARE * math.hypot(self.x, self.y)
        near = math.hypot(self.x - other.x, self.y - other.y) <= reach
        return near and abs(self.size - other.size) <= ALIKE


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the plate is in a frame, and what is beside it."""

    box: Box
    found: tuple[_Beside, ...]


def has_company(reads: Sequence[PlacedRead]) -> bool:
    """Whether in frames between which the plate of `reads` moved something else kept its place beside it.

    Whatever the detector took for a plate counts, read or not: the vehicle's own plate may be too dirty to be read.
    """
    frames = [_Frame(placed.crop.detection.box, tuple(_beside(placed.crop))) for placed in reads]
    whole = _way([frame.box for frame in frames if frame.found])
    if whole < LEAST_WAY:
        return False
    enough = max(LEAST_WAY, min(ENOUGH_WAY, MOST_OF_WAY * whole))
    return any(_goes_along(seed, frames, enough) for frame in frames for seed in frame.found)


def _goes_along(seed: _Beside, frames: Sequence[_Frame], enough: float) -> bool:
    """Whether what is at `seed` in one of `frames` is there in others, while the plate goes `enough` of a way."""
    there = [number for number, frame in enumerate(frames) if any(each.is_at(seed) for each in frame.found)]
    least = LEAST_FRAMES if len(frames) > FEW_READS else 2
    if len(there) < max(least, LEAST_SHARE * (there[-1] - there[0] + 1)):
        return False
    return _way([frames[number].box for number in there]) >= enough


def _beside(crop: Crop) -> Iterator[_Beside]:
    mine = Place.of(crop.detection.box)
    for box in crop.others[:MOST_OTHERS]:
        theirs = Place.of(box)
        if intersection(crop.detection.box, box) > 0 or mine.ratio(theirs) > MOST_RATIO:
            continue  # the same plate, boxed twice
        x, y = (theirs.x - mine.x) / mine.width, (theirs.y - mine.y) / mine.width
        yield _Beside(x, y, math.log(theirs.width / mine.width))


def _way(boxes: Sequence[Box]) -> float:
    """The greatest difference of two of `boxes`, as of poses."""
    return max((difference(a, b) for i, a in enumerate(boxes) for b in boxes[:i]), default=0.0)
