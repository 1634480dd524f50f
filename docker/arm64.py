"""One inference or one read inside an image of another architecture, on a frame of the demonstration's street."""

from __future__ import annotations

import platform
import sys
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.assembly.models import open_detector, open_reader
from roadside.core.detect import crop_plate
from roadside.core.frames import Box, CameraId, Detection, Frame
from roadside.kit.weights import weights_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

CLIP = "/street.mp4"
FRAME = 48
PLATE = "HK47TVN"
PLACE = Box(425, 536, 493, 555)
"""Where that plate is in this frame; the detector finds it there on amd64."""
NEAR_PX = 5.0
RUNTIME = "tflite-runtime"
"""LiteRT ends with a segmentation fault in `allocate_tensors` under the user emulation of QEMU 7.2, whatever CPU that
is told to be; on a Pi it is the one that is used."""


def main() -> int:
    """Print what was found and how long it took; exit code 1 where it is not what amd64 finds."""
    if platform.machine() != "aarch64":
        sys.stderr.write(f"this is {platform.machine()}\n")
        return 1
    frame = street()
    if sys.argv[1] == "detector":
        detector = open_detector(weights_folder() / "detector", runtime=RUNTIME, close_look=False)
        boxes, elapsed_ms = timed(lambda: [found.box for found in detector.detect(frame.image)])
        right = any(near(box) for box in boxes)
        found = f"{len(boxes)} plates, {PLATE} {'where it is' if right else 'not among them'}"
    else:
        reader = open_reader(weights_folder() / "reader", runtime=RUNTIME)
        read, elapsed_ms = timed(lambda: reader.read(crop_plate(frame, Detection(PLACE, 1.0))))
        right = read.text == PLATE
        found = f"{read.text} with confidence {read.confidence:.3f}"
    sys.stdout.write(
        f"{sys.argv[1]} on {platform.machine()}: {found}, {elapsed_ms:.0f} ms in {RUNTIME} under emulation\n"
    )
    return 0 if right else 1


def street() -> Frame:
    """The frame; the decoding is part of the test."""
    clip = cv2.VideoCapture(CLIP)
    for _ in range(FRAME):
        clip.grab()
    _, image = clip.read()
    return Frame(CameraId("street"), 0, FRAME, np.asarray(image, np.uint8))


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """The second result, for the first has to warm up, and its milliseconds."""
    work()
    started_s = time.perf_counter()
    return work(), (time.perf_counter() - started_s) * 1000


def near(box: Box) -> bool:
    """Whether a box is that of the plate."""
    corners = ((box.x1, PLACE.x1), (box.y1, PLACE.y1), (box.x2, PLACE.x2), (box.y2, PLACE.y2))
    return all(abs(mine - its) < NEAR_PX for mine, its in corners)


if __name__ == "__main__":
    sys.exit(main())
