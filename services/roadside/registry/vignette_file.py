"""Reads a registry's CSV files row by row: good rows as vignettes or exemptions, bad ones by line."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.candidates import LONGEST, SHORTEST
from roadside.core.plates import fold
from roadside.core.verdict import country_code, fold_pattern
from roadside.core.vignettes import Exemption, Vignette
from roadside.errors import RegistryFileError
from roadside.registry.validity import NEVER_NS, end_ns, start_ns

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path
    from typing import TextIO, TypeVar

    Entry = TypeVar("Entry", Vignette, Exemption)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COUNTRY = re.compile(r"[A-Z]{1,3}")
_VIGNETTE_COLUMNS = ("plate", "country", "valid_from", "valid_to")
_EXEMPTION_COLUMNS = ("pattern", "country", "reason")
_LONGEST_FIELD = 10_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out, and why."""

    line: int
    reason: str


def read_vignettes(path: Path, where: tzinfo) -> Iterator[Vignette | BadRow]:
    """The rows of `path`: columns plate, country, valid_from, valid_to and, if there, category.

    Dates are those of `where`. Raises RegistryFileError where the file is no such list at all.
    """

    def entry(row: list[str], at: dict[str, int]) -> Vignette:
        plate = fold(row[at["plate"]])
        if not SHORTEST <= len(plate) <= LONGEST:
            raise ValueError(f"{row[at['plate']]!r} is no plate")
        start = start_ns(row[at["valid_from"]], where)
        end = end_ns(row[at["valid_to"]], where)
        _check_span(start, end)
        category = row[at["category"]].strip() if "category" in at else ""
        return Vignette(plate, _country(row[at["country"]]), category, start, end)

    return _rows(path, _VIGNETTE_COLUMNS, entry)


def read_exemptions(path: Path, where: tzinfo) -> Iterator[Exemption | BadRow]:
    """The rows of `path`: columns pattern, country (or *), reason and, if there, valid_from and valid_to.

    Raises RegistryFileError where the file is no such list at all.
    """

    def entry(row: list[str], at: dict[str, int]) -> Exemption:
        pattern = fold_pattern(row[at["pattern"]].strip())
        if not pattern:
            raise ValueError("the pattern is empty")
        begins, ends = (row[at[name]].strip() if name in at else "" for name in ("valid_from", "valid_to"))
        start = start_ns(begins, where) if begins else 0
        end = end_ns(ends, where) if ends else NEVER_NS
        _check_span(start, end)
        country = row[at["country"]].strip()
        return Exemption(
            pattern, country if country == "*" else _country(country), row[at["reason"]].strip(), start, end
        )

    return _rows(path, _EXEMPTION_COLUMNS, entry)


def _rows(
    path: Path, columns: tuple[str, ...], entry: Callable[[list[str], dict[str, int]], Entry]
) -> Iterator[Entry | BadRow]:
    encoding = _encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            rows, at = _header(path, file, columns)
            width = max(at.values()) + 1
            for row in rows:
                if not row:
                    continue
                if len(row) < width:
                    yield BadRow(rows.line_num, f"{len(row)} fields, not {width}")
                    continue
                try:
                    yield entry(row, at)
                except (ValueError, OverflowError) as error:
                    yield BadRow(rows.line_num, str(error))
    except UnicodeError as error:
        raise RegistryFileError(
            f"{path}: {_undecodable(error, encoding)}: save it as UTF-8 and import again"
        ) from error
    except csv.Error as error:
        raise RegistryFileError(f"{path}: not a CSV file: {error}") from error
    except OSError as error:
        raise RegistryFileError(f"{path}: {error.strerror}") from error


def _header(path: Path, file: TextIO, columns: tuple[str, ...]) -> tuple[Reader, dict[str, int]]:
    first = file.readline(_LONGEST_FIELD)
    if "\0" in first:
        raise RegistryFileError(f"{path}: not a text file")
    delimiter = max(",;\t", key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    at = {re.sub(r"[\s\-]+", "_", name.strip().lower()): place for place, name in enumerate(names)}
    missing = [name for name in columns if name not in at]
    if missing:
        raise RegistryFileError(f"{path}: the first line must name the columns {', '.join(columns)}")
    file.seek(0)
    rows = csv.reader(file, delimiter=delimiter)
    next(rows)
    return rows, at


def _encoding(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise RegistryFileError(f"{path}: {error.strerror}") from error
    return next((name for bom, name in _BOMS if start.startswith(bom)), "utf-8")


def _undecodable(error: UnicodeError, encoding: str) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"a byte {error.object[error.start]:#04x} is no {encoding.upper()}"
    return f"it is no {encoding.upper()}"


def _country(text: str) -> str:
    code = country_code(text)
    if not _COUNTRY.fullmatch(code):
        raise ValueError(f"{text!r} is no country code")
    return code


def _check_span(start: int, end: int) -> None:
    if end <= start:
        raise ValueError("it ends before it begins")
