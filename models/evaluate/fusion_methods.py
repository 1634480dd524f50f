"""One plate of the reads of one vehicle: fused as the product does it, or by a simpler method."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.fusion import fuse
from roadside.core.plates import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from roadside.core.reads import PlacedRead


@dataclass(frozen=True, slots=True)
class KnownTrack:
    """The reads of one vehicle, in capture order, and what stands on its plate."""

    group: str
    truth: str
    reads: tuple[PlacedRead, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two methods on the same tracks: how many one alone has right, and how many the other alone."""

    won: int
    lost: int

    @property
    def chance(self) -> float:
        """Two-sided exact sign test: how probable so uneven a result is where neither method is better."""
        return sign_test(self.won, self.lost)


def fused(reads: Sequence[PlacedRead]) -> str:
    """What the product says."""
    return fuse(reads).plate.text


def unweighed(reads: Sequence[PlacedRead]) -> str:
    """The same with every frame weighing alike, sharp and large ones no more than others."""
    return fuse(reads, [1.0] * len(reads)).plate.text


def surest(reads: Sequence[PlacedRead]) -> str:
    """The text of the single frame with the highest confidence."""
    return max(reads, key=lambda placed: placed.read.confidence).read.text


def majority(reads: Sequence[PlacedRead]) -> str:
    """The text that most frames say, folded; of equally many the one with the surest frame."""
    votes = Counter(fold(placed.read.text) for placed in reads)
    return max(reads, key=lambda p: (votes[fold(p.read.text)], p.read.confidence)).read.text


def last(reads: Sequence[PlacedRead]) -> str:
    """The text of the last frame."""
    return reads[-1].read.text


METHODS: Mapping[str, Callable[[Sequence[PlacedRead]], str]] = {
    "fused": fused,
    "best frame": surest,
    "majority": majority,
    "last frame": last,
    "unweighed": unweighed,
}


def right(track: KnownTrack, method: Callable[[Sequence[PlacedRead]], str]) -> bool:
    """Whether `method` reads `track` folded exactly; a track without a read is read by none."""
    return bool(track.reads) and fold(method(track.reads)) == fold(track.truth)


def compare(mine: Sequence[bool], other: Sequence[bool]) -> Comparison:
    """The tracks on which two methods differ."""
    pairs = list(zip(mine, other, strict=True))
    return Comparison(sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs))


def sign_test(won: int, lost: int) -> float:
    """Probability of a result at least as uneven as `won` to `lost` among fair coins, either method round."""
    tosses, fewer = won + lost, min(won, lost)
    return float(min(1.0, 2 * sum(math.comb(tosses, k) for k in range(fewer + 1)) / 2**tosses))
