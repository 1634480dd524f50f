"""Runs in the environment that holds rapidocr, alone: reads boxes as JSON from stdin, writes texts to stdout."""

import json
import sys
import time

import cv2
from rapidocr import RapidOCR

MARGIN = 0.04
"""Of the box's width, on every side: it reads best with it."""


def recognise() -> None:
    """For each (path, x1, y1, x2, y2) a (text, confidence, milliseconds), in one JSON list."""
    engine = RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1})
    answers = []
    for path, x1, y1, x2, y2 in json.load(sys.stdin):
        image, margin = cv2.imread(path), MARGIN * (x2 - x1)
        top, left = max(0, round(y1 - margin)), max(0, round(x1 - margin))
        part = image[top : round(y2 + margin), left : round(x2 + margin)]
        started = time.perf_counter()
        found = engine(part, use_det=False, use_cls=False, use_rec=True)
        elapsed_ms = 1e3 * (time.perf_counter() - started)
        text, sure = (found.txts[0], float(found.scores[0])) if found.txts else ("", 0.0)
        answers.append((text, sure, elapsed_ms))
    print(json.dumps(answers))


if __name__ == "__main__":
    recognise()
