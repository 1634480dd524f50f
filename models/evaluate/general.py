"""A general text recogniser (PyPI rapidocr) on the plates, in an environment of its own.

`python -m venv .venv-eval && .venv-eval/bin/pip install rapidocr onnxruntime opencv-python-headless` makes it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.data.photographs import PlateCrop

MARGIN = 0.04
"""Of the box's width: what reads best with it."""


def run(python: Path, data: Path, crops: Sequence[PlateCrop]) -> list[tuple[str, float, float]]:
    """Text, confidence and milliseconds for each crop. Raises ModelError where the recogniser cannot be run."""
    asked = [(str(data / c.path), c.box.x1, c.box.y1, c.box.x2, c.box.y2) for c in crops]
    done = subprocess.run(
        (str(python), str(Path(__file__).resolve())),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"rapidocr in {python.parent.parent} failed: {last}")
    return [tuple(answer) for answer in json.loads(done.stdout.splitlines()[-1])]


def _recognise() -> None:
    """In the other environment: read boxes from stdin, write texts to stdout."""
    import cv2  # noqa: PLC0415
    from rapidocr import RapidOCR  # noqa: PLC0415

    engine = RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1})
    answers = []
    for path, x1, y1, x2, y2 in json.load(sys.stdin):
        image, margin = cv2.imread(path), MARGIN * (x2 - x1)
        top, left = max(0, int(y1 - margin)), max(0, int(x1 - margin))
        part = image[top : int(y2 + margin) + 1, left : int(x2 + margin) + 1]
        started = time.perf_counter()
        found = engine(part, use_det=False, use_cls=False, use_rec=True)
        elapsed_ms = 1e3 * (time.perf_counter() - started)
        text, sure = (found.txts[0], float(found.scores[0])) if found.txts else ("", 0.0)
        answers.append((text, sure, elapsed_ms))
    print(json.dumps(answers))


if __name__ == "__main__":
    _recognise()
