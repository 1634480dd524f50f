"""Corrected plates as training data: the picture, Pascal VOC XML as labelImg writes it, and crops.csv."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from roadside.core.frames import Box
from roadside.core.picture_header import PHOTOGRAPH_LIMITS, PictureFault
from roadside.errors import InputError
from roadside.kit.file_faults import writing_fault
from roadside.wire.decoding import decode

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("path", "width", "height", "x1", "y1", "x2", "y2", "text", "region", "source")


class TrainingExport:
    """A folder of pictures with an XML file each and one table of all; a plate twice is written once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(  # noqa: PLR0913 - the columns of the table
        self, name: str, data: bytes, media_type: str, box: Box | None, *, text: str, country: str
    ) -> None:
        """Write one picture (encoded) with its plate's box and text. Raises InputError."""
        try:
            height, width = decode(data, PHOTOGRAPH_LIMITS).shape[:2]
        except PictureFault as fault:
            raise InputError(f"the picture of {name} {fault}") from None
        found = box or Box(0, 0, width, height)
        inside = Box(max(0, found.x1), max(0, found.y1), min(width, found.x2), min(height, found.y2))
        path = self._folder / f"{name}.{'png' if media_type == 'image/png' else 'jpg'}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            tree = ET.ElementTree(_annotation(path.name, width, height, inside))
            ET.indent(tree, "\t")
            tree.write(path.with_suffix(".xml"), encoding="unicode")
            self._row(path.name, width, height, inside, (text, country))
        except OSError as error:
            raise InputError(f"{self._folder}: {writing_fault(error)}") from error

    def _row(self, name: str, width: int, height: int, box: Box, said: tuple[str, str]) -> None:
        table = self._folder / "crops.csv"
        rows: dict[str, list[str]] = {}
        if table.exists():
            with table.open(encoding="utf-8", newline="") as file:
                rows = {row[0]: row for row in csv.reader(file) if row and row[0] != "path"}
        corners = [f"{value:.1f}" for value in (box.x1, box.y1, box.x2, box.y2)]
        rows[name] = [name, str(width), str(height), *corners, *said, "review"]
        draft = table.with_suffix(".draft")
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(rows.values())
        draft.replace(table)


def _annotation(name: str, width: int, height: int, box: Box) -> ET.Element:
    root = ET.Element("annotation")
    for tag, value in (("folder", ""), ("filename", name)):
        ET.SubElement(root, tag).text = value
    size = ET.SubElement(root, "size")
    for tag, number in (("width", width), ("height", height), ("depth", 3)):
        ET.SubElement(size, tag).text = str(number)
    ET.SubElement(root, "segmented").text = "0"
    found = ET.SubElement(root, "object")
    for tag, value in (("name", "plate"), ("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
        ET.SubElement(found, tag).text = value
    bounds = ET.SubElement(found, "bndbox")
    for tag, edge in (("xmin", box.x1), ("ymin", box.y1), ("xmax", box.x2), ("ymax", box.y2)):
        ET.SubElement(bounds, tag).text = str(round(edge))
    return root
