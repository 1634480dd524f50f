"""Rows as a file that offices open: CSV, or an Excel sheet."""

from __future__ import annotations

import csv
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from roadside.commands.out import refuse_unwritable
from roadside.errors import InputError, SettingsError
from roadside.kit.extras import install_command
from roadside.kit.file_faults import writing_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    Cell = str | int | float | None

STANDARD_OUTPUT = "-"
_FORMULAS = ("=", "+", "-", "@")
MOST_ROWS = 1_048_576
"""Of a sheet of Excel."""


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a table by the ending of its name, and return its number of rows; `-` is CSV on the standard output.

    Raises InputError where it cannot be written, SettingsError where a package is missing.
    """
    if path.suffix.lower() == ".xlsx":
        return write_xlsx(path, header, rows)
    return write_csv(path, header, rows)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write CSV in UTF-8, with a mark by which Excel knows that. Raises InputError."""
    with _opened(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        count = 0
        for row in rows:
            writer.writerow([_unspoken(value) for value in row])
            count += 1
    return count


def write_xlsx(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a sheet of Excel, all cells as text or numbers, never as formulas. Raises InputError, SettingsError."""
    try:
        from openpyxl import Workbook  # noqa: PLC0415 - only where a sheet is wanted
        from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        mend = install_command("console", "openpyxl")
        raise SettingsError(f"Excel sheets need a Python package ({error.name} is missing): {mend}") from error
    refuse_unwritable(path, "")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Roadside")
    sheet.append(list(header))
    count = 0
    for row in rows:
        count += 1
        if count >= MOST_ROWS:
            raise InputError(f"{path}: a sheet of Excel holds {MOST_ROWS} rows: choose fewer, or write CSV")
        cells = [WriteOnlyCell(sheet, value=value) for value in row]
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"
        sheet.append(cells)
    try:
        book.save(path)
    except OSError as error:
        raise InputError(f"{path}: {writing_fault(error)}") from error
    return count


def _unspoken(value: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula gets a mark before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if str(path) == STANDARD_OUTPUT:
        yield sys.stdout
        return
    refuse_unwritable(path, "")
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: {writing_fault(error)}") from error
