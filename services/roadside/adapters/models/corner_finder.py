"""The shipped way to find plates: the detector, and the corner net that looks at each of them closely."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from roadside.adapters.models.tflite import Quantisation, TfliteDetector, as_numbers, load_interpreter
from roadside.core.corners import (
    OFFSETS,
    REGION_HEIGHT_PX,
    REGION_WIDTH_PX,
    bounding_box,
    checked,
    needs_second_look,
    place,
    plate_probability,
    region,
    region_picture,
    weighed,
)
from roadside.core.detect import Search, SearchPolicy, merge, touches_seam
from roadside.core.frames import Box
from roadside.core.geometry import iou, tiles
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from roadside.core.frames import Corners, Detection

CORNERS_FILE = "corners.tflite"
"""Beside `detect.tflite` where a model folder has a corner net; other folders go without."""
SAME_PLATE_IOU = 0.5
SMALL_SHARE = 0.08
"""Of the picture's width: a plate narrower than this is some 25 pixels wide in the detector's view of the whole."""
TILES = 4
PATIENCE = 3
"""Every so many frames the sweep goes on although a small plate is followed: another may have come."""


class TfliteCornerFinder:
    """Finds the corners of plates with `corners.tflite`."""

    def __init__(self, path: Path, threads: int = 1, runtime: str | None = None) -> None:
        """Raises ModelError where `path` holds no corner net."""
        self._interpreter = load_interpreter(path, threads, runtime)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shape = [int(n) for n in inputs[0]["shape"]]
        given = [[int(n) for n in o["shape"]] for o in outputs]
        if shape != [1, REGION_HEIGHT_PX, REGION_WIDTH_PX, 1] or given not in ([[1, OFFSETS]], [[1, OFFSETS + 1]]):
            raise ModelError(
                f"{path} is no corner net: it takes {shape} and gives {given}, not"
                f" [1, {REGION_HEIGHT_PX}, {REGION_WIDTH_PX}, 1] and [[1, {OFFSETS + 1}]]"
            )
        self._input, self._output = inputs[0]["index"], outputs[0]
        self._quantisation = Quantisation.of(inputs[0])
        self._tensor = np.empty(shape, self._quantisation.dtype)

    def find(self, image: NDArray[np.uint8], box: Box) -> Corners | None:
        """The corners of the plate in `box` of `image` ((H, W, 3) uint8, BGR); None where it finds none.

        A plate that reaches out of its box is looked at once more, from the box around its corners.
        """
        return self.look(image, box)[0]

    def look(self, image: NDArray[np.uint8], box: Box) -> tuple[Corners | None, float | None]:
        """The same, and how probable it is that `box` holds a plate at all; None where the net does not tell."""
        answer = self._ask(image, box)
        corners, plate = place(answer, box), plate_probability(answer)
        if needs_second_look(corners, box) and checked(corners, box) is not None:
            closer = bounding_box(corners)
            corners = place(self._ask(image, closer), closer)
        return checked(corners, box), plate

    def _ask(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        self._tensor[0, :, :, 0] = as_numbers(region_picture(image, region(box)), self._quantisation.dtype)
        self._interpreter.set_tensor(self._input, self._tensor)
        self._interpreter.invoke()
        return Quantisation.of(self._output).to_real(self._interpreter.get_tensor(self._output["index"])[0])


class PlateFinder:
    """A detector whose plates have corners where the model folder holds a corner net."""

    def __init__(
        self,
        modeldir: Path,
        threads: int = 1,
        score_threshold: float = 0.3,
        policy: SearchPolicy | None = None,
        runtime: str | None = None,
    ) -> None:
        """Raises ModelError where the folder holds no detector, or a corner net that is none."""
        self._detector = TfliteDetector(modeldir, threads, score_threshold, policy, runtime)
        self._threshold = score_threshold
        path = modeldir / CORNERS_FILE
        self._corners = TfliteCornerFinder(path, threads, runtime) if path.is_file() else None

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """The plates of `image` ((H, W, 3) uint8, BGR), best score first, as the search policy looks for them."""
        return self._placed(image, self._detector.detect(image))

    def detect_closer(self, image: NDArray[np.uint8], first: Sequence[Detection]) -> Sequence[Detection]:
        """The same with the tiles of the picture, whatever the search policy: plates too small for one look.

        `first` is what `detect` found in one look at the whole; what of it stays is returned as it is.
        """
        return self._placed(image, self._detector.detect(image, SearchPolicy(search=Search.TILES), first), first)

    def detect_sweeping(self, image: NDArray[np.uint8], part: int) -> Sequence[Detection]:
        """The same from two looks: the whole picture and one of its tiles, number `part` counted round."""
        height, width = image.shape[:2]
        policy = SearchPolicy(search=Search.FAST)
        whole = self._detector.look(image, Box(0, 0, width, height))
        regions = tiles(width, height, policy.across, policy.down, policy.overlap)
        region = regions[part % len(regions)]
        # What a seam cuts is whole in the next tile; read now, it would be another plate.
        seen = [d for d in self._detector.look(image, region) if not touches_seam(d.box, region, width, height)]
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
        if small and self._turns % PATIENCE:
            smallest = min(small, key=lambda d: d.box.width).box
            right = (smallest.x1 + smallest.x2) / 2 > width / 2
            lower = (smallest.y1 + smallest.y2) / 2 > height / 2
            self._part = 2 * lower + right
        else:
            self._part = (self._part + 1) % TILES
        return found
