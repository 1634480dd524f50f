"""Finding plates in a camera's moving picture, where each frame is one of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.frames import Detection
    from roadside.detector.finder import PlateFinder

SMALL_SHARE = 0.08
"""Of the picture's width: a plate narrower than this is some 25 pixels wide in the detector's view of the whole."""
TILES = 4
FOLLOWED_FRAMES = 3
"""Every so many frames the sweep goes on although a small plate is followed: another may have come."""


class SweepingFinder:
    """Finds the plates of one camera's moving picture in two looks a frame; it remembers where plates are.

    The first look is at the whole picture. The second is at the tile where the last small plate was seen, so that
    it is followed, or else at the tiles in turn: of 25 frames a second each tile gets six looks.
    """

    def __init__(self, finder: PlateFinder) -> None:
        self._finder = finder
        self._part = 0
        self._turns = 0

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """The plates of the next frame, as PlateFinder.detect gives them."""
        found = self._finder.detect_sweeping(image, self._part)
        height, width = image.shape[:2]
        small = [d for d in found if d.box.width < SMALL_SHARE * width]
        self._turns += 1
        if small and self._turns % FOLLOWED_FRAMES:
            smallest = min(small, key=lambda d: d.box.width).box
            right = (smallest.x1 + smallest.x2) / 2 > width / 2
            lower = (smallest.y1 + smallest.y2) / 2 > height / 2
            self._part = 2 * lower + right
        else:
            self._part = (self._part + 1) % TILES
        return found
