"""One inference or one read inside an image of another architecture, with the shipped model, timed."""

from __future__ import annotations

import platform
import sys
import time
from pathlib import Path

import numpy as np

from roadside.adapters.tflite import TfliteDetector, TfliteReader
from roadside.core.detect import SearchPolicy
from roadside.core.types import Box, CameraId, Crop, Detection


def main() -> int:
    """Print architecture, result and milliseconds; exit code 1 on another architecture than arm64."""
    if platform.machine() != "aarch64":
        sys.stderr.write(f"this is {platform.machine()}\n")
        return 1
    picture = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
    if sys.argv[1] == "detector":
        detector = TfliteDetector(Path("models/detector/fast"), 1, 0.3, SearchPolicy(), None)
        detector.detect(picture)
        started_s = time.perf_counter()
        found = f"{len(detector.detect(picture))} plates in noise"
    else:
        reader = TfliteReader(Path("models/ocr/float"), 1, None)
        crop = Crop(CameraId("noise"), 0, 0, Detection(Box(100, 100, 300, 150), 1.0), picture[100:150, 100:300])
        reader.read(crop)
        started_s = time.perf_counter()
        found = f"noise read with confidence {reader.read(crop).confidence:.2f}"
    elapsed_ms = (time.perf_counter() - started_s) * 1000
    sys.stdout.write(f"{sys.argv[1]} on {platform.machine()}: {found}, {elapsed_ms:.0f} ms under emulation\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
