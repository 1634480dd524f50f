"""Whole photographs through the pipeline of `roadside read`: found, read, right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.data.photographs import Photograph, photographs
from models.evaluate.faults import faulty_texts
from models.evaluate.report import Section, Table, milliseconds, share
from roadside.core.detect import Search
from roadside.core.geometry import iou
from roadside.core.plates import fold, normalise
from roadside.errors import ModelError
from roadside.vision import ArticleReader, PhotographReader, TesseractReader, open_detector, open_reader, warm_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.evaluate.settings import Sources
    from roadside.ports.vision import Detector, Reader
    from roadside.vision import Photograph as Reading

SETS = ("pl_gate", "nl_rfj", "hr_osijek", "hu_david", "cz_pulpan")
LEAST_CONFIDENCE = 0.2
"""As the setting `confidence` has it."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A reader, and what finds plates for it, as the table names them."""

    name: str
    reader: Reader
    sets: tuple[str, ...]
    least_confidence: float = LEAST_CONFIDENCE
    detector: Detector | None = None
    """Without corners and close look; None for the pipeline's own."""


def evaluate(sources: Sources) -> Section:
    """Every set with our reader; pl_gate with Tesseract and the article's pipeline too."""
    if not sources.detectors:
        raise ModelError("no detector to evaluate: models/shipped holds none")
    mistexted = faulty_texts()
    pictures = [p for p in photographs(sources.data) if p.source in SETS and p.texts and p.path not in mistexted]
    finder = open_detector(sources.photograph_detector, search=Search.FAST)
    configurations = [Configuration(f"ours, {f.name}", open_reader(f, extra_cuts=True), SETS) for f in sources.readers]
    if configurations:
        boxes = open_detector(sources.photograph_detector, search=Search.FAST, close_look=False)
        first = configurations[0]
        configurations.append(Configuration(f"{first.name}, one look, no corners", first.reader, SETS, detector=boxes))
    if sources.tessdata is not None:
        configurations.append(Configuration("our Tesseract, gb", TesseractReader(sources.tessdata), SETS[:1], 0.0))
        configurations.append(
            Configuration("the article's pipeline, gb", ArticleReader(sources.tessdata), SETS[:1], 0.0)
        )
    rows = []
    for name in SETS:
        members = [p for p in pictures if p.source == name]
        for one in configurations:
            if name in one.sets:
                detector, closer = one.detector or finder, None if one.detector else finder.detect_closer
                warm_up(detector, one.reader)
                photographs_reader = PhotographReader(detector, one.reader, one.least_confidence, closer)
                reports = [photographs_reader.read(sources.data / p.path) for p in members]
                rows.append((name, one.name, *_figures(members, reports)))
    note = (
        "A picture counts as read when one of its plates equals the truth. Recall: of marked plates that a read plate "
        "covers at IoU 0.5 (pl_gate alone is marked throughout). Extra: plates read that are not the truth, a picture. "
        "ms: median of a picture, 1 thread."
    )
    columns = ("set", "reader", "pictures", "recall", "exact", "folded", "extra", "decode", "detect", "read", "ms")
    return Section("end", "From photograph to plate", (Table("roadside read", columns, tuple(rows), note),))


def _figures(pictures: Sequence[Photograph], reports: Sequence[Reading]) -> tuple[str, ...]:
    raw = folded = extra = 0
    marked = [p for p in pictures for _ in p.boxes]
    found = 0
    for picture, report in zip(pictures, reports, strict=True):
        texts = [p.read.text for p in report.plates]
        truth = {normalise(t) for t in picture.texts}
        truth_folded = {fold(t) for t in truth}
        raw += any(t in truth for t in texts)
        folded += any(fold(t) in truth_folded for t in texts)
        extra += sum(fold(t) not in truth_folded for t in texts)
        boxes = [p.crop.detection.box for p in report.plates]
        found += sum(any(iou(box, b) >= 0.5 for b in boxes) for box in picture.boxes)
    count = len(pictures)
    steps = [[r.elapsed.ms(step) for r in reports] for step in ("decode", "detect", "read")]
    medians = [float(np.median(times)) for times in steps]
    total = float(np.median(np.sum(steps, axis=0)))
    return (
        str(count),
        share(found / len(marked)) if len(marked) >= count else "-",
        share(raw / count),
        share(folded / count),
        f"{extra / count:.2f}",
        *(milliseconds(m) for m in medians),
        milliseconds(total),
    )
