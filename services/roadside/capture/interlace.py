"""Pictures of two half pictures: whether what moves has the teeth of a comb."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 12
"""Grey values between rows of two moments, and more than between rows of one."""
MOVED = 20
"""Grey values by which a pixel changed since the last picture that was looked at."""
LEAST_MOVED_PX = 200
COMBED_SHARE = 0.06
"""Of the pixels that changed. Rendered streets and real clips: at most 0.004 as they are, 0.1 and more as half pictures
of two moments."""
EVERY_FRAMES = 25
LEAST_COMBED = 3
MOST_LOOKS = 400
COLUMN_STEP = 6


class CombWatch:
    """Finds out whether a source's pictures are interlaced; it looks at some of them."""

    def __init__(self) -> None:
        self._frames = 0
        self._looks = 0
        self._combed = 0
        self._clean = 0
        self._last: NDArray[np.int16] | None = None

    @property
    def is_interlaced(self) -> bool:
        """Whether most pictures in which something moves were combed."""
        return self._combed >= LEAST_COMBED and self._combed > self._clean

    def note(self, image: NDArray[np.uint8]) -> None:
        """The next picture, (H, W, 3) uint8 BGR."""
        self._frames += 1
        if self._frames % EVERY_FRAMES > 1 or self._looks >= MOST_LOOKS:
            return
        grey = cv2.cvtColor(np.ascontiguousarray(image[:, ::COLUMN_STEP]), cv2.COLOR_BGR2GRAY).astype(np.int16)
        if self._frames % EVERY_FRAMES == 1 and self._last is not None and self._last.shape == grey.shape:
            self._looks += 1
            share = combed_share(self._last, grey)
            if share is not None:
                self._combed += share >= COMBED_SHARE
                self._clean += share < COMBED_SHARE
        self._last = grey


def combed_share(before: NDArray[np.int16], grey: NDArray[np.int16]) -> float | None:
    """Of the pixels that changed since `before`, (H, W) both, those whose rows alternate; None where few changed."""
    moved = np.abs(grey - before) > MOVED
    count = int(moved.sum())
    if count < LEAST_MOVED_PX:
        return None
    a, b, c, d = grey[:-3], grey[1:-2], grey[2:-1], grey[3:]
    one, two, three = a - b, c - b, c - d
    up = (one > STEP) & (two > STEP) & (three > STEP)
    down = (one < -STEP) & (two < -STEP) & (three < -STEP)
    alike = (np.abs(a - c) < STEP) & (np.abs(b - d) < STEP)
    return float(((up | down) & alike & moved[1:-2]).sum()) / count
