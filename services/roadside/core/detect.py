"""From the tensors of a detection model to plates: output orders, label maps, and where to look twice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.frames import Box, Crop, Detection, Frame
from roadside.core.geometry import area, clip, intersection, iou, shift, suppress, tiles

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

BACKGROUND_LABEL = "???"
"""The first line of a TF1 label map; it has no number among the classes of the TFLite output."""
PLATE_LABELS = frozenset({"plate", "licenseplate", "licenceplate", "numberplate", "registrationplate"})
INPUT_SHAPE = 1.25
"""Width over height of the detector's input."""
UPRIGHT = 1.15
"""Height over width from which a picture is looked at in two halves where it shows no sure plate: in street pictures
of 3:4 AP50 at 24-50 px was 0.84 in halves and 0.72 in one look."""
HALVES_OVERLAP = 0.2
MOST_TILES = 6
"""In a row: no picture is so long that it is worth more."""
CROP_MARGIN = 0.25
"""Of the plate's width on every side: room for corners that lie outside of a loose box, and for rectification."""
CROP_MARGIN_MIN_PX = 12


class Search(StrEnum):
    """How hard small plates are looked for."""

    FAST = "fast"
    """The whole picture once; one that stands upright and shows no sure plate so, in its halves as well."""
    TILES = "tiles"
    """The whole picture and its tiles, always."""
    AUTO = "auto"
    """The tiles where the whole picture showed no plate to be sure of."""


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """When and where a second look is worth its time."""

    search: Search = Search.AUTO
    confident_score: float = 0.5
    """A plate over it in the whole picture ends an `auto` search..."""
    confident_width: float = 0.06
    """... if it is at least this share of the picture's width: smaller ones are seldom alone, and their
    boxes are loose (AP50 0.89 over 24 of 300 px, 0.35 at 12-24 px, tiles bring the latter to 0.72)."""
    across: int = 2
    down: int = 2
    """Tiles of a picture shaped as the detector's input; of wider and higher ones there are more, see `grid`."""
    overlap: float = 0.2
    iou_threshold: float = 0.45
    inside_threshold: float = 0.7


@dataclass(frozen=True, slots=True)
class Candidates:
    """What one run of a detection model gave, whichever order its outputs came in."""

    boxes: NDArray[np.float32]
    """(N, 4) float32: ymin, xmin, ymax, xmax as shares of the picture."""
    classes: NDArray[np.int64]
    """(N,) numbers of the labels, background not counted."""
    scores: NDArray[np.float32]
    """(N,) float32, 0 to 1."""


def parse_labelmap(text: str) -> tuple[str, ...]:
    """The labels of a `labelmap.txt`, a line each, in the order of the class numbers."""
    labels = [line.strip() for line in text.splitlines()]
    while labels and not labels[-1]:
        labels.pop()
    return tuple(labels[1:] if labels and labels[0] == BACKGROUND_LABEL else labels)


def plate_classes(labels: Sequence[str]) -> frozenset[int]:
    """The numbers of the labels that mean a plate; the only label means one whatever it says."""
    if len(labels) == 1:
        return frozenset({0})
    folded = ["".join(c for c in label.lower() if c.isalpha()) for label in labels]
    return frozenset(i for i, label in enumerate(folded) if label in PLATE_LABELS)


def order_outputs(tensors: Sequence[NDArray[np.float32]]) -> Candidates:
    """The four outputs of TFLite_Detection_PostProcess told apart, cut to the count.

    TF1 models give boxes, classes, scores, count; TF2 models scores, boxes, count, classes; converters have
    been seen to permute them further. Boxes and count are known by their shapes. Of the two that are left
    the one with a value that is no whole number holds the scores; where both are whole, the place decides.

    Raises ValueError where the tensors are not those of a detection model.
    """
    if len(tensors) != 4:
        raise ValueError(f"a detection model has 4 outputs, not {len(tensors)}")
    boxes = [i for i, t in enumerate(tensors) if t.ndim == 3 and t.shape[2] == 4]
    counts = [i for i, t in enumerate(tensors) if t.size == 1 and t.ndim < 2]
    rows = [i for i, t in enumerate(tensors) if t.ndim == 2]
    if len(boxes) != 1 or len(counts) != 1 or len(rows) != 2:
        raise ValueError(f"outputs of shapes {[t.shape for t in tensors]} are not boxes, classes, scores, count")
    first, second = rows
    whole = [bool(np.all(tensors[i] == np.rint(tensors[i]))) for i in rows]
    scores_first = not whole[0] if whole[0] != whole[1] else boxes[0] != 0
    scores, classes = (first, second) if scores_first else (second, first)
    count = int(np.clip(np.rint(tensors[counts[0]].reshape(-1)[0]), 0, tensors[boxes[0]].shape[1]))
    return Candidates(
        tensors[boxes[0]][0, :count],
        np.rint(tensors[classes][0, :count]).astype(np.int64),
        tensors[scores][0, :count],
    )


def to_detections(
    candidates: Candidates, region: Box, classes: Collection[int], score_threshold: float
) -> tuple[Detection, ...]:
    """The plates among `candidates` of the picture's part `region`, in pixels of the picture, best first.

    Boxes are clipped to the region; what is left with less than a pixel is dropped, and so is what is not
    a number.
    """
    found = []
    for (y1, x1, y2, x2), number, score in zip(
        candidates.boxes.tolist(), candidates.classes.tolist(), candidates.scores.tolist(), strict=True
    ):
        if number not in classes or not score >= score_threshold:
            continue
        if not np.isfinite((y1, x1, y2, x2)).all():
            continue
        width, height = region.width, region.height
        box = clip(Box(x1 * width, y1 * height, x2 * width, y2 * height), width, height)
        if box is not None:
            found.append(Detection(shift(box, region.x1, region.y1), min(score, 1.0)))
    return tuple(sorted(found, key=lambda d: -d.score))


def halves(first: Sequence[Detection], width: int, height: int, policy: SearchPolicy) -> tuple[Box, ...]:
    """The upper and the lower half of an upright picture that gave `first` at one look, if that is no sure plate.

    Squashed into the detector's input an upright picture keeps too little of a plate's height.
    """
    if height < UPRIGHT * width or _sure(first, width, policy):
        return ()
    return tiles(width, height, 1, 2, HALVES_OVERLAP)


def second_look(first: Sequence[Detection], width: int, height: int, policy: SearchPolicy) -> tuple[Box, ...]:
    """The parts of a `width` x `height` picture to look at again after `first` was found in the whole of it."""
    if policy.search is Search.FAST or (policy.search is Search.AUTO and _sure(first, width, policy)):
        return ()
    return tiles(width, height, *grid(width, height, policy), policy.overlap)


def _sure(found: Sequence[Detection], width: int, policy: SearchPolicy) -> bool:
    return any(d.score >= policy.confident_score and d.box.width >= policy.confident_width * width for d in found)


def grid(width: int, height: int, policy: SearchPolicy) -> tuple[int, int]:
    """How many tiles across and down: so many that each is shaped much as the detector's input.

    A tile of another shape is squashed, and the plates in it: in upright pictures (3:4) the boxes of small plates
    were too loose to count (AP50 0.53 at 12-24 px in 2 x 2 tiles, 0.81 in 2 x 3).
    """
    shape = width / height / INPUT_SHAPE
    across, down = max(policy.across, round(policy.down * shape)), max(policy.down, round(policy.across / shape))
    return min(across, MOST_TILES), min(down, MOST_TILES)


def merge(
    first: Sequence[Detection],
    looks: Sequence[tuple[Box, Sequence[Detection]]],
    width: int,
    height: int,
    policy: SearchPolicy,
) -> tuple[Detection, ...]:
    """One list of plates from the whole picture and its parts, each plate once, best score first.

    A box that ends at an inner edge of its part may be the rest of a plate that the edge cut: it gives way
    to any box that it lies in, whatever their scores.
    """
    whole: list[Detection] = list(first)
    cut: list[Detection] = []
    for region, detections in looks:
        for detection in detections:
            (cut if touches_seam(detection.box, region, width, height) else whole).append(detection)
    kept = suppress(whole, policy.iou_threshold, policy.inside_threshold)
    rests = [
        d
        for d in suppress(cut, policy.iou_threshold, policy.inside_threshold)
        if not any(_covers(k.box, d.box, policy) for k in kept)
    ]
    return tuple(sorted((*kept, *rests), key=lambda d: -d.score))


def crop_plate(frame: Frame, detection: Detection) -> Crop:
    """The crop of `detection` from `frame` with the margin that rectification and every reader need."""
    box, (height, width) = detection.box, frame.image.shape[:2]
    margin = max(CROP_MARGIN * box.width, CROP_MARGIN_MIN_PX)
    x1, y1 = max(0, int(box.x1 - margin)), max(0, int(box.y1 - margin))
    x2, y2 = min(width, int(np.ceil(box.x2 + margin))), min(height, int(np.ceil(box.y2 + margin)))
    return Crop(
        camera_id=frame.camera_id,
        captured_at_ns=frame.captured_at_ns,
        sequence=frame.sequence,
        detection=detection,
        image=frame.image[y1:y2, x1:x2].copy(),
        origin=(x1, y1),
    )


def touches_seam(box: Box, region: Box, width: int, height: int) -> bool:
    """Whether `box` ends where its tile `region` does, inside of the picture: it may be part of a plate."""
    slack = 0.01 * max(region.width, region.height)
    return (
        (region.x1 > 0 and box.x1 - region.x1 < slack)
        or (region.y1 > 0 and box.y1 - region.y1 < slack)
        or (region.x2 < width and region.x2 - box.x2 < slack)
        or (region.y2 < height and region.y2 - box.y2 < slack)
    )


def _covers(whole: Box, rest: Box, policy: SearchPolicy) -> bool:
    return iou(whole, rest) > policy.iou_threshold or intersection(whole, rest) > 0.5 * area(rest)
