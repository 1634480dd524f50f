"""Finds out how the background moves from picture to picture, and so whether the camera does.

The picture is made small and compared with an earlier one, the reference, by phase correlation (Kuglin and Hines,
1975). Its peak may be the background's motion or that of a lorry, so parts of the picture vote: those that are as they
were, and those that are where the peak says. The reference is replaced when it is far away, so errors add up once in
many frames and not at each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.background import Background

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = (160, 90)
"""Width and height in which pictures are compared."""
ROWS_READ = 180
GREEN = 1
PARTS = (16, 9)
"""Parts across and down that vote."""
WITHOUT_BOTTOM = 7
"""Rows of parts that vote: below them a camera in a vehicle sees its bonnet, which stands still in every picture."""
LEAST_TEXTURE = 16.0
"""Variance of the grey values of a part that has something to recognise."""
LEAST_PARTS = 10
"""With texture; with fewer, as at night, nothing can be said and the background is taken to stand."""
LEAST_LIKENESS = 0.7
"""Correlation of the grey values of a part that shows the same thing: what is a pixel away has less."""
STANDING_SHARE = 0.3
"""Of the parts: where so many are as they were the camera stands, whatever passes before the others."""
STEADY_SHARE = 0.8
"""Of the parts: only from such a picture is the next reference taken while nothing moves, so that a slow zoom is not
forgotten step by step."""
SHIFTED_SHARE = 0.4
LEAST_SHIFT = 0.1
"""Pixels of the small picture: the error of phase correlation."""
FARTHEST_SHIFT = 12.0
"""Pixels of the small picture, from which on the reference is replaced."""
OLDEST_FRAMES = 100
MOST_UNTOLD = 3
"""Frames in a row that nothing explains; then the next reference is taken, and what was before it is given up."""

_NO_SHIFT = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Match:
    shift: tuple[float, float] | None
    """Of the small picture; None where none explains what is seen."""
    steady: bool = False


class BackgroundWatch:
    """Follows the background through the pictures of one camera, in their order. Not safe between threads."""

    def __init__(self) -> None:
        self._window = cv2.createHanningWindow(SMALL, cv2.CV_32F)
        self._reference: NDArray[np.float32] | None = None
        self._frames = 0
        self._untold = 0
        self._base = _NO_SHIFT
        self._shift = _NO_SHIFT
        self._since_ns = 0

    def note(self, image: NDArray[np.uint8], captured_at_ns: int) -> Background:
        """Where the background is in the next picture, (H, W, 3) uint8 BGR."""
        small = _small(image)
        if self._reference is None:
            self._since_ns = captured_at_ns
            self._replace(small)
        match = self._match(small)
        self._frames += 1
        self._untold = 0 if match.shift is not None else self._untold + 1
        if match.shift is not None:
            self._shift = match.shift
            if math.hypot(*match.shift) > FARTHEST_SHIFT or (match.steady and self._frames > OLDEST_FRAMES):
                self._replace(small)
        elif self._untold >= MOST_UNTOLD:
            self._since_ns = captured_at_ns
            self._replace(small)
        across, down = image.shape[1] / SMALL[0], image.shape[0] / SMALL[1]
        x, y = self._base[0] + self._shift[0], self._base[1] + self._shift[1]
        return Background(x * across, y * down, self._since_ns, match.shift is not None)

    def _replace(self, small: NDArray[np.float32]) -> None:
        self._base = self._base[0] + self._shift[0], self._base[1] + self._shift[1]
        self._shift, self._reference, self._frames, self._untold = _NO_SHIFT, small, 0, 0

    def _match(self, small: NDArray[np.float32]) -> _Match:
        before = self._reference
        if before is None or before is small:
            return _Match(_NO_SHIFT)
        stood, textured = _likeness(before, small)
        count = int(textured.sum())
        if count < LEAST_PARTS:
            self._replace(small)
            return _Match(_NO_SHIFT)
        # Copies, for it multiplies what it is given by the window, in place.
        (x, y), _ = cv2.phaseCorrelate(before.copy(), small.copy(), self._window)
        as_before = textured & (stood >= LEAST_LIKENESS)
        if math.hypot(x, y) < LEAST_SHIFT:
            return _vote(as_before.sum() / count)
        there, textured_there = _likeness(_moved(before, x, y), small)
        inside = _inside(x, y)
        shifted = inside & textured_there & (there >= LEAST_LIKENESS) & (there > stood)
        standing = _vote((as_before & ~shifted).sum() / count)
        if standing.shift is not None:
            return standing
        share = shifted.sum() / max(LEAST_PARTS, int((inside & textured_there).sum()))
        return _Match((x, y) if share >= SHIFTED_SHARE else None)


def _vote(share: float) -> _Match:
    """Whether the picture stands, where `share` of its parts are as they were."""
    return _Match(_NO_SHIFT if share >= STANDING_SHARE else None, share >= STEADY_SHARE)


def _small(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Of some rows, and of green alone: most of the time goes into reading the picture."""
    rows = image[:: max(1, image.shape[0] // ROWS_READ)]
    small = cv2.resize(cv2.extractChannel(rows, GREEN), SMALL, interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)


def _moved(grey: NDArray[np.float32], x: float, y: float) -> NDArray[np.float32]:
    by = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return cv2.warpAffine(grey, by, SMALL, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def _inside(x: float, y: float) -> NDArray[np.bool_]:
    """(rows, columns): the parts whose contents were in the picture before it moved by `x`, `y`."""
    across, down = np.arange(PARTS[0]) * SMALL[0] / PARTS[0], np.arange(WITHOUT_BOTTOM) * SMALL[1] / PARTS[1]
    columns = (across - x >= 0) & (across + SMALL[0] / PARTS[0] - x <= SMALL[0])
    rows = (down - y >= 0) & (down + SMALL[1] / PARTS[1] - y <= SMALL[1])
    return np.asarray(rows[:, None] & columns[None, :])


def _likeness(before: NDArray[np.float32], small: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(rows, columns): the correlation of each part in the two pictures, and whether it had any texture before.

    Correlation does not care for brightness and contrast, so neither does the camera's exposure matter.
    """
    mean_a, mean_b = _means(before), _means(small)
    variance_a, variance_b = _means(before * before) - mean_a**2, _means(small * small) - mean_b**2
    together = _means(before * small) - mean_a * mean_b
    return together / np.sqrt(np.maximum(1.0, variance_a * variance_b)), variance_a >= LEAST_TEXTURE


def _means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.resize(values, PARTS, interpolation=cv2.INTER_AREA)[:WITHOUT_BOTTOM]  # type: ignore[return-value]
