"""Where in a picture a detector net looks for plates: the whole, its halves, its tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.detect import SearchPolicy, halves, merge, second_look, to_detections
from roadside.core.frames import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.frames import Detection
    from roadside.ports.nets import DetectorNet

HALVED_FROM = 2.8
"""Times as large as the detector's input, in the direction where it is less."""


class PlateSearch:
    """Finds plates by looks of a detector net at the whole picture and, where it pays, at parts of it."""

    def __init__(self, net: DetectorNet, score_threshold: float = 0.3, policy: SearchPolicy | None = None) -> None:
        self._net = net
        self._policy = policy or SearchPolicy()
        self._threshold = score_threshold
        width, height = net.input_size
        self._resized = np.empty((height, width, 3), np.uint8)

    def detect(
        self,
        image: NDArray[np.uint8],
        policy: SearchPolicy | None = None,
        first: Sequence[Detection] | None = None,
    ) -> Sequence[Detection]:
        """The plates of `image` ((H, W, 3) uint8, blue green red), best score first, boxes in its pixels.

        `policy` takes the place of the search's own for this picture, `first` that of the first look.
        """
        policy = policy or self._policy
        height, width = image.shape[:2]
        if first is None:
            first = self.look(image, Box(0, 0, width, height))
            if regions := halves(first, width, height, policy):
                first = merge(first, [(region, self.look(image, region)) for region in regions], width, height, policy)
        regions = second_look(first, width, height, policy)
        return merge(first, [(region, self.look(image, region)) for region in regions], width, height, policy)

    def look(self, image: NDArray[np.uint8], region: Box) -> tuple[Detection, ...]:
        """One run of the net on a part of `image` in whole pixels, boxes in pixels of the image."""
        part = image[int(region.y1) : int(region.y2), int(region.x1) : int(region.x2)]
        squash(part, self._net.input_size, self._resized)
        cv2.cvtColor(self._resized, cv2.COLOR_BGR2RGB, dst=self._resized)
        return to_detections(self._net.look(self._resized), region, self._net.plate_classes, self._threshold)


def squash(image: NDArray[np.uint8], size: tuple[int, int], out: NDArray[np.uint8]) -> None:
    """`image` ((H, W, 3) uint8) resized to `size` (width, height) into `out`, without regard to its shape.

    It is halved by averaging until it is less than three times as large as wanted, then sampled bilinearly: the
    detector finds as much in it as in a picture averaged in one go, which takes ten times as long.
    """
    while min(image.shape[1] / size[0], image.shape[0] / size[1]) >= HALVED_FROM:
        height, width = image.shape[0] // 2, image.shape[1] // 2
        even = image[: 2 * height, : 2 * width]
        image = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    cv2.resize(image, size, dst=out, interpolation=cv2.INTER_LINEAR)
