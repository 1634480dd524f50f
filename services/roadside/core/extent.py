"""What in the picture of a plate speaks against all of it having been seen.

A reader reads what it sees. Where a shadow, glare, tape or a bumper covers an end, the characters before it are read
for certain, and they are no plate of anybody. So before somebody is accused each picture is looked at once more, along
the plate: is its ground equally bright, is there lettering everywhere, has it the shape of plates, does the picture end
here?
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.rectify import aspect_ratio, crop_corners, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.frames import Crop

LEAST_FREE = 2
"""Frames in which nothing speaks against the plate: fewer, and the doubts of the others stand."""
EDGE_SHARE = 0.02
"""Of the frame's width and height: a plate nearer to its edge may go on outside of it."""
CELLS = 20
"""Parts of a plate's length that are compared: about three a character."""
_CELL_PX, _HEIGHT_PX, _MARGIN_PX = 10, 40, 6
BAND_CELLS = 2
"""At the left, where many plates have a blue band."""
MOST_LIGHT_RATIO = 2.2
"""Of the ground's brightest to its darkest cell. Clean frames of 80 held-out plates: over it 0 %, dark and blurred ones
1 %; of those with the edge of a shadow 72 %."""
EMPTY_CONTRAST = 0.35
"""Of the plate's median contrast: a cell with less holds no lettering."""
MOST_EMPTY_CELLS = 3
"""In a row. Of clean frames 1 % have more, of those with glare 29 %."""
GLARE_LIGHT, GLARE_RATIO = 240, 1.08
"""Of 255, and of the median ground: a cell without lettering that is as bright is no gap between groups, for that has
the ground of all others. Of clean frames none has such a cell, of blurred and small ones 1 %, of those with glare 47 %.
"""
LEAST_ASPECT = 2.3
"""Width over height. European plates of one line are 4.7 times as wide as high, less where they are seen from aside;
with two characters cut off most measure 2.7 to 3.5. Plates of two lines are below it too."""


FEW_CHARACTERS, LEAST_ASPECT_OF_FEW = 5, 3.0
"""Few plates have five characters or less, and those are as long as others but for some German ones: half of a plate
behind a post is read as one."""
MOST_ASPECT = 6.3
"""Width over height. Seen from 40 degrees above, a plate of 4.7 is 6.1. Of clean frames of 80 held-out plates 2 % are
over it; with the lower or the upper edge of all characters hidden 60 %: those are misread all at once."""


class Doubt(StrEnum):
    """Why more may stand there than was read, in the order of weight."""

    EDGE = "plate-at-picture-edge"
    CUT = "plate-cut-by-crop"
    LIGHT = "plate-unevenly-lit"
    EMPTY = "plate-partly-covered"
    SHORT = "plate-looks-cut"
    LOW = "plate-half-hidden"


def doubts_of(crop: Crop, characters: int | None = None) -> frozenset[Doubt]:
    """What in one picture of a plate speaks against the whole plate having been seen.

    `characters`: how many were read on it in all, if that is known.
    """
    if min(crop.image.shape[:2]) < 2:
        return frozenset((Doubt.CUT,))
    corners = crop_corners(crop)
    found = {Doubt.EDGE} if _at_edge(crop) else set()
    if _leaves(corners, crop):
        found.add(Doubt.CUT)
    found |= _out_of_shape(aspect_ratio(corners), characters)
    grey = np.asarray(cv2.cvtColor(crop.image, cv2.COLOR_BGR2GRAY), np.uint8)
    ground, contrast = _along(grey, corners)
    empty = contrast < EMPTY_CONTRAST * np.median(contrast)
    glare = empty & (ground >= GLARE_LIGHT) & (ground >= GLARE_RATIO * np.median(ground))
    if glare.any() or ground.max() > MOST_LIGHT_RATIO * max(4.0, ground.min()):
        found.add(Doubt.LIGHT)
    if _longest_run(empty) > MOST_EMPTY_CELLS:
        found.add(Doubt.EMPTY)
    return frozenset(found)


def joint_doubts(found: Sequence[frozenset[Doubt]]) -> tuple[str, ...]:
    """The doubts of a passage, of those of its frames: none where enough frames have none, else all, in their order."""
    free = sum(not doubts for doubts in found)
    if free >= min(LEAST_FREE, len(found)):
        return ()
    counts = Counter(doubt for doubts in found for doubt in doubts)
    return tuple(doubt.value for doubt in Doubt if counts[doubt])


def _at_edge(crop: Crop) -> bool:
    if crop.frame_size is None:
        return False
    (width, height), box = crop.frame_size, crop.detection.box
    across, down = EDGE_SHARE * width, EDGE_SHARE * height
    return box.x1 < across or box.x2 > width - across or box.y1 < down or box.y2 > height - down


def _leaves(corners: NDArray[np.float32], crop: Crop) -> bool:
    """Whether the plate reaches out of its crop by more than a hundredth of its width."""
    height, width = crop.image.shape[:2]
    slack = 1.0 + 0.01 * float(np.linalg.norm(corners[1] - corners[0]))
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return bool(left < -slack or top < -slack or right > width + slack or bottom > height + slack)


def _out_of_shape(aspect: float, characters: int | None) -> set[Doubt]:
    few = characters is not None and characters <= FEW_CHARACTERS
    if aspect < (LEAST_ASPECT_OF_FEW if few else LEAST_ASPECT):
        return {Doubt.SHORT}
    return {Doubt.LOW} if aspect > MOST_ASPECT else set()


def _along(grey: NDArray[np.uint8], corners: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each cell but those of the band: how bright its ground is, and how far lettering stands out from it."""
    strip = cut(grey, corners, CELLS * _CELL_PX, _HEIGHT_PX)[_MARGIN_PX:-_MARGIN_PX].astype(np.float64)
    cells = strip.reshape(len(strip), CELLS, _CELL_PX).transpose(1, 0, 2).reshape(CELLS, -1)[BAND_CELLS:]
    ground = np.percentile(cells, 85, axis=1)
    return np.asarray(ground), np.asarray(ground - np.percentile(cells, 15, axis=1))


def _longest_run(hits: NDArray[np.bool_]) -> int:
    longest = current = 0
    for hit in hits.tolist():
        current = current + 1 if hit else 0
        longest = max(longest, current)
    return longest
