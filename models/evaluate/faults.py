"""Faults of the photographs' annotations that were seen by eye: listed, not counted in silence."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from roadside.core.types import Box

UNMARKED = Path(__file__).with_name("unmarked_plates.tsv")


def unmarked_plates(path: Path = UNMARKED) -> dict[str, tuple[Box, ...]]:
    """Plates that a picture shows and its annotation lacks, by the picture's path; boxes are a detector's."""
    found: dict[str, tuple[Box, ...]] = defaultdict(tuple)
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            found[row["path"]] += (Box(*(float(row[edge]) for edge in ("x1", "y1", "x2", "y2"))),)
    return dict(found)
