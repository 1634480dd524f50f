"""How large a table may be, and a look at its parts, piece by piece, before anything reads them as a table."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from roadside.errors import RegistryFileError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

MEMORY_BYTES = 1 << 30
"""Of the process that reads a table. A list of a million rows and five columns takes half of it; two cells at opposite
ends of a sheet make a table of 17 billion."""
LONGEST_CELL = 32_767
"""Characters that Excel lets a cell have."""
_LONGEST_RUN_BYTES = 1 << 18
"""Without an XML tag: more than the longest cell in UTF-8, each of its characters written as &amp;."""
_PIECE_BYTES = 1 << 16
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""Marks of an encoding and white space."""


def look_at_parts(path: Path) -> None:
    """Raise RegistryFileError where a part of an archive is XML with more text in one place than a cell can hold.

    One cell of 300 MB, 300 kB packed, took 2 GB and 20 s to read as a table.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if part.file_size > _LONGEST_RUN_BYTES:
                with archive.open(part) as file:
                    _look_at(file)


def _look_at(file: IO[bytes]) -> None:
    piece, run = file.read(_PIECE_BYTES), 0
    if not piece.lstrip(_BEFORE_XML).startswith(b"<"):
        return  # a picture, or the binary table of .xlsb
    while piece:
        first = piece.find(b"<")
        run += len(piece) if first < 0 else first
        if run > _LONGEST_RUN_BYTES:
            raise RegistryFileError(f"a cell holds more than {LONGEST_CELL:,} characters")
        if first >= 0:
            run = len(piece) - 1 - piece.rfind(b"<")
        piece = file.read(_PIECE_BYTES)
