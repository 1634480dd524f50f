"""From a detection's box to the four corners of the plate: what the corner net sees and what its answer means."""

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
REGION_HEIGHT_PX = 64
OFFSETS = 8
"""What the net says of the corners; a ninth number, where there is one, says whether there is a plate at all."""
ACROSS = 0.2
"""The region reaches this share of the box's width over it, left and right."""
DOWN = (0.25, 0.5)
"""And above and below it at least and at most these shares of its height..."""
DOWN_OF_WIDTH = 0.12
"""... between them this share of its width: tilted plates are wide, and their boxes high."""
AGREEMENT = 0.8
"""Intersection over union under which the plate lies so unlike its box that the net should look again."""
SMALLEST_AREA = 0.15
LARGEST_AREA = 2.5
"""Of the box's area; corners that span less or more are a slip of the net."""
PLATE_SHARE = 0.25
"""What the close look at a detection counts beside the detector's own score."""


def region(box: Box) -> Box:
    """The part of the picture around `box` that the corner net sees; it may reach over the picture's edge."""
    across = ACROSS * box.width
    down = min(max(DOWN_OF_WIDTH * box.width, DOWN[0] * box.height), DOWN[1] * box.height)
    return Box(box.x1 - across, box.y1 - down, box.x2 + across, box.y2 + down)


def region_picture(image: NDArray[np.uint8], seen: Box) -> NDArray[np.uint8]:
    """The region `seen` of `image` ((H, W, 3) uint8, BGR) as grey (REGION_HEIGHT_PX, REGION_WIDTH_PX) uint8."""
    height, width = image.shape[:2]
    x1, y1 = max(0, int(seen.x1) - 2), max(0, int(seen.y1) - 2)
    x2, y2 = min(width, int(seen.x2) + 3), min(height, int(seen.y2) + 3)
    grey: NDArray[np.uint8] = cv2.cvtColor(image[y1:y2, x1:x2], cv2.COLOR_BGR2GRAY)  # type: ignore[assignment]
    corners = box_corners(seen.x1 - x1, seen.y1 - y1, seen.x2 - x1, seen.y2 - y1)
    return cut(grey, corners, REGION_WIDTH_PX, REGION_HEIGHT_PX)


def place(offsets: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    """The corners of the plate, (4, 2) float32 pixels of the picture, of the net's answer for `box`.

    `offsets` are (8,) float32 or more: for the top left, top right, bottom right and bottom left corner of the box how
    far the plate's corner lies from it, x and y, in shares of the region's width and height.
    """
    seen = region(box)
    span = np.array([seen.width, seen.height], np.float32)
    moved: NDArray[np.float32] = box_corners(box.x1, box.y1, box.x2, box.y2) + offsets[:OFFSETS].reshape(4, 2) * span
    return moved


def plate_probability(answer: NDArray[np.float32]) -> float | None:
    """The probability that there is a plate, of the net's answer, (8,) or (9,) float32; None where it says nothing."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, float(answer[OFFSETS]))))) if len(answer) > OFFSETS else None


def weighed(score: float, plate: float | None) -> float:
    """A detector's `score` with the corner net's probability of a `plate`: their weighted geometric mean."""
    return score if plate is None else score ** (1 - PLATE_SHARE) * plate**PLATE_SHARE


def bounding_box(corners: NDArray[np.float32]) -> Box:
    """The smallest box around `corners`, (4, 2) float32."""
    (x1, y1), (x2, y2) = corners.min(0).tolist(), corners.max(0).tolist()
    return Box(x1, y1, x2, y2)


def needs_second_look(corners: NDArray[np.float32], box: Box) -> bool:
    """Whether the plate lies so unlike `box` that part of it may have been outside of the region."""
    return iou(bounding_box(corners), box) < AGREEMENT


def checked(corners: NDArray[np.float32], box: Box) -> Corners | None:
    """`corners` ((4, 2) float32) as values, or None where they are no plausible plate in `box`."""
    if not np.isfinite(corners).all() or not cv2.isContourConvex(corners):
        return None
    share = cv2.contourArea(corners) / max(1.0, box.width * box.height)
    if not SMALLEST_AREA <= share <= LARGEST_AREA:
        return None
    tl, tr, br, bl = ((float(x), float(y)) for x, y in corners)
    return (tl, tr, br, bl)
