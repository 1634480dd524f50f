"""A general text recogniser (PyPI rapidocr) on the plates.

It needs packages that Roadside does not, so it runs in an environment of its own:
`python -m venv .venv-eval && .venv-eval/bin/pip install rapidocr onnxruntime opencv-python-headless`.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.data.photographs import PlateCrop

WORKER = Path(__file__).resolve().with_name("general_worker.py")


def run(python: Path, data: Path, crops: Sequence[PlateCrop]) -> list[tuple[str, float, float]]:
    """Text, confidence and milliseconds for each crop. Raises ModelError where the recogniser cannot be run."""
    asked = [(str(data / c.path), c.box.x1, c.box.y1, c.box.x2, c.box.y2) for c in crops]
    done = subprocess.run(
        (str(python), str(WORKER)),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"rapidocr in {python.parent.parent} failed: {last}")
    return [tuple(answer) for answer in json.loads(done.stdout.splitlines()[-1])]
