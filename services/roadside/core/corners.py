"""The corner net's input and output: the region around a detection's box, and the plate's four corners in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.frames import Box, Corners
from roadside.core.geometry import iou
from roadside.core.rectify import box_corners, cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

REGION_WIDTH_PX = 128
"""Width of the net's input in pixels."""
REGION_HEIGHT_PX = 64
"""Height of the net's input in pixels."""
OFFSETS = 8
"""How many numbers of the net's output place the corners: x and y of four. A ninth one, which a net may lack, is the
logit of there being a plate at all."""
ACROSS = 0.2
"""How far the region reaches beyond the box on the left and on the right, as a share of the box's width."""
DOWN = (0.25, 0.5)
"""How far the region reaches beyond the box above and below: at least and at most, as shares of the box's height."""
DOWN_OF_WIDTH = 0.12
"""What it reaches between these two, as a share of the box's width: tilted plates are wide, and their boxes high."""
AGREEMENT = 0.8
"""Intersection over union of the corners' bounding box and the detection's box, 0 to 1. Below it a part of the plate
may have been outside of the region, and the net looks again."""
SMALLEST_AREA = 0.15
"""The least area of the corners' quadrilateral, as a share of the box's area; less is an error of the net."""
LARGEST_AREA = 2.5
"""The largest area of the corners' quadrilateral, as a multiple of the box's area; more is an error of the net."""
PLATE_SHARE = 0.25
"""The exponent of the corner net's probability in the weighted geometric mean with the detector's score, 0 to 1."""


def region(box: Box) -> Box:
    """The part of the picture around `box` that the corner net sees, in pixels; it may reach beyond the picture."""
    across = ACROSS * box.width
    down = min(max(DOWN_OF_WIDTH * box.width, DOWN[0] * box.height), DOWN[1] * box.height)
    return Box(box.x1 - across, box.y1 - down, box.x2 + across, box.y2 + down)


def region_picture(image: NDArray[np.uint8], seen: Box) -> NDArray[np.uint8]:
    """The net's input: the region `seen` of a picture, in grey and resized.

    `image` is (H, W, 3) uint8 in BGR order, the result (REGION_HEIGHT_PX, REGION_WIDTH_PX) uint8. What lies beyond the
    picture repeats its edge.
    """
    height, width = image.shape[:2]
    x1, y1 = max(0, int(seen.x1) - 2), max(0, int(seen.y1) - 2)
    x2, y2 = min(width, int(seen.x2) + 3), min(height, int(seen.y2) + 3)
    grey: NDArray[np.uint8] = cv2.cvtColor(image[y1:y2, x1:x2], cv2.COLOR_BGR2GRAY)  # type: ignore[assignment]
    corners = box_corners(seen.x1 - x1, seen.y1 - y1, seen.x2 - x1, seen.y2 - y1)
    return cut(grey, corners, REGION_WIDTH_PX, REGION_HEIGHT_PX)


def place(offsets: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    """The corners of the plate in pixels of the picture, (4, 2) float32, from the net's output for `box`.

    `offsets` is (8,) or (9,) float32. The first eight tell, for the top left, top right, bottom right and bottom left
    corner of the box, how far the plate's corner lies from it: x as a share of the region's width, y of its height.
    """
    seen = region(box)
    span = np.array([seen.width, seen.height], np.float32)
    moved: NDArray[np.float32] = box_corners(box.x1, box.y1, box.x2, box.y2) + offsets[:OFFSETS].reshape(4, 2) * span
    return moved


def plate_probability(answer: NDArray[np.float32]) -> float | None:
    """The probability, 0 to 1, that there is a plate at all, from the net's output, (8,) or (9,) float32.

    None for a net with eight outputs, which does not tell. The logistic function of the ninth.
    """
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, float(answer[OFFSETS]))))) if len(answer) > OFFSETS else None


def weighed(score: float, plate: float | None) -> float:
    """The score of a detection after the close look: score^(1 - PLATE_SHARE) * plate^PLATE_SHARE, all of them 0 to 1.

    `plate` is the result of `plate_probability`; where it is None the detector's `score` stays.
    """
    return score if plate is None else score ** (1 - PLATE_SHARE) * plate**PLATE_SHARE


def bounding_box(corners: NDArray[np.float32]) -> Box:
    """The smallest axis-parallel box around `corners`, (4, 2) float32 in pixels."""
    (x1, y1), (x2, y2) = corners.min(0).tolist(), corners.max(0).tolist()
    return Box(x1, y1, x2, y2)


def needs_second_look(corners: NDArray[np.float32], box: Box) -> bool:
    """Whether `corners`, (4, 2) float32, fit `box` so badly that a part of the plate may lie outside of the region."""
    return iou(bounding_box(corners), box) < AGREEMENT


def checked(corners: NDArray[np.float32], box: Box) -> Corners | None:
    """`corners`, (4, 2) float32, as a tuple, or None if they cannot be a plate in `box`.

    They can if they are finite and convex, and span an area between SMALLEST_AREA and LARGEST_AREA of the box's.
    """
    if not np.isfinite(corners).all() or not cv2.isContourConvex(corners):
        return None
    share = cv2.contourArea(corners) / max(1.0, box.width * box.height)
    if not SMALLEST_AREA <= share <= LARGEST_AREA:
        return None
    tl, tr, br, bl = ((float(x), float(y)) for x, y in corners)
    return (tl, tr, br, bl)
