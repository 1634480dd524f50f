"""Runs in the environment that holds other projects' readers, alone: paths as JSON from stdin, reads to stdout.

The first argument names the reader: `simplelpr` or `fast-alpr`. The first line written is its version, then comes one
line a picture: [[[text, confidence], ...], wall milliseconds, CPU milliseconds of all threads].
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

Reading = Callable[[str], list[tuple[str, float]]]

EUROPE = (
    "Albania", "Andorra", "Austria", "Belarus", "Belgium", "Bosnia and Herzegovina", "Bulgaria", "Croatia", "Cyprus",
    "Czech-Republic", "Denmark", "Estonia", "Finland", "France", "Germany", "Greece", "Hungary", "Iceland", "Ireland",
    "Italy", "Kosovo", "Latvia", "Lithuania", "Luxembourg", "Malta",
    "Netherlands", "Norway", "Poland", "Portugal", "Romania", "Slovakia", "Slovenia", "Spain", "Sweden",
    "Switzerland", "UK-GreatBritain", "Ukraine",
)  # fmt: skip


def simplelpr() -> tuple[str, Reading]:
    """SimpleLPR told of all European countries, one picture at a time.

    Of a plate the match without a country is taken, which is what it read: with many countries the surest match is
    often of a foreign grammar that leaves a character out.
    """
    import simplelpr as library  # noqa: PLC0415 - only one of the readers need be installed

    parms = library.EngineSetupParms()
    parms.cudaDeviceId = -1
    parms.enableImageProcessingWithGPU = False
    parms.enableClassificationWithGPU = False
    parms.maxConcurrentImageProcessingOps = 1
    engine = library.SimpleLPR(parms)
    for number in range(engine.numSupportedCountries):
        engine.set_countryWeight(number, 1.0 if engine.get_countryCode(number) in EUROPE else 0.0)
    engine.realizeCountryWeights()
    processor = engine.createProcessor()
    processor.plateRegionDetectionEnabled = True
    processor.cropToPlateRegionEnabled = True

    def read(path: str) -> list[tuple[str, float]]:
        return [
            (match.text, match.confidence)
            for found in processor.analyze(path)
            for match in found.matches
            if not match.country
        ]

    return f"SimpleLPR {version('SimpleLPR')}", read


def fast_alpr() -> tuple[str, Reading]:
    """fast-alpr with its own defaults, on one thread; its nets are fetched by itself or lie in its cache."""
    import cv2  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415
    from fast_alpr import ALPR  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    alpr = ALPR(detector_sess_options=options, ocr_sess_options=options)

    def mean(confidence: float | list[float]) -> float:
        return sum(confidence) / len(confidence) if isinstance(confidence, list) else float(confidence)

    def read(path: str) -> list[tuple[str, float]]:
        found = [result.ocr for result in alpr.predict(cv2.imread(path)) if result.ocr is not None]
        return [(ocr.text, mean(ocr.confidence)) for ocr in found]

    return f"fast-alpr {version('fast-alpr')}", read


READERS = {"simplelpr": simplelpr, "fast-alpr": fast_alpr}


def main() -> None:
    """Read every picture that is named."""
    os.environ["OMP_NUM_THREADS"] = "1"
    paths = json.load(sys.stdin)
    name, read = READERS[sys.argv[1]]()
    print(json.dumps(name), flush=True)
    for path in paths[:2]:
        read(path)  # what is made at the first use is no picture's time
    for path in paths:
        wall, busy = time.perf_counter(), time.process_time()
        found = read(path)
        took = 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - busy)
        print(json.dumps([found, *took]), flush=True)


if __name__ == "__main__":
    main()
