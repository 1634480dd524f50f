"""Faults of the photographs' annotations that were seen by eye: listed, not counted in silence."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.core.frames import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

UNMARKED = Path(__file__).with_name("unmarked_plates.tsv")
FAULTY = Path(__file__).with_name("faulty_marks.tsv")
MISTEXTED = Path(__file__).with_name("faulty_texts.tsv")
SAME_MARK_PX = 2.0
_EDGES = ("x1", "y1", "x2", "y2")


def unmarked_plates(path: Path = UNMARKED) -> dict[str, tuple[Box, ...]]:
    """Plates that a picture shows and its annotation lacks, by the picture's path; boxes are a detector's."""
    found: dict[str, tuple[Box, ...]] = defaultdict(tuple)
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            found[row["path"]] += (Box(*(float(row[edge]) for edge in _EDGES)),)
    return dict(found)


def faulty_texts(path: Path = MISTEXTED) -> frozenset[str]:
    """Paths of pictures whose plate shows another text than their source says."""
    with path.open(encoding="utf-8", newline="") as lines:
        return frozenset(row["path"] for row in csv.DictReader(lines, delimiter="\t"))


@dataclass(frozen=True, slots=True)
class FaultyMark:
    """A mark that is not around a plate's edges."""

    mark: Box
    plate: Box | None
    """Where the plate is; None where there is none."""


def faulty_marks(path: Path = FAULTY) -> dict[str, tuple[FaultyMark, ...]]:
    """Marks that lie beside or far around their plate, or on something that is none, by the picture's path."""
    found: dict[str, tuple[FaultyMark, ...]] = defaultdict(tuple)
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            mark = Box(*(float(row[edge]) for edge in _EDGES))
            plate = Box(*(float(row[f"plate_{edge}"]) for edge in _EDGES)) if row["plate_x1"] else None
            found[row["path"]] += (FaultyMark(mark, plate),)
    return dict(found)


def mended(marks: Sequence[Box], faults: Sequence[FaultyMark]) -> tuple[Box, ...]:
    """The marks of a picture with those of `faults` moved to their plate, or left out."""
    kept: list[Box] = []
    for mark in marks:
        fault = next((one for one in faults if _same(one.mark, mark)), None)
        if fault is None:
            kept.append(mark)
        elif fault.plate is not None:
            kept.append(fault.plate)
    return tuple(kept)


def _same(one: Box, other: Box) -> bool:
    return all(abs(getattr(one, edge) - getattr(other, edge)) <= SAME_MARK_PX for edge in _EDGES)
