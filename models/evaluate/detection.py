"""How well plates are found: ours, our former selves and OpenCV's cascade, by plate width and by search."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.data.photographs import load_picture, photographs
from models.evaluate import plots
from models.evaluate.faults import faulty_marks, mended, unmarked_plates
from models.evaluate.matching import Scene, Tally, average_precision, recall_at, recall_over, tally
from models.evaluate.report import Section, Table, milliseconds, share
from roadside.core.detect import Search
from roadside.core.frames import Box, Detection
from roadside.errors import ModelError, SettingsError
from roadside.vision import RUNTIMES, open_detector, open_nets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.data.photographs import Photograph
    from models.evaluate.settings import Sources
    from roadside.ports.vision import Detector

SETS = ("pl_gate", "oi_gplates", "es_canary")
WIDTHS = ((0.0, 12.0), (12.0, 24.0), (24.0, 50.0), (50.0, 1e9))
FAIR_WIDTHS = ((12.0, 24.0), (24.0, 1e9))
"""Widths of plates in the 320 px view, from and up to, in whose ranges average precision is told."""
LEAST_SCORE = 0.02
"""Low, so that the curves are whole; what the pipeline takes for a plate is said with the table."""
USUAL_SCORE = 0.3
"""The pipeline's own, under which a plate is none: with it the time is taken."""
TIMED_RUNS = 40
"""Inferences whose median is told."""


@dataclass(frozen=True, slots=True)
class Finder:
    """A way of finding plates."""

    name: str
    detector: Detector
    timed: Detector | None = None
    """The same as the pipeline has it, with its score threshold, if that is another."""


class HaarCascade:
    """OpenCV's cascade for Russian plates: what came with the library before there were nets."""

    def __init__(self) -> None:
        folder = Path(cv2.__file__).with_name("data")
        self._cascade = cv2.CascadeClassifier(str(folder / "haarcascade_russian_plate_number.xml"))
        if self._cascade.empty():
            raise ModelError(f"no haarcascade_russian_plate_number.xml under {folder}")

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """Boxes with the last stage's weight as score, best first."""
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        boxes, _, weights = self._cascade.detectMultiScale3(grey, 1.1, 2, outputRejectLevels=True)
        found = [
            Detection(Box(float(x), float(y), float(x + w), float(y + h)), float(weight))
            for (x, y, w, h), weight in zip(boxes, np.ravel(weights), strict=True)
        ]
        return sorted(found, key=lambda d: -d.score)


def evaluate(sources: Sources) -> Section:
    """Detection on the held-out pictures."""
    pictures = [p for p in photographs(sources.data) if p.held_out and p.source in SETS and p.boxes]
    loaded = {p.path: load_picture(sources.data / p.path) for p in pictures}
    finders, unmarked, faulty = _finders(sources), unmarked_plates(), faulty_marks()
    rows, speed, curves = [], [], []
    for finder in finders:
        scenes, elapsed_ms = _scenes(finder, pictures, loaded)
        by_set = {name: [s for p, s in zip(pictures, scenes, strict=True) if p.source == name] for name in SETS}
        fair = [
            replace(
                scene,
                truth=_array(mended(picture.boxes, faulty.get(picture.path, ()))),
                unmarked=_array(
                    (*unmarked.get(picture.path, ()), *(f.mark for f in faulty.get(picture.path, ()) if not f.plate))
                ),
            )
            for picture, scene in zip(pictures, scenes, strict=True)
        ]
        time_ms = milliseconds(float(np.median(elapsed_ms)))
        rows.append((finder.name, *_figures(scenes, by_set), *_fair_figures(fair), time_ms))
        curves.append(_curve(finder.name, tally(scenes, (12.0, 1e9), strays="all")))
    plots.plot(
        sources.out.with_name("accuracy_detection.png"), "Plates over 12 px in the 320 px view",
        ("false alarms a picture", "recall"), curves, x_most=0.5,
    )  # fmt: skip
    for folder in sources.detectors:
        speed += _speed(folder)
    counts = ", ".join(f"{name} {sum(p.source == name for p in pictures)}" for name in SETS)
    plates = sum(len(p.boxes) for p in pictures)
    note = (
        f"{len(pictures)} pictures ({counts}), {plates} plates. AP50 over plates of these widths in pixels of the "
        "picture squashed to 320 x 320 (other plates count neither way). Recall at 0.1: of plates over 12 px, at a "
        "tenth of a false alarm a picture. Looked at closely: by the corner net, which weighs the "
        "scores. pl_gate: recall at IoU 0.5 with the pipeline's score threshold 0.3 "
        "(cascade: all it finds). *: the same with the faults of the marks mended that were seen, one by one: "
        "finding one of "
        f"{sum(map(len, unmarked.values()))} plates that the pictures show and nobody marked "
        f"(models/evaluate/unmarked_plates.tsv) is no false alarm, and {sum(map(len, faulty.values()))} marks "
        "(faulty_marks.tsv) are moved to their plate or, where there is none, left out. "
        "ms: a whole picture, 1 thread, median."
    )
    columns = (
        "",
        "AP50",
        "<12 px",
        "12-24",
        "24-50",
        ">50",
        "AP50-95",
        "recall at 0.1",
        "pl_gate",
        "es_canary AP50",
        "AP50*",
        "12-24*",
        ">24*",
        "recall*",
        "ms",
    )
    tables = [Table("Finding plates", columns, tuple(rows), note)]
    tables.append(
        Table(
            "Milliseconds a run of the net",
            ("", "MB", *(f"{r}, {t} thr." for r in RUNTIMES for t in (1, 2))),
            tuple(speed),
        )
    )
    return Section("detect", "Finding plates", tuple(tables), ("accuracy_detection.png",))


def _finders(sources: Sources) -> list[Finder]:
    finders = [
        Finder(f"{f.name}, one view", open_detector(f, score=LEAST_SCORE, search=Search.FAST, close_look=False))
        for f in sources.detectors
    ]
    for folder in dict.fromkeys((*sources.detectors[:1], sources.photograph_detector)) if sources.detectors else ():
        for name, search in (
            ("one view", Search.FAST),
            ("the pipeline's search", Search.AUTO),
            ("always tiles", Search.TILES),
        ):
            finder, timed = (open_detector(folder, score=score, search=search) for score in (LEAST_SCORE, USUAL_SCORE))
            finders.append(Finder(f"{folder.name}, {name}, looked at closely", finder, timed))
    finders.append(Finder("OpenCV's Haar cascade", HaarCascade()))
    return finders


def _scenes(
    finder: Finder, pictures: Sequence[Photograph], loaded: dict[str, NDArray[np.uint8]]
) -> tuple[list[Scene], list[float]]:
    scenes, elapsed_ms = [], []
    for picture in pictures:
        image = loaded[picture.path]
        started = time.perf_counter()
        found = (finder.timed or finder.detector).detect(image)
        elapsed_ms.append(1e3 * (time.perf_counter() - started))
        if finder.timed:
            found = finder.detector.detect(image)
        scenes.append(
            Scene(
                _array([d.box for d in found]),
                np.array([d.score for d in found]),
                _array(picture.boxes),
                image.shape[1],
            )
        )
    return scenes, elapsed_ms


def _figures(scenes: Sequence[Scene], by_set: dict[str, list[Scene]]) -> tuple[str, ...]:
    everything = (0.0, 1e9)
    ladder = [average_precision(tally(scenes, everything, t / 100, strays="all")) for t in range(50, 100, 5)]
    lowest = 0.3 if any((s.scores < 0.3).any() for s in scenes) else -1e9
    return (
        share(ladder[0]),
        *(share(average_precision(tally(scenes, widths, strays="same width"))) for widths in WIDTHS),
        share(float(np.mean(ladder))),
        share(recall_at(tally(scenes, (12.0, 1e9), strays="all"), 0.1)),
        share(recall_over(by_set["pl_gate"], lowest)),
        share(average_precision(tally(by_set["es_canary"], everything, strays="all"))),
    )


def _fair_figures(scenes: Sequence[Scene]) -> tuple[str, ...]:
    return (
        share(average_precision(tally(scenes, (0.0, 1e9), strays="all"))),
        *(share(average_precision(tally(scenes, widths, strays="same width"))) for widths in FAIR_WIDTHS),
        share(recall_at(tally(scenes, (12.0, 1e9), strays="all"), 0.1)),
    )


def _curve(name: str, found: Tally) -> plots.Curve:
    alarms = np.cumsum(~found.hits) / max(1, found.pictures)
    recall = np.cumsum(found.hits) / max(1, found.plates)
    shown = alarms <= 0.5
    return plots.Curve(name, alarms[shown].tolist(), recall[shown].tolist())


def _speed(folder: Path) -> list[tuple[str, ...]]:
    """Median milliseconds of a look at one picture of the net's size, on every runtime that there is."""
    path = folder / "detect.tflite"
    cells = [f"{path.stat().st_size / 1e6:.2f}"]
    for runtime in RUNTIMES:
        for threads in (1, 2):
            try:
                net = open_nets(runtime).detector(folder, threads)
            except (SettingsError, ModelError):
                cells.append("-")
                continue
            width, height = net.input_size
            picture = np.zeros((height, width, 3), np.uint8)
            runs = []
            for _ in range(TIMED_RUNS + 3):
                started = time.perf_counter()
                net.look(picture)
                runs.append(1e3 * (time.perf_counter() - started))
            cells.append(milliseconds(float(np.median(runs[3:]))))
    return [(folder.name, *cells)]


def _array(boxes: Sequence[Box]) -> NDArray[np.float64]:
    return np.array([(b.x1, b.y1, b.x2, b.y2) for b in boxes], np.float64).reshape(-1, 4)
