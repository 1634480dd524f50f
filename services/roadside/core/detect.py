"""From a detection model's tensors to plates: the order of outputs, label maps, tiles to look at again, crops."""

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
"""The labels that mean a plate, in lower case and without anything but letters."""
INPUT_SHAPE = 1.25
"""Width divided by height of the shipped detector's input."""
UPRIGHT = 1.15
"""Height divided by width from which on a picture without a sure plate is looked at in two halves as well. Measured on
street pictures of 3:4: AP50 of plates 24 to 50 px wide is 0.84 in halves and 0.72 in one look."""
HALVES_OVERLAP = 0.2
"""What the two halves have in common, as a share of a half's height."""
MOST_TILES = 6
"""Tiles in a row or column at most: no picture is so long that more are worth their time."""
CROP_MARGIN = 0.25
"""The margin around a crop, on every side, as a share of the box's width: room for the corners of a plate that lie
outside of a loose box, and for rectification."""
CROP_MARGIN_MIN_PX = 12
"""The least margin around a crop, in pixels."""


class Quality(StrEnum):
    """Which of the shipped detectors looks: the small one, the large one, or the large one at photographs alone."""

    AUTO = "auto"
    FAST = "fast"
    BEST = "best"


class Search(StrEnum):
    """How thoroughly a picture is searched for small plates."""

    FAST = "fast"
    """The whole picture at once, and the two halves of an upright picture that shows no sure plate so."""
    TILES = "tiles"
    """The whole picture and all of its tiles."""
    AUTO = "auto"
    """The whole picture, and its tiles if that showed no sure plate."""


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """Which plates are sure enough to end a search, and how a picture is divided into tiles."""

    search: Search = Search.AUTO
    confident_score: float = 0.5
    """The least score, 0 to 1, of a sure plate."""
    confident_width: float = 0.06
    """The least width of a sure plate, as a share of the picture's width. Smaller plates are seldom alone, and their
    boxes are loose: AP50 is 0.89 from 24 of 300 px on and 0.35 at 12 to 24 px, which tiles bring to 0.72."""
    across: int = 2
    """Tiles in a row, for a picture shaped as the detector's input; wider pictures have more, see `grid`."""
    down: int = 2
    """Tiles in a column, for a picture shaped as the detector's input; higher pictures have more, see `grid`."""
    overlap: float = 0.2
    """What neighbouring tiles have in common, as a share of a tile's side."""
    iou_threshold: float = 0.45
    inside_threshold: float = 0.7


@dataclass(frozen=True, slots=True)
class Candidates:
    """The output of one run of a detection model: N candidates for plates or other things."""

    boxes: NDArray[np.float32]
    """(N, 4) float32: ymin, xmin, ymax, xmax as shares of the picture's height and width."""
    classes: NDArray[np.int64]
    """(N,) int64: indices of the labels as `parse_labelmap` gives them."""
    scores: NDArray[np.float32]
    """(N,) float32: the model's score of each, 0 to 1."""


def parse_labelmap(text: str) -> tuple[str, ...]:
    """The labels in the text of a `labelmap.txt`, one a line, in the order of the class numbers, without background."""
    labels = [line.strip() for line in text.splitlines()]
    while labels and not labels[-1]:
        labels.pop()
    return tuple(labels[1:] if labels and labels[0] == BACKGROUND_LABEL else labels)


def plate_classes(labels: Sequence[str]) -> frozenset[int]:
    """The indices of the labels that mean a plate; a single label means one whatever it says."""
    if len(labels) == 1:
        return frozenset({0})
    folded = ["".join(c for c in label.lower() if c.isalpha()) for label in labels]
    return frozenset(i for i, label in enumerate(folded) if label in PLATE_LABELS)


def order_outputs(tensors: Sequence[NDArray[np.float32]]) -> Candidates:
    """The candidates in the four outputs of TFLite_Detection_PostProcess, whatever their order.

    TF1 models give boxes (1, N, 4), classes (1, N), scores (1, N), count; TF2 models scores, boxes, count, classes;
    some converters permute them further. Boxes and count are known by their shapes. Of the other two, the one with a
    value that is no whole number holds the scores; if both are whole, their places decide. Candidates beyond the
    count are cut off. Raises ValueError if the tensors are not those of a detection model.
    """
    if len(tensors) != 4:
        raise ValueError(f"a detection model has 4 outputs, not {len(tensors)}")
    boxes = [i for i, t in enumerate(tensors) if t.ndim == 3 and t.shape[2] == 4]
    counts = [i for i, t in enumerate(tensors) if t.size == 1 and t.ndim < 2]
    rows = [i for i, t in enumerate(tensors) if t.ndim == 2]
    if len(boxes) != 1 or len(counts) != 1 or len(rows) != 2:
        raise ValueError(f"outputs of shapes {[t.shape for t in tensors]} are not boxes, classes, scores, count")
    first, second = rows
    # Behind its count a quantised model leaves what was there before, NaN too.
    count = int(np.clip(np.rint(tensors[counts[0]].reshape(-1)[0]), 0, tensors[boxes[0]].shape[1]))
    told = [tensors[i][:, :count] for i in rows]
    whole = [bool(np.all(values == np.rint(values))) for values in told]
    scores_first = not whole[0] if whole[0] != whole[1] else boxes[0] != 0
    scores, classes = (first, second) if scores_first else (second, first)
    return Candidates(
        tensors[boxes[0]][0, :count],
        np.rint(tensors[classes][0, :count]).astype(np.int64),
        tensors[scores][0, :count],
    )


def to_detections(
    candidates: Candidates, region: Box, classes: Collection[int], score_threshold: float
) -> tuple[Detection, ...]:
    """The plates among the candidates of a look at `region`, a part of a picture; in pixels of the picture, best first.

    Those count whose class is in `classes` and whose score is at least `score_threshold`. Boxes are clipped to the
    region; those that keep less than a pixel are dropped, and those that are not finite.
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
    """The upper and lower half of an upright picture whose first look found `first`; none if that is a sure plate.

    `width` and `height` are the picture's, in pixels; a picture that is not upright has no halves to look at.
    The detector's input is wider than high: an upright picture that is squashed into it keeps too little of a
    plate's height.
    """
    if height < UPRIGHT * width or _sure(first, width, policy):
        return ()
    return tiles(width, height, 1, 2, HALVES_OVERLAP)


def second_look(first: Sequence[Detection], width: int, height: int, policy: SearchPolicy) -> tuple[Box, ...]:
    """The tiles of a picture of `width` x `height` pixels to look at, after `first` was found in the whole of it."""
    if policy.search is Search.FAST or (policy.search is Search.AUTO and _sure(first, width, policy)):
        return ()
    return tiles(width, height, *grid(width, height, policy), policy.overlap)


def _sure(found: Sequence[Detection], width: int, policy: SearchPolicy) -> bool:
    return any(d.score >= policy.confident_score and d.box.width >= policy.confident_width * width for d in found)


def grid(width: int, height: int, policy: SearchPolicy) -> tuple[int, int]:
    """How many tiles in a row and in a column: so many that each has about the shape of the detector's input.

    A tile of another shape is squashed, and the plates in it too: on upright pictures (3:4) AP50 of plates 12 to 24
    px wide is 0.53 in 2 x 2 tiles and 0.81 in 2 x 3.
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
    """The plates of a picture of `width` x `height` pixels, each once, best score first.

    `first` was found in the whole picture, `looks` holds parts of it with what was found in each. A box that ends at an
    inner edge of its part may be a piece of a plate that the edge cut off: it is dropped for any box that it lies
    in, whatever their scores.
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
    """The crop of a detection, with the margin around it that rectification and readers need; its pixels are a copy."""
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
        frame_size=(width, height),
        stamp=frame.stamp,
        background=frame.background,
    )


def touches_seam(box: Box, region: Box, width: int, height: int) -> bool:
    """Whether `box` ends at an inner edge of its tile `region`, so that it may be a piece of a plate.

    `width` and `height` are the picture's, in pixels; the slack is 1 % of the tile's longer side.
    """
    slack = 0.01 * max(region.width, region.height)
    return (
        (region.x1 > 0 and box.x1 - region.x1 < slack)
        or (region.y1 > 0 and box.y1 - region.y1 < slack)
        or (region.x2 < width and region.x2 - box.x2 < slack)
        or (region.y2 < height and region.y2 - box.y2 < slack)
    )


def _covers(whole: Box, rest: Box, policy: SearchPolicy) -> bool:
    return iou(whole, rest) > policy.iou_threshold or intersection(whole, rest) > 0.5 * area(rest)
