"""Hard-example mining for "plate or not": what a detector finds in the training pictures, plates and false alarms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.corners.dataset import jittered_box, region_of
from models.data.negatives import read_negatives
from models.data.photographs import load_picture
from models.detector.dataset import marked_picture, read_label_review
from models.evaluate.matching import overlaps
from models.ocr.augment import degraded
from models.synth.lettering import lettered
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
    from roadside.vision import PlateFinder

ROOM = 0.3
"""Of the region's width and height, kept around it, so that a jittered box is still inside."""
KEPT_WIDTH_PX = 2 * REGION_WIDTH_PX
"""Wider cuts are shrunk to it: the net sees less of them anyway."""
SMALLEST_PX = (8.0, 3.0)
"""Width and height in the picture under which a candidate says nothing."""
PROGRESS_EVERY = 250
"""Pictures from one line of progress to the next."""
LETTERING_SEED = 16


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


def mine(pictures: Sequence[Marked], detectors: Sequence[Path], settings: Mining) -> list[Candidate]:
    """The marked plates of some of `pictures`, and what the detectors find there with tiles that is certainly none.

    Each picture is searched by one of the detectors, in turn; some of the pictures have lettering drawn into them.

    Raises:
        ModelError: a folder holds no detector.

    """
    finders = [_finder(folder, settings) for folder in detectors]
    rng = np.random.default_rng(LETTERING_SEED)
    reviews, found = read_label_review(), []
    chosen = [pictures[place] for place in rng.permutation(len(pictures))[: settings.pictures]]
    for number, one in enumerate(chosen):
        if number % PROGRESS_EVERY == 0:
            print(f"Looking for what is no plate: picture {number} of {len(chosen)}", flush=True)
        picture = marked_picture(one, reviews)
        plates, unclear, negatives = (
            marks.astype(float) for marks in (picture.boxes, picture.ignored, picture.hard_negatives)
        )
        image, drawn = picture.image, np.zeros((0, 4), np.float32)
        if rng.random() < settings.lettered:
            texts = lettered(rng, image, np.concatenate([plates, unclear, negatives]).astype(np.float32))
            image, drawn = texts.image, texts.boxes
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        found += [_cut(grey, _box(plate), plate=True, weight=1.0) for plate in plates if _large_enough(plate)]
        found += [
            _cut(grey, _box(negative), plate=False, weight=1.0) for negative in negatives if _large_enough(negative)
        ]
        found += [
            _cut(grey, _box(text), plate=False, weight=settings.lettering_weight)
            for text in drawn
            if _large_enough(text)
        ]
        found += of_detections(grey, finders[number % len(finders)].detect(image), plates, unclear, settings)
    return found


def mine_negatives(folder: Path, detectors: Sequence[Path], settings: Mining) -> list[Candidate]:
    """What every one of the detectors takes for a plate in the photographs without one that may be trained on.

    Each is looked at whole and in `settings.negative_views` parts of it, which weigh more for there are few.

    Raises:
        RoadsideError: a folder holds no detector, or a picture is missing.

    """
    finders = [_finder(detector, settings) for detector in detectors]
    rng, nothing = np.random.default_rng(LETTERING_SEED), np.zeros((0, 4))
    found: list[Candidate] = []
    for one in (one for one in read_negatives(folder) if not one.held_out):
        whole = load_picture(one.path)
        for image in (whole, *(_part(rng, whole) for _ in range(settings.negative_views))):
            grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
            for finder in finders:
                seen = of_detections(grey, finder.detect(image), nothing, nothing, settings)
                found += [replace(one, weight=one.weight * settings.negative_weight) for one in seen]
    return found


def _finder(folder: Path, settings: Mining) -> PlateFinder:
    return open_detector(folder, score=settings.lowest_score, search=Search.TILES, close_look=False)


def _part(rng: Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A part of a picture, half to all of its width and height."""
    height, width = image.shape[:2]
    tall, wide = (int(side * rng.uniform(0.5, 1.0)) for side in (height, width))
    y, x = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    return np.ascontiguousarray(image[y : y + tall, x : x + wide])


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


def write_candidates(path: Path, candidates: Sequence[Candidate]) -> None:
    """`candidates` as one file, put in place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    arrays = {
        "pixels": np.concatenate([one.grey.ravel() for one in candidates]),
        "shapes": np.array([one.grey.shape for one in candidates], np.int32),
        "boxes": np.array([[one.box.x1, one.box.y1, one.box.x2, one.box.y2] for one in candidates], np.float32),
        "plates": np.array([one.plate for one in candidates], bool),
        "weights": np.array([one.weight for one in candidates], np.float32),
    }
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(path)


def read_candidates(path: Path) -> list[Candidate]:
    """The candidates of a file that `write_candidates` wrote."""
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    ends = np.cumsum(parts["shapes"].prod(1))
    pictures = np.split(parts["pixels"], ends[:-1])
    rows = zip(pictures, parts["shapes"], parts["boxes"], parts["plates"], parts["weights"], strict=True)
    return [
        Candidate(pixels.reshape(shape), _box(box), bool(plate), float(weight))
        for pixels, shape, box, plate, weight in rows
    ]


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
