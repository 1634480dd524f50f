"""Detections against marked plates: average precision, recall at a rate of false alarms, by plate width."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VIEW_PX = 320
"""Plate widths are told as a detector sees them that gets the picture squashed to 320 x 320."""
UNMARKED_IOU = 0.3
"""Unmarked plates were boxed by a detector: their edges are not exact."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: what was found and what is there."""

    boxes: NDArray[np.float64]
    """(N, 4) x1, y1, x2, y2 of the detections, pixels of the picture."""
    scores: NDArray[np.float64]
    """(N,), in falling order."""
    truth: NDArray[np.float64]
    """(M, 4) of the marked plates."""
    width: int
    """Of the picture in pixels."""
    unmarked: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 4)))
    """(K, 4) plates that are there and that whoever marked the picture left out: finding them is no false alarm."""

    def in_view(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Widths of `boxes` in pixels of the 320 px view."""
        return np.asarray((boxes[:, 2] - boxes[:, 0]) * (VIEW_PX / self.width), np.float64)


@dataclass(frozen=True, slots=True)
class Tally:
    """All detections of a set, best first, each a hit or a false alarm."""

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    plates: int
    pictures: int


def overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every box of `a` (N, 4) with every one of `b` (M, 4): (N, M)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    sizes = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    return np.asarray(common / np.maximum(sizes[0][:, None] + sizes[1][None] - common, 1e-9), np.float64)


def assign(scene: Scene, counted: NDArray[np.bool_], least_iou: float) -> NDArray[np.int64]:
    """For each detection the plate that it finds, -1 for none; best score first, a plate once, counted ones before."""
    owners = np.full(len(scene.boxes), -1)
    if not len(scene.truth):
        return owners
    shared = overlaps(scene.boxes, scene.truth)
    free = np.ones(len(scene.truth), bool)
    for i, row in enumerate(shared):
        for wanted in (counted, ~counted):
            open_to = np.where(free & wanted, row, 0.0)
            best = int(open_to.argmax())
            if open_to[best] >= least_iou:
                owners[i], free[best] = best, False
                break
    return owners


def tally(scenes: Sequence[Scene], widths: tuple[float, float], least_iou: float = 0.5, *, strays: str) -> Tally:
    """The detections of `scenes` against the plates of `widths` (from, to) in the 320 px view.

    Plates of other widths count neither as missed nor as found. `strays` says which detections that find
    nothing are false alarms: `all`, or `same width`, those of the widths looked at (as COCO does by size).
    """
    scores, hits, plates = [], [], 0
    low, high = widths
    for scene in scenes:
        sizes = scene.in_view(scene.truth)
        counted = (sizes >= low) & (sizes < high)
        plates += int(counted.sum())
        found = scene.in_view(scene.boxes)
        excused = (overlaps(scene.boxes, scene.unmarked) > UNMARKED_IOU).any(axis=1)
        for i, owner in enumerate(assign(scene, counted, least_iou)):
            stray = owner < 0 and not excused[i] and (strays == "all" or low <= found[i] < high)
            if stray or (owner >= 0 and counted[owner]):
                scores.append(scene.scores[i])
                hits.append(owner >= 0)
    order = np.argsort(-np.array(scores), kind="stable")
    return Tally(np.array(scores)[order], np.array(hits, bool)[order], plates, len(scenes))


def average_precision(found: Tally) -> float:
    """Area under the precision-recall curve, all-point interpolation; nan without plates."""
    if not found.plates:
        return float("nan")
    hits = np.cumsum(found.hits)
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / found.plates
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * envelope)) if len(hits) else 0.0


def recall_at(found: Tally, alarms_a_picture: float) -> float:
    """The largest recall with at most `alarms_a_picture` false alarms a picture; nan without plates."""
    if not found.plates:
        return float("nan")
    allowed = np.cumsum(~found.hits) <= alarms_a_picture * found.pictures
    return float(found.hits[allowed].sum() / found.plates)


def recall_over(scenes: Sequence[Scene], score: float, least_iou: float = 0.5) -> float:
    """Share of the marked plates found by detections of at least `score`."""
    found = plates = 0
    for scene in scenes:
        owners = assign(scene, np.ones(len(scene.truth), bool), least_iou)
        found += int(np.sum((owners >= 0) & (scene.scores >= score)))
        plates += len(scene.truth)
    return found / plates if plates else float("nan")
