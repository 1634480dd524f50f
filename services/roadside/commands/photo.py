"""What one photograph says: the JSON contract of `roadside read --json`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadside.adapters.sources.pictures import decode_picture, read_bytes
from roadside.core.detect import crop_plate
from roadside.core.frames import CameraId, Frame
from roadside.core.geometry import iou
from roadside.core.reads import PlacedRead
from roadside.errors import SourceError
from roadside.kit.timing import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

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
class PhotoReport:
    """One photograph: its plates, or why it could not be read."""

    source: str
    width: int
    height: int
    plates: tuple[PlacedRead, ...]
    elapsed: Stopwatch
    error: str | None = None
    image: NDArray[np.uint8] | None = None
    """(height, width, 3) uint8, blue green red."""

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints: lengths in pixels of the upright picture, times in milliseconds."""
        found: dict[str, Any]
        found = {"plates": [_plate(p) for p in self.plates]} if self.error is None else {"error": self.error}
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            **found,
            "elapsed_ms": {name: round(self.elapsed.ms(name), 3) for name in ("decode", "detect", "read")},
        }


def read_photo(
    source: str,
    detector: Detector,
    reader: Reader,
    least_confidence: float,
    closer: Callable[[NDArray[np.uint8], Sequence[Detection]], Sequence[Detection]] | None = None,
) -> PhotoReport:
    """Everything that can be read in the picture file `source`; what is wrong with it is in the report.

    No plate has a single character: such reads are left out, like those under `least_confidence`.
    Where nothing was read for sure, or the picture is a wide view of traffic, the plates of `closer`, a slower and more
    thorough detector that is told of those known, are read as well.
    """
    watch = Stopwatch()
    try:
        with watch.measure("decode"):
            image = decode_picture(read_bytes(Path(source)), source)
    except SourceError as error:
        return PhotoReport(source, 0, 0, (), watch, str(error))
    height, width = image.shape[:2]
    frame = Frame(PHOTO, 0, 0, image)
    with watch.measure("detect"):
        detections = detector.detect(image)
    with watch.measure("read"):
        placed = _read(frame, detections, reader)
    if closer is not None and _may_hold_more(placed, width):
        with watch.measure("detect"):
            more = [found for found in closer(image, detections) if found not in detections]
        with watch.measure("read"):
            placed = _merged(placed, _read(frame, more, reader))
    plates = tuple(p for p in placed if len(p.read.text) > 1 and p.read.confidence >= least_confidence)
    return PhotoReport(source, width, height, plates, watch, image=image)


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


def _plate(placed: PlacedRead) -> dict[str, Any]:
    read, box = placed.read, placed.crop.detection.box
    return {
        "text": read.text,
        "raw": read.raw,
        "country": read.country,
        "confidence": round(read.confidence, 4),
        "characters": [{"text": c.text, "confidence": round(c.confidence, 4)} for c in read.characters],
        "detector_score": round(placed.crop.detection.score, 4),
        "box": [round(v, 1) for v in (box.x1, box.y1, box.x2, box.y2)],
    }
