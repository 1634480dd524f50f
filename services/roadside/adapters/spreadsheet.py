"""Tables of offices (.xlsx, .xls, .ods, .xlsb) as CSV, read in a process of its own with bounds on its memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.errors import RegistryFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What such files begin with: all but .xls are archives."""
CHILD = (sys.executable, "-P", "-m", "roadside.adapters.spreadsheet_child")
MOST_BYTES = 1 << 30
"""Unpacked; a sheet of a million rows and five columns takes 250 MB."""
MOST_PARTS = 10_000
TIMEOUT_S = 300.0
REFUSED = 1
"""The child's exit code where it can say why; it then does."""


def is_spreadsheet(path: Path) -> bool:
    """Whether the file begins as one does, whatever it is called. Raises RegistryFileError where it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise RegistryFileError(f"{path}: {error.strerror}") from error
    return start.startswith((_ZIP, _OLE))


@contextmanager
def as_text(path: Path, sheet: str | None = None) -> Iterator[tuple[Path, str]]:
    """A list as text, whatever it is, and which sheet of a spreadsheet it was, in words; empty of another file.

    Errors of who reads it name the list itself. Raises RegistryFileError.
    """
    if path.is_file() and is_spreadsheet(path):
        with as_csv(path, sheet) as (text, words):
            try:
                yield text, words
            except RegistryFileError as error:
                raise type(error)(str(error).replace(str(text), f"{path}, {words}")) from error
    elif sheet is not None:
        raise RegistryFileError(f"{path}: is no spreadsheet: leave --sheet away")
    else:
        yield path, ""


@contextmanager
def as_csv(path: Path, sheet: str | None = None) -> Iterator[tuple[Path, str]]:
    """A file in UTF-8 with tabs and the same numbers of lines, and the sheet that it was, in words.

    Without `sheet` the first one that holds anything. Raises RegistryFileError for what is no such file, holds no such
    sheet, or needs too much.
    """
    _refuse_bombs(path)
    with tempfile.TemporaryDirectory(prefix="roadside-sheet-") as folder:
        written = Path(folder) / "list.csv"
        yield written, _convert(path, written, sheet)


def _convert(path: Path, written: Path, sheet: str | None) -> str:
    try:
        done = subprocess.run(
            [*CHILD, str(path), str(written), *([] if sheet is None else [sheet])],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RegistryFileError(f"{path}: this table takes too long to read: save the sheet as CSV") from None
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode == 0:
        return said
    if done.returncode == REFUSED and said:
        raise RegistryFileError(f"{path}: {said}")
    raise RegistryFileError(f"{path}: this table is damaged, or too large: save the sheet as CSV")


def _refuse_bombs(path: Path) -> None:
    """Raises RegistryFileError for an archive that says itself that it is too large."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise RegistryFileError(f"{path}: this table is damaged: save the sheet as CSV") from error
    size = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or size > MOST_BYTES:
        raise RegistryFileError(f"{path}: unpacked it is too large ({size >> 20} MB): save the sheet as CSV")
