"""How well a detector finds plates on pictures it never trained on: AP by plate width, recall, latency."""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.command import add_data, answer, tell
from models.data.photographs import load_picture
from models.detector.dataset import scaled, squashed
from models.training.photographs import read_split
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import torch
    from numpy.typing import NDArray

    from models.detector.config import DetectorConfig
    from models.training.photographs import Marked, Split

    Found = tuple[NDArray[np.float32], NDArray[np.float32]]
    """Boxes (n, 4) in input pixels and scores (n,), best first."""
    Detect = Callable[[NDArray[np.uint8]], Found]
    """What a detector finds in a squashed picture, (H, W, 3) uint8 RGB."""

BANDS_PX = ((0, 12), (12, 24), (24, 50), (50, 10_000))
"""Widths of plates in the whole picture squashed to the input."""
MATCH = 0.5
FALSE_PER_PICTURE = 0.1
SMALLEST_COUNTED_PX = 12
LOWEST_SCORE = 0.02
RUNTIMES = ("litert", "tflite-runtime")


@dataclass(frozen=True, slots=True)
class Match:
    """One box of a detector against the truth."""

    score: float
    right: bool
    width: float
    """Of the plate it found, or its own where it found none; input pixels."""


@dataclass(frozen=True, slots=True)
class Band:
    """Plates of one range of widths."""

    low_px: int
    high_px: int
    precision: float
    """AP50."""
    plates: int


@dataclass(frozen=True, slots=True)
class Scores:
    """What a detector is worth on a set of pictures."""

    bands: tuple[Band, ...]
    wide: float
    """AP50 of plates of 24 px and more."""
    recall: float
    """Of plates of 12 px and more, at 0.1 false boxes a picture."""
    pictures: int

    def __str__(self) -> str:
        bands = "  ".join(f"{_span(band)} {band.precision:.3f} ({band.plates})" for band in self.bands)
        return (
            f"AP50 by width: {bands}  24 px and more {self.wide:.3f}  recall at 0.1 false a picture {self.recall:.3f}"
        )


def _span(band: Band) -> str:
    return f"{band.low_px}-{band.high_px} px" if band.high_px < 10_000 else f"over {band.low_px} px"


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float, most: int = 50) -> Found:
    """The best boxes that overlap no better one by `overlap` IoU or more, best first."""
    order = np.argsort(-scores, kind="stable")[:300]
    boxes, scores = boxes[order], scores[order]
    alive = np.ones(len(boxes), bool)
    kept = []
    for place in range(len(boxes)):
        if not alive[place]:
            continue
        kept.append(place)
        if len(kept) == most:
            break
        alive &= overlaps(boxes[place], boxes) < overlap
    return boxes[kept], scores[kept]


def overlaps(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """IoU of a box (4,) with others (n, 4): (n,)."""
    sizes = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    shared = sizes.prod(1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - shared
    return np.asarray(shared / (union + 1e-9), np.float32)


def match(found: Found, plates: NDArray[np.float32]) -> list[Match]:
    """Each box, best first, against the plate that it overlaps most and that no better box has taken."""
    taken = np.zeros(len(plates), bool)
    matches = []
    for box, score in zip(*found, strict=True):
        width = float(box[2] - box[0])
        right = False
        if len(plates):
            iou = np.where(taken, 0, overlaps(box, plates))
            place = int(iou.argmax())
            right = bool(iou[place] >= MATCH)
            if right:
                taken[place] = True
                width = float(plates[place, 2] - plates[place, 0])
        matches.append(Match(float(score), right, width))
    return matches


def average_precision(matches: Iterable[Match], plates: int) -> float:
    """The mean of the highest precision at 101 recalls from 0 to 1; 0 where nothing was found."""
    ranked = sorted(matches, key=lambda one: -one.score)
    if not ranked or not plates:
        return 0.0
    hits = np.cumsum([one.right for one in ranked])
    precision = hits / np.arange(1, len(ranked) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.interp(np.linspace(0, 1, 101), hits / plates, envelope, right=0).mean())


def recall_at(matches: Iterable[Match], plates: int, pictures: int) -> float:
    """The share of plates found before the false boxes are more than 0.1 a picture."""
    right = false = 0
    for one in sorted(matches, key=lambda each: -each.score):
        right, false = right + one.right, false + (not one.right)
        if false > FALSE_PER_PICTURE * pictures:
            break
    return right / max(1, plates)


def measure(detect: Detect, marked: Sequence[Marked], size: tuple[int, int]) -> Scores:
    """The scores of a detector on whole pictures, squashed to its input."""
    matches: list[Match] = []
    widths: list[float] = []
    for one in marked:
        image = load_picture(one.path)
        scale = np.array([size[0] / image.shape[1], size[1] / image.shape[0]] * 2, np.float32)
        plates = one.boxes * scale
        matches += match(detect(squashed(image, size)), plates)
        widths += (plates[:, 2] - plates[:, 0]).tolist()
    bands = [Band(low, high, *_precision(matches, widths, low, high)) for low, high in BANDS_PX]
    counted = [one for one in matches if one.width >= SMALLEST_COUNTED_PX]
    recall = recall_at(counted, sum(width >= SMALLEST_COUNTED_PX for width in widths), len(marked))
    return Scores(tuple(bands), _precision(matches, widths, 24, 10_000)[0], recall, len(marked))


def _precision(matches: Sequence[Match], widths: Sequence[float], low: float, high: float) -> tuple[float, int]:
    count = sum(low <= width < high for width in widths)
    return average_precision([one for one in matches if low <= one.width < high], count), count


def measured_groups(split: Split) -> dict[str, tuple[Marked, ...]]:
    """The pictures that are measured on, by kind."""
    groups = {"held out": split.held_out}
    for source in ("pl_gate", "es_canary"):
        groups[source] = tuple(one for one in split.measured_only if one.source == source)
    return {name: marked for name, marked in groups.items() if marked}


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
        self._interpreter = _interpreter_class(runtime)(model_content=model, num_threads=threads)
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


def _interpreter_class(runtime: str) -> Callable[..., Any]:
    if runtime == "litert":
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415
    else:
        from tflite_runtime.interpreter import Interpreter  # noqa: PLC0415
    chosen: Callable[..., Any] = Interpreter
    return chosen


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
        models[folder.name] = file.read_bytes()
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
            bands = [f"{band.precision:.3f} ({band.plates})" for band in scores.bands]
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
