"""How well a detector finds plates on pictures it never trained on: AP by plate width, recall, latency."""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.command import add_data, answer, tell
from models.data.photographs import load_picture
from models.detector.dataset import scaled, squashed
from models.detector.measures import BANDS_PX, measure, suppress
from models.training.photographs import read_split
from models.training.tflite import RUNTIMES, interpreter_class
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    from models.detector.config import DetectorConfig
    from models.detector.measures import Detect, Found
    from models.training.photographs import Marked, Split

LOWEST_SCORE = 0.02
"""Boxes under it are left out before anything is measured."""


# --- Detectors ------------------------------------------------------------------------------------


def torch_detector(net: torch.nn.Module, config: DetectorConfig) -> Detect:
    """The net in training, with the post-processing of the export."""
    import torch  # noqa: PLC0415  # files are measured without it

    from models.detector.anchors import place_anchors  # noqa: PLC0415
    from models.detector.network import decode  # noqa: PLC0415

    anchors = torch.from_numpy(place_anchors(config.net)[0])

    def detect(picture: NDArray[np.uint8]) -> Found:
        net.eval()
        with torch.no_grad():
            logits, raw = net(torch.from_numpy(scaled(picture)).permute(2, 0, 1)[None])
            scores, boxes = logits[0].sigmoid().numpy(), decode(raw[0], anchors).numpy()
        likely = scores > LOWEST_SCORE
        return suppress(boxes[likely], scores[likely], config.export.overlap)

    return detect


class TfliteDetector:
    """A detect.tflite of the TF Object Detection kind."""

    def __init__(self, model: bytes, runtime: str = "litert", threads: int = 1) -> None:
        self._interpreter = interpreter_class(runtime)(model_content=model, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]
        self.size = int(self._input["shape"][2]), int(self._input["shape"][1])
        self.took_ms: list[float] = []

    def __call__(self, picture: NDArray[np.uint8]) -> Found:
        """Boxes in input pixels and scores, best first."""
        given = scaled(picture) if self._input["dtype"] == np.float32 else picture
        self._interpreter.set_tensor(self._input["index"], given[None])
        begun = time.perf_counter()
        self._interpreter.invoke()
        self.took_ms.append((time.perf_counter() - begun) * 1e3)
        boxes, _, scores, count = (self._interpreter.get_tensor(index)[0] for index in self._outputs)
        return counted(boxes, scores, int(count), self.size)


def counted(boxes: NDArray[np.float32], scores: NDArray[np.float32], count: int, size: tuple[int, int]) -> Found:
    """What TFLite_Detection_PostProcess found: its first `count` rows; what lies behind them is left from elsewhere.

    Args:
        boxes: (rows, 4) float32: y1, x1, y2, x2 as shares of the input.
        scores: (rows,) float32, best first.
        count: rows that mean something.
        size: width and height of the input in pixels.

    """
    boxes, scores = boxes[:count], scores[:count]
    likely = scores > LOWEST_SCORE
    return boxes[likely][:, [1, 0, 3, 2]] * np.array(size * 2, np.float32), scores[likely]


# --- Figures --------------------------------------------------------------------------------------


def coco_precision(detect: Detect, marked: Sequence[Marked], size: tuple[int, int]) -> tuple[float, float]:
    """AP at IoU 0.5 to 0.95 and AP at 0.5 of pycocotools, in pixels of the squashed picture."""
    from pycocotools.coco import COCO  # noqa: PLC0415  # only training has it
    from pycocotools.cocoeval import COCOeval  # noqa: PLC0415

    truth: list[dict[str, object]] = []
    found: list[dict[str, object]] = []
    for number, one in enumerate(marked, 1):
        image = load_picture(one.path)
        plates = one.boxes * np.array([size[0] / image.shape[1], size[1] / image.shape[0]] * 2, np.float32)
        truth += [
            {"id": len(truth) + place, "image_id": number, "category_id": 1, "iscrowd": 0, **_coco_box(box)}
            for place, box in enumerate(plates, 1)
        ]
        boxes, scores = detect(squashed(image, size))
        found += [
            {"image_id": number, "category_id": 1, "score": float(score), **_coco_box(box)}
            for box, score in zip(boxes, scores, strict=True)
        ]
    if not found:
        return 0.0, 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": number} for number in range(1, len(marked) + 1)],
            "annotations": truth,
            "categories": [{"id": 1, "name": "plate"}],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def _coco_box(box: NDArray[np.float32]) -> dict[str, object]:
    x, y, width, height = (float(value) for value in (box[0], box[1], box[2] - box[0], box[3] - box[1]))
    return {"bbox": [x, y, width, height], "area": width * height}


def latency_table(models: dict[str, bytes]) -> list[str]:
    """Markdown rows of the median milliseconds of an inference on both runtimes at 1 and 2 threads."""
    rows = ["| file | MB | " + " | ".join(f"{runtime} {n} thr." for runtime in RUNTIMES for n in (1, 2)) + " |"]
    rows.append("| --- " * 6 + "|")
    for name, model in models.items():
        cells = []
        for runtime in RUNTIMES:
            for threads in (1, 2):
                detector = TfliteDetector(model, runtime, threads)
                picture = np.random.default_rng(0).integers(0, 256, (*detector.size[::-1], 3), np.uint8)
                for _ in range(30):
                    detector(picture)
                cells.append(f"{statistics.median(detector.took_ms):.1f}")
        rows.append(f"| {name} | {len(model) / 1e6:.2f} | " + " | ".join(cells) + " |")
    return rows


def measured_groups(split: Split) -> dict[str, tuple[Marked, ...]]:
    """The pictures that are measured on, by kind."""
    groups = {"held out": split.held_out}
    for source in ("pl_gate", "es_canary"):
        groups[source] = tuple(one for one in split.measured_only if one.source == source)
    return {name: marked for name, marked in groups.items() if marked}


def figures(folders: Sequence[Path], groups: dict[str, tuple[Marked, ...]]) -> str:
    """The Markdown that the model card takes over.

    Raises:
        ModelError: a folder holds no detect.tflite.

    """
    models = {}
    for folder in folders:
        file = folder / "detect.tflite"
        if not file.is_file():
            raise ModelError(f"{folder} holds no detect.tflite")
        models[str(folder)] = file.read_bytes()
    head = ["file", "pictures", "AP", "AP50", *(f"{low}-{high} px" for low, high in BANDS_PX[:-1]), "over 50 px"]
    rows = [
        "| " + " | ".join([*head, "24 px and more", "recall at 0.1 false"]) + " |",
        "| --- " * (len(head) + 2) + "|",
    ]
    for group, marked in groups.items():
        for name, model in models.items():
            detector = TfliteDetector(model)
            scores = measure(detector, marked, detector.size)
            whole, half = coco_precision(detector, marked, detector.size)
            bands = [str(band) for band in scores.bands]
            cells = [name, f"{group} {len(marked)}", f"{whole:.3f}", f"{half:.3f}", *bands]
            rows.append("| " + " | ".join([*cells, f"{scores.wide:.3f}", f"{scores.recall:.3f}"]) + " |")
            print(f"{name}, {group}: {scores}", flush=True)
    return "\n".join([*rows, "", *latency_table(models), ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.detector.evaluate"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    add_data(parser)
    parser.add_argument("--folder", type=Path, action="append", help="a folder with a detect.tflite; repeatable")
    parser.add_argument("--out", type=Path, help="a Markdown file for the figures")
    chosen = parser.parse_args(arguments)
    folders = chosen.folder or [Path("models/shipped/detector"), Path("models/shipped/detector_uint8")]
    return answer(prog, lambda: tell(figures(folders, measured_groups(read_split(chosen.data))), chosen.out))


if __name__ == "__main__":
    raise SystemExit(main())
