"""Tables of offices (.xlsx, .xls, .ods, .xlsb) as CSV, read in a process of its own with bounds on its memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.spreadsheet_bounds import MEMORY_BYTES
from roadside.errors import RegistryFileError
from roadside.kit.file_faults import reading_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What such files begin with: all but .xls are archives."""
CHILD = (sys.executable, "-P", "-m", "roadside.adapters.spreadsheet_child")
MOST_BYTES = 1 << 30
"""Unpacked; a sheet of a million rows and five columns takes 250 MB."""
MOST_PARTS = 10_000
MOST_RATIO, RATIO_FROM_BYTES = 200, 8 << 20
"""How often smaller than unpacked a part of an archive may be that is no small one: a list of cars is 10 to 60 times,
one letter over and over 1,000 times."""
TIMEOUT_S = 300.0
REFUSED = 1
"""The child's exit code where it can say why; it then does."""
_SAVE = "save the sheet as CSV"
_SHOWN = 60


def is_spreadsheet(path: Path) -> bool:
    """Whether the file begins as one does, whatever it is called. Raises RegistryFileError where it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise RegistryFileError(f"{path}: {reading_fault(error)}") from error
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
        raise RegistryFileError(f"{path}: this table takes more than {TIMEOUT_S:.0f} s to read: {_SAVE}") from None
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode == 0:
        return said
    if done.returncode == REFUSED and said:
        raise RegistryFileError(f"{path}: {said}")
    most_mb = MEMORY_BYTES >> 20
    raise RegistryFileError(f"{path}: this table is damaged, or takes more than {most_mb} MB of memory: {_SAVE}")


def _refuse_bombs(path: Path) -> None:
    """Raises RegistryFileError for an archive that says itself that it is too large."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise RegistryFileError(f"{path}: this table is damaged: {_SAVE}") from error
    size = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS:
        raise RegistryFileError(f"{path}: has {len(parts):,} parts, and at most {MOST_PARTS:,} are looked at: {_SAVE}")
    if size > MOST_BYTES:
        raise RegistryFileError(
            f"{path}: unpacked it has {size >> 20:,} MB, and at most {MOST_BYTES >> 20:,} MB are read: {_SAVE}"
        )
    for part in parts:
        if part.file_size > max(RATIO_FROM_BYTES, MOST_RATIO * part.compress_size):
            raise RegistryFileError(
                f"{path}: its part {part.filename[:_SHOWN]!a} is packed more than {MOST_RATIO} times smaller than "
                f"it is ({part.file_size >> 20:,} MB), as no list is: {_SAVE}"
            )
