"""Hard-example mining for "plate or not": what a detector finds in the training pictures, plates and false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.corners.dataset import jittered_box, region_of
from models.detector.dataset import marked_picture, read_label_review
from models.evaluate.matching import overlaps
from models.ocr.augment import degraded
from models.training.sampling import WeightedSampler
from roadside.core.corners import REGION_WIDTH_PX, region
from roadside.core.detect import Search
from roadside.core.frames import Box
from roadside.core.rectify import box_corners
from roadside.errors import SourceError
from roadside.vision import open_detector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.corners.config import BoxJitter, Mining
    from models.training.photographs import Marked
    from roadside.core.frames import Detection

ROOM = 0.3
"""Of the region's width and height, kept around it, so that a jittered box is still inside."""
KEPT_WIDTH_PX = 2 * REGION_WIDTH_PX
"""Wider cuts are shrunk to it: the net sees less of them anyway."""
SMALLEST_PX = (8.0, 3.0)
"""Width and height in the picture under which a candidate says nothing."""
PROGRESS_EVERY = 500
"""Pictures from one line of progress to the next."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place in a picture."""

    grey: NDArray[np.uint8]
    """Cut around the region, with some room."""
    box: Box
    """In the cut."""
    plate: bool
    weight: float
    """By which it is drawn among its kind."""


def mine(pictures: Sequence[Marked], detector: Path, settings: Mining) -> list[Candidate]:
    """The marked plates of `pictures`, and what the detector of a folder finds with tiles that is certainly none.

    Raises:
        ModelError: the folder holds no detector.

    """
    finder = open_detector(detector, score=settings.lowest_score, search=Search.TILES, close_look=False)
    reviews, found = read_label_review(), []
    for number, one in enumerate(pictures):
        if number % PROGRESS_EVERY == 0:
            print(f"Looking for what is no plate: picture {number} of {len(pictures)}", flush=True)
        picture = marked_picture(one, reviews)
        grey = np.asarray(cv2.cvtColor(picture.image, cv2.COLOR_BGR2GRAY), np.uint8)
        plates, unclear, negatives = (
            marks.astype(float) for marks in (picture.boxes, picture.ignored, picture.hard_negatives)
        )
        found += [_cut(grey, _box(plate), plate=True, weight=1.0) for plate in plates if _large_enough(plate)]
        found += [
            _cut(grey, _box(negative), plate=False, weight=1.0) for negative in negatives if _large_enough(negative)
        ]
        found += of_detections(grey, finder.detect(picture.image), plates, unclear, settings)
    return found


def of_detections(
    grey: NDArray[np.uint8],
    detections: Sequence[Detection],
    plates: NDArray[np.float64],
    unclear: NDArray[np.float64],
    settings: Mining,
) -> list[Candidate]:
    """What a detector found in a picture with `plates` (N, 4) that were marked and others that are `unclear` (M, 4).

    The `detections`, best score first, that are a plate, and those that are far from all of them.
    """
    boxes = np.array([[d.box.x1, d.box.y1, d.box.x2, d.box.y2] for d in detections]).reshape(-1, 4)
    on_plate, on_unclear = (
        overlaps(boxes, marks).max(axis=1, initial=0.0) if len(marks) else np.zeros(len(boxes))
        for marks in (plates, unclear)
    )
    found, others = [], 0
    for detection, row, plate, cloud in zip(detections, boxes, on_plate, on_unclear, strict=True):
        if not _large_enough(row):
            continue
        if plate >= settings.plate_overlap:
            found.append(_cut(grey, detection.box, plate=True, weight=1.0))
        elif max(plate, cloud) <= settings.other_overlap and others < settings.most:
            others += 1
            weight = max(settings.least_weight, detection.score)
            found.append(_cut(grey, detection.box, plate=False, weight=weight))
    return found


def _large_enough(row: NDArray[np.float64]) -> bool:
    return bool(row[2] - row[0] >= SMALLEST_PX[0] and row[3] - row[1] >= SMALLEST_PX[1])


def _box(row: NDArray[np.float64]) -> Box:
    return Box(*(float(edge) for edge in row))


def _cut(grey: NDArray[np.uint8], box: Box, *, plate: bool, weight: float) -> Candidate:
    seen = region(box)
    across, down = ROOM * seen.width, ROOM * seen.height
    x1, y1 = max(0, int(seen.x1 - across)), max(0, int(seen.y1 - down))
    part = grey[y1 : int(seen.y2 + down) + 1, x1 : int(seen.x2 + across) + 1]
    scale = min(1.0, KEPT_WIDTH_PX / part.shape[1])
    if scale < 1:
        size = (round(part.shape[1] * scale), max(1, round(part.shape[0] * scale)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    moved = Box((box.x1 - x1) * scale, (box.y1 - y1) * scale, (box.x2 - x1) * scale, (box.y2 - y1) * scale)
    return Candidate(part.copy(), moved, plate, weight)


class Candidates:
    """Candidates in memory, drawn by their weights."""

    def __init__(self, candidates: Sequence[Candidate], jitter: BoxJitter) -> None:
        """Raises SourceError where either kind is missing."""
        self._kinds = {kind: [one for one in candidates if one.plate is kind] for kind in (True, False)}
        if not all(self._kinds.values()):
            raise SourceError("The detector finds nothing but plates, or none, in the training pictures")
        self._by_weight = {kind: WeightedSampler([one.weight for one in some]) for kind, some in self._kinds.items()}
        self._jitter = jitter

    @property
    def plates(self) -> int:
        """How many are plates."""
        return len(self._kinds[True])

    @property
    def others(self) -> int:
        """How many are none."""
        return len(self._kinds[False])

    def sample(self, rng: Generator, *, plate: bool, mild: bool) -> NDArray[np.uint8]:
        """The region of a candidate, its box jittered, degraded: (64, 128)."""
        one = self._kinds[plate][self._by_weight[plate].draw(rng)]
        box = jittered_box(rng, box_corners(one.box.x1, one.box.y1, one.box.x2, one.box.y2), self._jitter)
        return degraded(rng, region_of(one.grey, box), mild=mild)
