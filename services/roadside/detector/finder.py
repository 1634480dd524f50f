"""The shipped way to find plates: a search with the detector net, and a close look at each of what it found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.corners import bounding_box, weighed
from roadside.core.detect import Search, SearchPolicy, merge, touches_seam
from roadside.core.frames import Box
from roadside.core.geometry import iou, tiles
from roadside.detector.corners import CornerFinder
from roadside.detector.search import PlateSearch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.frames import Detection
    from roadside.ports.nets import CornerNet, DetectorNet

SAME_PLATE_IOU = 0.5
"""Intersection over union of the places of two detections from which they are one plate."""


class PlateFinder:
    """A detector whose plates have corners where there is a corner net."""

    def __init__(
        self,
        detector: DetectorNet,
        corners: CornerNet | None = None,
        score_threshold: float = 0.3,
        policy: SearchPolicy | None = None,
    ) -> None:
        self._search = PlateSearch(detector, score_threshold, policy)
        self._threshold = score_threshold
        self._corners = None if corners is None else CornerFinder(corners)

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """The plates of `image` ((H, W, 3) uint8, BGR), best score first, as the search policy looks for them."""
        return self._placed(image, self._search.detect(image))

    def detect_closer(self, image: NDArray[np.uint8], first: Sequence[Detection]) -> Sequence[Detection]:
        """The same with the tiles of the picture, whatever the search policy: plates too small for one look.

        `first` is what `detect` found in one look at the whole; what of it stays is returned as it is.
        """
        return self._placed(image, self._search.detect(image, SearchPolicy(search=Search.TILES), first), first)

    def detect_sweeping(self, image: NDArray[np.uint8], part: int) -> Sequence[Detection]:
        """The same from two looks: the whole picture and one of its tiles, number `part` counted round."""
        height, width = image.shape[:2]
        policy = SearchPolicy(search=Search.FAST)
        whole = self._search.look(image, Box(0, 0, width, height))
        regions = tiles(width, height, policy.across, policy.down, policy.overlap)
        region = regions[part % len(regions)]
        # What a seam cuts is whole in the next tile; read now, it would be another plate.
        seen = [d for d in self._search.look(image, region) if not touches_seam(d.box, region, width, height)]
        looks = [(region, seen)]
        return self._placed(image, merge(whole, looks, width, height, policy))

    def _placed(
        self, image: NDArray[np.uint8], detections: Sequence[Detection], known: Sequence[Detection] = ()
    ) -> Sequence[Detection]:
        """`detections` with corners and the scores of a close look, a plate once; those `known` have had theirs."""
        finder = self._corners
        if finder is None:
            return detections
        looked: list[Detection] = []
        for detection in detections:
            if detection in known:
                looked.append(detection)
                continue
            corners, plate = finder.look(image, detection.box)
            score = weighed(detection.score, plate)
            if score >= self._threshold:
                looked.append(replace(detection, corners=corners, score=score))
        return _one_each(sorted(looked, key=lambda d: -d.score))


def _one_each(detections: Sequence[Detection]) -> tuple[Detection, ...]:
    """`detections`, best score first, each plate once.

    Loose boxes of one plate come together at its corners: of them the one that fits its corners best is kept, with the
    best score.
    """
    kept: list[tuple[Detection, Box]] = []
    for detection in detections:
        place = _place(detection)
        same = next((i for i, (_, other) in enumerate(kept) if iou(place, other) >= SAME_PLATE_IOU), None)
        if same is None:
            kept.append((detection, place))
        elif iou(place, detection.box) > iou(kept[same][1], kept[same][0].box):
            kept[same] = (replace(detection, score=kept[same][0].score), place)
    return tuple(detection for detection, _ in kept)


def _place(detection: Detection) -> Box:
    return detection.box if detection.corners is None else bounding_box(np.array(detection.corners, np.float32))
