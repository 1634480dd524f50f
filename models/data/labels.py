"""Texts of plates read by eye: sheets to read from, and the labels file that comes of it."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import cv2

from models.data.contact_sheets import plate_tile, sheet
from models.data.photographs import UNREADABLE, plate_crops
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ACROSS, DOWN = 4, 6
PLACES = "places.tsv"
"""Beside the sheets: which crop stands where."""
READ_COLUMNS = ("sheet", "tile", "text", "lines", "region", "quality")
LABEL_COLUMNS = ("path", "text", "lines", "region", "quality")
_QUALITIES = frozenset("abc")
_TEXT = re.compile(r"[A-Z0-9]{1,12}")


def write_label_sheets(data: Path, out: Path) -> int:
    """Sheets of the crops of `data` that may be trained on and have no text; how many."""
    crops = [c for c in plate_crops(data) if c.use == "train" and not c.text]
    out.mkdir(parents=True, exist_ok=True)
    a_sheet = ACROSS * DOWN
    with (out / PLACES).open("w", encoding="utf-8", newline="") as places:
        writer = csv.writer(places, delimiter="\t", lineterminator="\n")
        writer.writerow(("sheet", "tile", "path"))
        for start in range(0, len(crops), a_sheet):
            part, number = crops[start : start + a_sheet], start // a_sheet
            tiles = [plate_tile(c, data, f"{i:02d} {c.teacher} {c.teacher_confidence:.2f}") for i, c in enumerate(part)]
            cv2.imwrite(str(out / f"s{number:03d}.png"), sheet(tiles, ACROSS))
            writer.writerows((f"s{number:03d}", i, c.path) for i, c in enumerate(part))
    return -(-len(crops) // a_sheet)


def apply_labels(sheets: Path, read: Sequence[Path], out: Path) -> tuple[int, int]:
    """Join what was read off the `sheets` to the crops and write the labels file `out`; rows and readable ones.

    Each file of `read` holds tab-separated sheet, tile, text, lines, region, quality, as models/data/labels/README.md
    explains. Raises SourceError, naming file and line, for a row that cannot be meant.
    """
    with (sheets / PLACES).open(encoding="utf-8", newline="") as lines:
        places = {(r["sheet"], int(r["tile"])): r["path"] for r in csv.DictReader(lines, delimiter="\t")}
    rows: dict[str, tuple[str, ...]] = {}
    for path in read:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            fields = line.split("\t")
            if not line.strip() or fields[0] == READ_COLUMNS[0]:
                continue
            place = _place(fields, places, f"{path}:{number}")
            rows[place] = _checked(fields, f"{path}:{number}")
    with out.open("w", encoding="utf-8", newline="") as written:
        writer = csv.writer(written, delimiter="\t", lineterminator="\n")
        writer.writerow(LABEL_COLUMNS)
        writer.writerows((path, *row) for path, row in sorted(rows.items()))
    return len(rows), sum(row[0] != UNREADABLE for row in rows.values())


def _place(fields: Sequence[str], places: dict[tuple[str, int], str], where: str) -> str:
    if len(fields) != len(READ_COLUMNS):
        raise SourceError(f"{where}: {len(fields)} fields, not the {len(READ_COLUMNS)} of {', '.join(READ_COLUMNS)}")
    if not fields[1].isdigit() or (fields[0], int(fields[1])) not in places:
        raise SourceError(f"{where}: no tile {fields[1]} on sheet {fields[0]}")
    return places[fields[0], int(fields[1])]


def _checked(fields: Sequence[str], where: str) -> tuple[str, ...]:
    _, _, text, lines, region, quality = fields
    if text != UNREADABLE and not _TEXT.fullmatch(text):
        raise SourceError(f"{where}: {text!r} is no registration (A-Z, 0-9) and not {UNREADABLE}")
    if lines not in ("1", "2") or quality not in _QUALITIES:
        raise SourceError(f"{where}: lines are 1 or 2, quality a, b or c")
    return text, lines, region, quality
