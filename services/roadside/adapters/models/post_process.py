"""Non-maximum suppression exactly as TFLite's detection models do it, for backends whose files end before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.detect import Candidates

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PostProcess:
    """The attributes of a detection model's last step."""

    detections: int
    """How many boxes are kept at most."""
    lowest_score: float
    """Boxes under it are left out."""
    overlap: float
    """Intersection over union over which the weaker of two boxes is left out."""

    def select(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Candidates:
        """The boxes that stay of all that a detector with one class gave, best first.

        `boxes` are (N, 4) float32: ymin, xmin, ymax, xmax as shares of the picture; `scores` (N,) float32, 0 to 1.
        As the fast suppression of TFLite_Detection_PostProcess
        (tensorflow/lite/kernels/detection_postprocess.cc, NonMaxSuppressionSingleClassHelper).
        """
        likely = np.flatnonzero(scores >= np.float32(self.lowest_score))
        waiting = likely[np.argsort(-scores[likely], kind="stable")]
        chosen: list[int] = []
        while len(waiting) and len(chosen) < self.detections:
            best, waiting = int(waiting[0]), waiting[1:]
            chosen.append(best)
            waiting = waiting[~(overlaps(boxes[best], boxes[waiting]) > np.float32(self.overlap))]
        kept = np.array(chosen, np.int64)
        return Candidates(boxes[kept], np.zeros(len(kept), np.int64), scores[kept])


def overlaps(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of `box` (4,) with each of `others` (N, 4), (N,) float32; 0 for boxes without area."""
    corner = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.maximum(corner, 0), axis=1)
    area, areas = np.prod(box[2:] - box[:2]), np.prod(others[:, 2:] - others[:, :2], axis=1)
    there = (area > 0) & (areas > 0)
    found: NDArray[np.float32] = np.where(there, shared / np.where(there, area + areas - shared, 1), 0)
    return found.astype(np.float32)
