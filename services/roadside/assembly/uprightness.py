"""Recordings whose file says that they are to be turned, and says it wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.adapters.sources.recorded import ClipSource
from roadside.core.detect import crop_plate
from roadside.core.frames import CameraId, Frame
from roadside.core.plates import is_current

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roadside.ports.sources import FrameSource
    from roadside.ports.vision import Detector, Reader

SAMPLES = 16
"""Pictures looked at, both ways round: about a second, of such recordings alone."""
SURE = 0.9
"""Confidence of a read that counts."""
LEAST_READ = 2
"""Plates that must be read in the pictures turned over."""


def set_upright(source: FrameSource, detector: Detector, reader: Reader) -> None:
    """Have a clip that its file turns turned over where its plates are read so, and not as the file says.

    Some programs note the angle by which the picture was turned, others the one by which to turn it back.
    """
    if not isinstance(source, ClipSource) or not source.has_turn:
        return
    as_said = over = 0
    for image in source.samples(SAMPLES):
        as_said += _read(image, detector, reader)
        over += _read(np.asarray(cv2.rotate(image, cv2.ROTATE_180), np.uint8), detector, reader)
    source.turned_over = over >= LEAST_READ and over > 2 * as_said


def _read(image: NDArray[np.uint8], detector: Detector, reader: Reader) -> int:
    """How many plates of `image` are read for sure as a plate of some country."""
    frame = Frame(CameraId(""), 0, 0, image)
    reads = [reader.read(crop_plate(frame, found)) for found in detector.detect(image)]
    return sum(read.confidence >= SURE and is_current(read.text, None) for read in reads)
