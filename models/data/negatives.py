"""Photographs that show no plate: signs, shop fronts, time stamps of cameras. What is read in them is a false alarm."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.data.split import bucket
from roadside.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "negatives.tsv"
BUCKETS, HELD_OUT = 3, 2
"""One scene in three is never trained on: the third in which the nets of November 2026 were mistaken most surely."""
_SCENE = re.compile(r"\bGTSDB \d+")
"""Windows of one picture of GTSDB show one scene."""


@dataclass(frozen=True, slots=True)
class Negative:
    """A photograph without a plate."""

    path: Path
    scene: str
    """Photographs of one scene are held out together or not at all."""

    @property
    def held_out(self) -> bool:
        """Whether no net is trained on it."""
        return bucket(self.scene, BUCKETS) == HELD_OUT


def read_negatives(folder: Path) -> tuple[Negative, ...]:
    """The rows of `folder`/negatives.tsv (path, lettering, source), in their order; none where there is no such file.

    Raises:
        SourceError: the file lacks a column.

    """
    table = folder / TABLE
    if not table.is_file():
        return ()
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    try:
        return tuple(Negative(folder / row["path"], _scene(row["path"], row["source"])) for row in rows)
    except KeyError as fault:
        raise SourceError(f"{table} has no column {fault}") from fault


def _scene(path: str, source: str) -> str:
    named = _SCENE.search(source)
    return named[0] if named else path
