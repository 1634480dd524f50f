"""The process that reads a table, started as `spreadsheet_child FILE CSV [SHEET]`: see `spreadsheet`."""

from __future__ import annotations

import csv
import io
import resource
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from roadside.adapters.spreadsheet_bounds import LONGEST_CELL, MEMORY_BYTES, look_at_parts
from roadside.errors import RegistryFileError
from roadside.kit.child_process import limit_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from python_calamine import CalamineWorkbook

PROCESSOR_S = 240
EXIT_REFUSED = 1
_SHOWN = 10


def main() -> int:
    """Write the CSV; 0 and what it was, or EXIT_REFUSED and why not."""
    limit_memory(MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S))
    from python_calamine import CalamineError, SheetTypeEnum, SheetVisibleEnum, load_workbook  # noqa: PLC0415 - limited

    path, written, wanted = sys.argv[1], Path(sys.argv[2]), [*sys.argv[3:], None][0]
    try:
        look_at_parts(Path(path))
        book = load_workbook(io.BytesIO(Path(path).read_bytes()))  # by its content, whatever it is called
        usual = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]
        name, rows = _sheet(book, wanted, usual)
        with written.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerows([_text(cell) for cell in row] for row in rows)
    except RegistryFileError as error:
        _say(f"{error}, and no list is read that has such: save the sheet as CSV without it")
        return EXIT_REFUSED
    except (CalamineError, LookupError, OSError, ValueError, MemoryError, NotImplementedError, BadZipFile) as error:
        _say(f"no table can be read from it ({str(error).strip() or type(error).__name__}): save the sheet as CSV")
        return EXIT_REFUSED
    others = len(book.sheet_names) - 1
    _say(f"sheet {name!r}" + (f" of {others + 1}" if others else ""))
    return 0


def _sheet(book: CalamineWorkbook, wanted: str | None, usual: Sequence[str]) -> tuple[str, Iterable[Sequence[object]]]:
    """The name and rows of the sheet that is wanted, or of the first `usual` one that holds anything.

    Raises LookupError.
    """
    if wanted is not None and wanted not in book.sheet_names:
        names = ", ".join(map(repr, book.sheet_names[:_SHOWN]))
        raise LookupError(f"it has no sheet {wanted!r}, but {names}")
    for name in usual if wanted is None else [wanted]:
        sheet = book.get_sheet_by_name(name)
        if sheet.start is not None:
            # From the first row on, so that lines have the numbers that the office's program shows, and row by row: a
            # list of all cells takes as much memory again.
            return name, sheet.iter_rows()
    raise LookupError("it holds nothing")


def _text(cell: object) -> str:
    """As a person would write it: whole numbers without a point, days without a time."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        whole = cell.time() == time()
        return cell.date().isoformat() if whole else cell.replace(microsecond=0).isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    text = " ".join(str(cell).split())
    if len(text) > LONGEST_CELL:
        raise RegistryFileError(f"a cell holds more than {LONGEST_CELL:,} characters")
    return text


def _say(line: str) -> None:
    print(" ".join(line.split()))  # noqa: T201 - told to the process that asks


if __name__ == "__main__":
    sys.exit(main())
