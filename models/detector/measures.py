"""Boxes of a detector against marked plates, in pixels of its input: matches, AP by plate width, recall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.data.photographs import load_picture
from models.detector.dataset import squashed
from models.evaluate import matching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from models.training.photographs import Marked

    Found = tuple[NDArray[np.float32], NDArray[np.float32]]
    """Boxes (n, 4) in input pixels and scores (n,), best first."""
    Detect = Callable[[NDArray[np.uint8]], Found]
    """What a detector finds in a squashed picture, (H, W, 3) uint8 RGB."""

BANDS_PX = ((0, 12), (12, 24), (24, 50), (50, 10_000))
"""Widths of plates in the whole picture squashed to the input."""
MATCH = 0.5
"""Intersection over union from which a box has found a plate."""
FALSE_PER_PICTURE = 0.1
"""The rate of false boxes at which recall is told."""
SMALLEST_COUNTED_PX = 12
"""Plates narrower than this in the input do not count for recall."""


@dataclass(frozen=True, slots=True)
class Match:
    """One box of a detector against the truth."""

    score: float
    right: bool
    width: float
    """Of the plate it found, or its own where it found none; input pixels."""


@dataclass(frozen=True, slots=True)
class Band:
    """Plates of one range of widths."""

    low_px: int
    high_px: int
    precision: float
    """AP50."""
    plates: int

    def __str__(self) -> str:
        """The figure, and none where there is no plate to find."""
        return f"{self.precision:.3f} ({self.plates})" if self.plates else "- (0)"


@dataclass(frozen=True, slots=True)
class Scores:
    """What a detector is worth on a set of pictures."""

    bands: tuple[Band, ...]
    wide: float
    """AP50 of plates of 24 px and more."""
    recall: float
    """Of plates of 12 px and more, at 0.1 false boxes a picture."""
    pictures: int

    def __str__(self) -> str:
        bands = "  ".join(f"{_span(band)} {band}" for band in self.bands)
        return (
            f"AP50 by width: {bands}  24 px and more {self.wide:.3f}  recall at 0.1 false a picture {self.recall:.3f}"
        )


def _span(band: Band) -> str:
    return f"{band.low_px}-{band.high_px} px" if band.high_px < 10_000 else f"over {band.low_px} px"


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float, most: int = 50) -> Found:
    """The best boxes that overlap no better one by `overlap` IoU or more, best first."""
    order = np.argsort(-scores, kind="stable")[:300]
    boxes, scores = boxes[order], scores[order]
    alive = np.ones(len(boxes), bool)
    kept = []
    for place in range(len(boxes)):
        if not alive[place]:
            continue
        kept.append(place)
        if len(kept) == most:
            break
        alive &= overlaps(boxes[place], boxes) < overlap
    return boxes[kept], scores[kept]


def overlaps(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Intersection over union of a box (4,) with others (n, 4): (n,)."""
    return np.asarray(matching.overlaps(box[None].astype(float), others.astype(float))[0])


def match(found: Found, plates: NDArray[np.float32]) -> list[Match]:
    """Each box, best first, against the plate that it overlaps most and that no better box has taken."""
    taken = np.zeros(len(plates), bool)
    matches = []
    for box, score in zip(*found, strict=True):
        width = float(box[2] - box[0])
        right = False
        if len(plates):
            iou = np.where(taken, 0, overlaps(box, plates))
            place = int(iou.argmax())
            right = bool(iou[place] >= MATCH)
            if right:
                taken[place] = True
                width = float(plates[place, 2] - plates[place, 0])
        matches.append(Match(float(score), right, width))
    return matches


def average_precision(matches: Iterable[Match], plates: int) -> float:
    """The mean of the highest precision at 101 recalls from 0 to 1; 0 where nothing was found."""
    ranked = sorted(matches, key=lambda one: -one.score)
    if not ranked or not plates:
        return 0.0
    hits = np.cumsum([one.right for one in ranked])
    precision = hits / np.arange(1, len(ranked) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.interp(np.linspace(0, 1, 101), hits / plates, envelope, right=0).mean())


def recall_at(matches: Iterable[Match], plates: int, pictures: int) -> float:
    """The share of plates found before the false boxes are more than 0.1 a picture."""
    right = false = 0
    for one in sorted(matches, key=lambda each: -each.score):
        right, false = right + one.right, false + (not one.right)
        if false > FALSE_PER_PICTURE * pictures:
            break
    return right / max(1, plates)


def measure(detect: Detect, marked: Sequence[Marked], size: tuple[int, int]) -> Scores:
    """The scores of a detector on whole pictures, squashed to its input."""
    matches: list[Match] = []
    widths: list[float] = []
    for one in marked:
        image = load_picture(one.path)
        scale = np.array([size[0] / image.shape[1], size[1] / image.shape[0]] * 2, np.float32)
        plates = one.boxes * scale
        matches += match(detect(squashed(image, size)), plates)
        widths += (plates[:, 2] - plates[:, 0]).tolist()
    bands = [Band(low, high, *_precision(matches, widths, low, high)) for low, high in BANDS_PX]
    counted = [one for one in matches if one.width >= SMALLEST_COUNTED_PX]
    recall = recall_at(counted, sum(width >= SMALLEST_COUNTED_PX for width in widths), len(marked))
    return Scores(tuple(bands), _precision(matches, widths, 24, 10_000)[0], recall, len(marked))


def _precision(matches: Sequence[Match], widths: Sequence[float], low: float, high: float) -> tuple[float, int]:
    count = sum(low <= width < high for width in widths)
    return average_precision([one for one in matches if low <= one.width < high], count), count
