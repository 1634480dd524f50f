"""Measures how a reader errs on held-out plates, as statistics without a plate: models/shipped/confusions.json.

The verdict takes its doubt from the counts (`roadside.core.confusions`). No text of a plate can be put together
from what is written: characters are counted without their neighbours, and a read's profile holds probabilities alone.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from models.command import answer
from models.data.photographs import data_folder, load_picture, plate_crops, read_labels
from roadside.core.confusions import folding_matrix
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET
from roadside.vision import open_corner_finder, open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from models.data.photographs import PlateCrop
    from roadside.core.reads import Read
    from roadside.ports.vision import Reader
    from roadside.vision import CornerFinder

VIEWS = 4
"""Readings of each crop: the crop itself, and as it would look in neighbouring frames."""
CALIBRATION_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading against the truth, both folded."""

    confidence: float
    right: bool
    pairs: tuple[tuple[str, str], ...]
    """(truth, read); an empty one where a character was missed or invented."""
    slots: tuple[tuple[float, float], ...]
    """(probability of the character read, probability of the true one), where no length error was made."""
    text: str


def measure(reader_folder: Path, corners_folder: Path, out: Path) -> None:
    """Reads every held-out crop whose text is known and writes the statistics to `out`.

    Raises:
        RoadsideError: the photographs or a model are missing.

    """
    folder = data_folder()
    crops = [
        crop
        for crop in plate_crops(folder, read_labels())
        if crop.held_out and crop.text and (crop.given or crop.sure) and set(fold(crop.text)) <= set(ALPHABET)
    ]
    reader, finder = open_reader(reader_folder), open_corner_finder(corners_folder)
    rng = np.random.default_rng(7)
    passages = [_readings(reader, finder, folder, crop, rng) for crop in crops]
    statistics = {"reader": reader_folder.name, "sources": _sources(crops), **summarise(passages)}
    out.write_text(_compact(statistics), encoding="utf-8")
    first = [readings[0] for readings in passages]
    share = sum(reading.right for reading in first) / max(1, len(first))
    print(f"{out}: {len(first)} plates, {share:.3f} right folded, {statistics['persistence']}")


def summarise(passages: Sequence[Sequence[Reading]]) -> dict[str, Any]:
    """The statistics of readings at each of several plates, the first reading of each being the crop itself."""
    first = [readings[0] for readings in passages]
    halves = [_counts(first[start::2]) for start in (0, 1)]
    pairs = [pair for reading in first for pair in reading.pairs]
    return {
        "alphabet": ALPHABET,
        "reads": len(first),
        "characters_read": sum(1 for _, read in pairs if read),
        "missed": sum(1 for _, read in pairs if not read),
        "invented": sum(1 for truth, _ in pairs if not truth),
        "counts": (halves[0] + halves[1]).astype(int).tolist(),
        "halves": [half.astype(int).tolist() for half in halves],
        "calibration": _calibration(first),
        "profiles": [
            {"confidence": round(reading.confidence, 4), "slots": [[_digits(p), _digits(q)] for p, q in reading.slots]}
            for reading in first
            if reading.slots
        ],
        "length_errors": [_digits(reading.confidence) for reading in first if not reading.slots],
        "persistence": _persistence(passages),
    }


def compare(read: Read, truth: str) -> Reading:
    """`read` against the true text, folded."""
    text, expected = fold(read.text), fold(truth)
    slots: tuple[tuple[float, float], ...] = ()
    if len(text) == len(expected) == len(read.posterior):
        rows = np.asarray(read.posterior, np.float64) @ folding_matrix()
        slots = tuple(
            (float(row[ALPHABET.index(a)]), float(row[ALPHABET.index(b)]))
            for row, a, b in zip(rows, text, expected, strict=True)
        )
    return Reading(read.confidence, text == expected, tuple(_align(expected, text)), slots, text)


def _readings(
    reader: Reader, finder: CornerFinder, folder: Path, crop: PlateCrop, rng: np.random.Generator
) -> list[Reading]:
    image = load_picture(folder / crop.path)
    first = Crop(CameraId("held-out"), 0, 0, Detection(crop.box, 1.0), image)
    views = [first, *(_neighbouring(first, rng) for _ in range(VIEWS - 1))]
    return [compare(reader.read(_placed(view, finder)), crop.text) for view in views]


def _placed(crop: Crop, finder: CornerFinder) -> Crop:
    """The crop with the corners that the product would give its plate."""
    detection = crop.detection
    return replace(crop, detection=replace(detection, corners=finder.find(crop.image, detection.box)))


def _neighbouring(crop: Crop, rng: np.random.Generator) -> Crop:
    """The crop as another frame of the same passage may show it: nearer or farther, moved, lit, a little blurred."""
    height, width = crop.image.shape[:2]
    scale = rng.uniform(0.7, 1.15)
    size = (max(16, round(width * scale)), max(8, round(height * scale)))
    image = cv2.resize(crop.image, size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9))
    lit = np.clip(image.astype(np.float32) * rng.uniform(0.8, 1.2) + rng.normal(0, 3, image.shape), 0, 255)
    box = crop.detection.box
    x1, y1, x2, y2 = (v * scale for v in (box.x1, box.y1, box.x2, box.y2))
    dx, dy = rng.normal(0, 0.02) * (x2 - x1), rng.normal(0, 0.02) * (y2 - y1)
    moved = Box(x1 + dx, y1 + dy, x2 + dx, y2 + dy)
    return replace(crop, detection=Detection(moved, 1.0), image=lit.astype(np.uint8))


def _align(truth: str, text: str) -> Iterator[tuple[str, str]]:
    """Pairs of a cheapest alignment (Levenshtein)."""
    costs = np.zeros((len(truth) + 1, len(text) + 1), int)
    costs[:, 0], costs[0, :] = np.arange(len(truth) + 1), np.arange(len(text) + 1)
    for i, a in enumerate(truth, 1):
        for j, b in enumerate(text, 1):
            costs[i, j] = min(costs[i - 1, j] + 1, costs[i, j - 1] + 1, costs[i - 1, j - 1] + (a != b))
    i, j = len(truth), len(text)
    while i or j:
        if i and j and costs[i, j] == costs[i - 1, j - 1] + (truth[i - 1] != text[j - 1]):
            i, j = i - 1, j - 1
            yield truth[i], text[j]
        elif i and costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
            yield truth[i], ""
        else:
            j -= 1
            yield "", text[j]


def _counts(readings: Sequence[Reading]) -> NDArray[np.float64]:
    """(36, 36): how often each true character (row) was read as each (column)."""
    counts = np.zeros((len(ALPHABET), len(ALPHABET)))
    for reading in readings:
        if sum(a != b for a, b in reading.pairs) > len(reading.pairs) / 2:
            continue  # not a misread plate but no read at all: its pairs say nothing of characters
        for truth, read in reading.pairs:
            if truth and read:
                counts[ALPHABET.index(truth), ALPHABET.index(read)] += 1
    return counts


def _calibration(readings: Sequence[Reading]) -> list[dict[str, float]]:
    bins = []
    for low, high in pairwise(CALIBRATION_EDGES):
        mine = [x for x in readings if low <= x.confidence < high or (high == 1.0 and x.confidence >= high)]
        bins.append({"low": low, "high": high, "reads": len(mine), "right": sum(x.right for x in mine)})
    return bins


def _persistence(passages: Sequence[Sequence[Reading]]) -> dict[str, float]:
    """How far the errors of one plate's readings are the same error: what no number of frames mends."""
    wrong = [(readings[0], other) for readings in passages if not readings[0].right for other in readings[1:]]
    return {
        "pairs_first_wrong": len(wrong),
        "both_wrong": sum(not other.right for _, other in wrong),
        "same_text": sum(first.text == other.text for first, other in wrong),
    }


def _sources(crops: Sequence[PlateCrop]) -> dict[str, int]:
    found: dict[str, int] = {}
    for crop in crops:
        found[crop.source] = found.get(crop.source, 0) + 1
    return found


def _digits(p: float) -> float:
    return float(f"{p:.3g}") if p < 0.5 else round(p, 6)


def _compact(statistics: dict[str, Any]) -> str:
    """JSON with one line a row of numbers."""
    lines = []
    for name, value in statistics.items():
        if isinstance(value, list):
            rows = ",\n    ".join(json.dumps(row, separators=(",", ":")) for row in value)
            lines.append(f"  {json.dumps(name)}: [\n    {rows}\n  ]")
        else:
            lines.append(f"  {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.ocr.confusions"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("--reader", type=Path, default=Path("models/shipped/reader"), help="folder of the reader")
    parser.add_argument("--corners", type=Path, default=Path("models/shipped/detector"), help="of the corner net")
    parser.add_argument("--out", type=Path, default=Path("models/shipped/confusions.json"))
    chosen = parser.parse_args(arguments)
    return answer(prog, lambda: measure(chosen.reader, chosen.corners, chosen.out))


if __name__ == "__main__":
    raise SystemExit(main())
