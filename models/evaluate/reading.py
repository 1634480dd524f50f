"""How well held-out plates are read, by every reader, and whether our confidence can be trusted."""

from __future__ import annotations

import shlex
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytesseract

from models.data.photographs import PlateCrop, load_picture, plate_crops, read_labels
from models.evaluate import calibration, general
from models.evaluate.report import Section, Table, milliseconds, share
from models.evaluate.texts import Outcome, score
from roadside.core.frames import CameraId, Crop, Detection
from roadside.core.plates import normalise
from roadside.errors import ModelError
from roadside.vision import ArticleReader, TesseractReader, open_corner_finder, open_nets, open_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.evaluate.settings import Sources
    from roadside.core.frames import Box
    from roadside.core.reads import Read
    from roadside.ports.vision import Reader

GROUPS = ("UK", "PL gate", "CZ", "others, Europe", "others, world")
SINGLE_LINE = 7
"""Tesseract's page segmentation: the picture is one line of text."""
_NO_EUROPEANS = frozenset({"US", "OT", "XX", "IN", "VN", "RU"})


@dataclass(frozen=True, slots=True)
class Row:
    """One reader over all groups."""

    name: str
    outcomes: tuple[Outcome, ...]


def evaluate(sources: Sources) -> Section:
    """Reading and calibration on the held-out crops."""
    crops = [c for c in plate_crops(sources.data, read_labels()) if c.held_out and c.text and c.sure]
    placed = [(c, _placed(sources.data, c)) for c in crops]
    straight = _with_corners(sources, placed)
    rows = [_read(f"ours, {f.name}, with corners", open_reader(f), straight) for f in sources.readers if straight]
    rows += [
        _read(f"ours, {f.name}, with corners, as photographs are read", open_reader(f, extra_cuts=True), straight)
        for f in sources.readers
        if straight
    ]
    rows += [_read(f"ours, {f.name}", open_reader(f), placed) for f in sources.readers]
    if rows:
        rows.append(Row(f"{rows[0].name}, before the grammar", tuple(_raw(o) for o in rows[0].outcomes)))
    rows.append(_general(sources, crops))
    if sources.tessdata is not None:
        tesseract = TesseractReader(sources.tessdata)
        if straight:
            rows.append(_read("our Tesseract, gb, with corners", tesseract, straight))
        rows.append(_read("our Tesseract, gb", tesseract, placed))
    rows += _article(placed)
    tables = [_table(rows)]
    notes = []
    if sources.readers:
        tables.append(calibration.evaluate(rows[0].outcomes, sources.out))
        notes.append(f"![reliability]({calibration.PLOT})")
    own = sum(c.given for c in crops)
    notes.append(
        f"{own} crops have the text that came with their source, {len(crops) - own} one that a person read "
        "(ROADSIDE_LABELS; given texts of UK and Czech crops were read by eye too, with a few per cent of errors)."
    )
    return Section("read", "Reading plates", tuple(tables), (), tuple(notes))


def group_of(crop: PlateCrop) -> str:
    """The row of the report that a crop counts in."""
    if crop.source == "pl_gate":
        return "PL gate"
    if crop.region in ("UK", "CZ"):
        return crop.region
    return "others, world" if crop.region in _NO_EUROPEANS else "others, Europe"


def _placed(data: Path, crop: PlateCrop) -> Crop:
    return Crop(CameraId("crop"), 0, 0, Detection(crop.box, 1.0), load_picture(data / crop.path))


def _read(name: str, reader: Reader, placed: Sequence[tuple[PlateCrop, Crop]]) -> Row:
    outcomes = []
    for crop, picture in placed:
        started = time.perf_counter()
        read: Read = reader.read(picture)
        elapsed_ms = 1e3 * (time.perf_counter() - started)
        outcomes.append(Outcome(crop.path, group_of(crop), crop.text, read.raw, read.text, read.confidence, elapsed_ms))
    return Row(name, tuple(outcomes))


def _with_corners(sources: Sources, placed: Sequence[tuple[PlateCrop, Crop]]) -> list[tuple[PlateCrop, Crop]]:
    """The crops with the corners that the pipeline's corner net places; none where there is no such net."""
    folder = sources.detectors[0] if sources.detectors else None
    if folder is None or not open_nets().file(folder, "corners").is_file():
        return []
    finder = open_corner_finder(folder)
    return [
        (crop, replace(p, detection=replace(p.detection, corners=finder.find(p.image, p.detection.box))))
        for crop, p in placed
    ]


def _raw(outcome: Outcome) -> Outcome:
    path, group, truth, raw, elapsed_ms = outcome.path, outcome.group, outcome.truth, outcome.raw, float("nan")
    return Outcome(path, group, truth, raw, raw, outcome.confidence, elapsed_ms)


def _general(sources: Sources, crops: Sequence[PlateCrop]) -> Row:
    """The general recogniser, run now if it is installed, else as crops.tsv tells of it."""
    if sources.general_python is not None:
        said = general.run(sources.general_python, sources.data, crops)
        name = "general recogniser (rapidocr)"
    else:
        said = [(c.teacher, c.teacher_confidence, float("nan")) for c in crops]
        name = "general recogniser (crops.tsv)"
    return Row(
        name,
        tuple(
            Outcome(c.path, group_of(c), c.text, normalise(text), normalise(text), sure, elapsed_ms)
            for c, (text, sure, elapsed_ms) in zip(crops, said, strict=True)
        ),
    )


def _article(placed: Sequence[tuple[PlateCrop, Crop]]) -> list[Row]:
    """Tesseract's English on crops cut and blurred as in the article, whatever it says counted, accepted or not.

    Once as pytesseract looks at a picture by itself (a page, where it seldom finds a line), once as one line.
    """
    try:
        folder = _system_tessdata()
        reader = ArticleReader(folder, "eng")
    except ModelError:
        return []
    page, line = [], []
    for crop, picture in placed:
        box = crop.box
        started = time.perf_counter()
        found = reader.read_box(picture.image, box.x1, box.y1, box.x2, box.y2)
        page.append(_said(crop, found.text, 1e3 * (time.perf_counter() - started)))
        blurred = cv2.GaussianBlur(cv2.cvtColor(_marked(picture.image, box), cv2.COLOR_BGR2GRAY), (3, 3), 0)
        config = f"--tessdata-dir {shlex.quote(str(folder))} --psm {SINGLE_LINE}"
        started = time.perf_counter()
        text = pytesseract.image_to_string(blurred, lang="eng", config=config)
        line.append(_said(crop, text, 1e3 * (time.perf_counter() - started)))
    return [Row("Tesseract eng, the article's way", tuple(page)), Row("the same, marked box as a line", tuple(line))]


def _marked(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    return image[max(0, int(box.y1)) : int(box.y2) + 1, max(0, int(box.x1)) : int(box.x2) + 1]


def _said(crop: PlateCrop, text: str, elapsed_ms: float) -> Outcome:
    plain = normalise(text)
    return Outcome(crop.path, group_of(crop), crop.text, plain, plain, 0.0, elapsed_ms)


def _system_tessdata() -> Path:
    """The folder of the installed languages, as `tesseract --list-langs` names it. Raises ModelError."""
    try:
        done = subprocess.run(("tesseract", "--list-langs"), capture_output=True, text=True, check=False)
    except OSError as error:
        raise ModelError("Tesseract is not installed") from error
    parts = done.stdout.split('"')
    if len(parts) < 2:
        raise ModelError("tesseract --list-langs names no folder")
    return Path(parts[1])


def _table(rows: Sequence[Row]) -> Table:
    groups = [g for g in GROUPS if any(o.group == g for o in rows[0].outcomes)]
    lines = []
    for row in rows:
        cells = []
        for group in groups:
            figures = score([o for o in row.outcomes if o.group == group])
            cells.append(
                f"{share(figures.exact_raw)} / {share(figures.exact_folded)} / {share(figures.character_error)}"
            )
        times = [o.elapsed_ms for o in row.outcomes]
        lines.append((row.name, *cells, milliseconds(float(np.median(times)))))
    counts = [f"{g} ({sum(o.group == g for o in rows[0].outcomes)})" for g in groups]
    note = (
        "Exact / exact folded / character error rate (folded). The box is the marked one, not a detector's. ms: a "
        "crop, rectification and grammar included, the corner net not, 1 thread, median. Tesseract "
        "is a process a call (pytesseract)."
    )
    return Table("Reading held-out crops", ("", *counts, "ms"), tuple(lines), note)
