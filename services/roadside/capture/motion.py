"""The motion gate: spares a live camera's detector the pictures in which nothing has moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roadside.core.frames import Frame

THUMBNAIL = (160, 90)
"""Width and height: a far car's plate of 24 px in 720p is 3 px here, its car some 15."""


class MotionGate:
    """Tells which frames are worth detecting in.

    A frame passes when some part of it differs from the last that passed, or when that was long ago: a standing
    vehicle stays seen, so that its track is not torn in two.
    """

    def __init__(self, *, difference: int = 12, least_px: int = 4, longest_gap_s: float = 0.5) -> None:
        self._difference = difference
        self._least_px = least_px
        self._longest_gap_ns = round(longest_gap_s * 1e9)
        self._last: NDArray[np.uint8] | None = None
        self._passed_at_ns = 0

    def passes(self, frame: Frame) -> bool:
        """Whether anything of note has moved since the last frame that passed."""
        grey = _thumbnail(frame.image)
        if self._last is not None and self._last.shape == grey.shape and not self._due(frame):
            moved = np.count_nonzero(cv2.absdiff(grey, self._last) > self._difference)
            if moved < self._least_px:
                return False
        self._last = grey
        self._passed_at_ns = frame.captured_at_ns
        return True

    def _due(self, frame: Frame) -> bool:
        return frame.captured_at_ns - self._passed_at_ns >= self._longest_gap_ns


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = cv2.resize(image, THUMBNAIL, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]
