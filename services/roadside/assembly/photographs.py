"""Reads photographs: the one way behind `roadside read` and `ALPR.read`."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.adapters.sources.pictures import load_picture
from roadside.assembly.models import open_models, warm_up
from roadside.core.detect import Search, crop_plate
from roadside.core.frames import CameraId, Frame
from roadside.core.geometry import iou
from roadside.core.reads import PlacedRead
from roadside.kit.timing import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from roadside.adapters.sources.pictures import PictureLike
    from roadside.assembly.settings import Settings
    from roadside.core.frames import Detection
    from roadside.ports.vision import Detector, Reader

PHOTO = CameraId("photo")

SURE_CONFIDENCE = 0.5
"""Of the best read of a photograph, under which it is worth the time to look for smaller plates."""
WIDE_PX = 1200
"""Pictures from this width on hold plates of 45 pixels, which can be read, that the first look sees 12 pixels wide,
which is too few to find them all..."""
DISTANT = 0.08
"""... if the plates it did find are narrower than this share of the picture: it is a view of traffic."""
SAME_PLATE_IOU = 0.3


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph and what was read in it."""

    image: NDArray[np.uint8] = field(repr=False)
    """(H, W, 3) uint8, blue green red, upright."""
    plates: tuple[PlacedRead, ...]
    """Best detection first; after a closer look surest read first."""
    elapsed: Stopwatch
    """Of `decode`, `detect` and `read`."""


class PhotographReader:
    """Finds and reads the plates of photographs; threads may share it, they take turns with the nets."""

    def __init__(
        self,
        detector: Detector,
        reader: Reader,
        least_confidence: float,
        closer: Callable[[NDArray[np.uint8], Sequence[Detection]], Sequence[Detection]] | None = None,
    ) -> None:
        """`closer` is a slower and more thorough detector that is told of the plates known."""
        self._detector = detector
        self._reader = reader
        self._least_confidence = least_confidence
        self._closer = closer
        self._turn = threading.Lock()

    def read(self, picture: PictureLike) -> Photograph:
        """Everything that can be read in a picture: a file's path, its bytes, an array or a picture of Pillow.

        No plate has a single character: such reads are left out, like those under the least confidence.
        Where nothing was read for sure, or the picture is a wide view of traffic, it is looked at closer as well.

        Raises SourceError for what is no picture.
        """
        watch = Stopwatch()
        with watch.measure("decode"):
            image = load_picture(picture)
        with self._turn:
            placed = self._look(image, watch)
        plates = tuple(p for p in placed if len(p.read.text) > 1 and p.read.confidence >= self._least_confidence)
        return Photograph(image, plates, watch)

    def _look(self, image: NDArray[np.uint8], watch: Stopwatch) -> list[PlacedRead]:
        frame = Frame(PHOTO, 0, 0, image)
        with watch.measure("detect"):
            detections = self._detector.detect(image)
        with watch.measure("read"):
            placed = _read(frame, detections, self._reader)
        if self._closer is None or not _may_hold_more(placed, image.shape[1]):
            return placed
        with watch.measure("detect"):
            more = [found for found in self._closer(image, detections) if found not in detections]
        with watch.measure("read"):
            return _merged(placed, _read(frame, more, self._reader))


def open_photograph_reader(settings: Settings) -> PhotographReader:
    """The detector and the reader that the settings name, loaded and run once. Raises ModelError, SettingsError."""
    auto = settings.search is Search.AUTO
    detector, reader = open_models(settings, search=Search.FAST if auto else None, extra_cuts=True, photographs=True)
    warm_up(detector, reader)
    return PhotographReader(detector, reader, settings.confidence, detector.detect_closer if auto else None)


def _may_hold_more(placed: Sequence[PlacedRead], width: int) -> bool:
    """Whether a picture that gave `placed` at the first look is worth the time of a closer one."""
    if max((p.read.confidence for p in placed), default=0.0) < SURE_CONFIDENCE:
        return True
    return width >= WIDE_PX and max(p.crop.detection.box.width for p in placed) < DISTANT * width


def _read(frame: Frame, detections: Sequence[Detection], reader: Reader) -> list[PlacedRead]:
    return [PlacedRead(crop, reader.read(crop)) for crop in (crop_plate(frame, d) for d in detections)]


def _merged(first: list[PlacedRead], second: list[PlacedRead]) -> list[PlacedRead]:
    """Of reads that stand in the same place the surest, surest first."""
    kept: list[PlacedRead] = []
    for placed in sorted((*first, *second), key=lambda p: -p.read.confidence):
        if all(iou(placed.crop.detection.box, k.crop.detection.box) < SAME_PLATE_IOU for k in kept):
            kept.append(placed)
    return kept
