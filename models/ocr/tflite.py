"""The exported reader run as a file, to compare it with the trained net and to calibrate it."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from models.training.tflite import interpreter_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def run_tflite(
    model: bytes, strips: Sequence[NDArray[np.uint8]], runtime: str = "litert"
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Character logits (N, columns, classes), country logits (N, C), median milliseconds of a call on 1 thread."""
    interpreter = interpreter_class(runtime)(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    entry, outputs = interpreter.get_input_details()[0], interpreter.get_output_details()
    characters: list[NDArray[np.float32]] = []
    countries: list[NDArray[np.float32]] = []
    took_s = []
    for strip in strips:
        interpreter.set_tensor(entry["index"], strip.astype(entry["dtype"])[None, :, :, None])
        begun = time.perf_counter()
        interpreter.invoke()
        took_s.append(time.perf_counter() - begun)
        for output in outputs:
            values = interpreter.get_tensor(output["index"])[0]
            (characters if values.ndim == 2 else countries).append(values)
    return np.stack(characters), np.stack(countries), statistics.median(took_s) * 1e3
