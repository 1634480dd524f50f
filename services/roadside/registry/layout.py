"""How a registry's list is written: its encoding, separator and columns, found and never guessed in silence."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from roadside.errors import RegistryFileError
from roadside.kit.file_faults import reading_fault
from roadside.registry.columns import find_columns
from roadside.registry.reading import SEPARATORS, ListReading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = ("cp1250", "iso8859-2", "cp1252")
"""Encodings of one byte a character that spreadsheets of Central and Western Europe still write."""
_RARE = ("cp852", "cp1251", "mac_latin2", "koi8_r")
"""Older ones, and Cyrillic: believed where a header has its columns in one of them, and in none of the above."""
_PIECE_BYTES = 1 << 20
LONGEST_LINE = 100_000
_SHOWN = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-32": "UTF-32", "cp1250": "Windows-1250",
          "cp1252": "Windows-1252", "iso8859-2": "ISO 8859-2", "cp852": "DOS Latin 2 (852)",
          "cp1251": "Windows-1251"}  # fmt: skip


UNSAID = ListReading()


class Line(NamedTuple):
    """One line of a file."""

    number: int
    """Counted from 1, those before the header included."""
    text: str
    """Without its end."""
    ended: bool
    """Whether a line end follows; the last line of a file that was cut has none."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a list is written."""

    encoding: str
    others: tuple[str, ...]
    """Encodings that the file could be in as well: what they read differently is not sure."""
    delimiter: str
    names: tuple[str, ...]
    """The header line."""
    columns: dict[str, int]
    """Where each known column stands."""
    first_line: int
    """Number of the header line."""
    country: str = ""
    """Of rows that name none; empty where each must."""

    def described(self) -> str:
        """One line for a person: what was taken for what."""
        named = ", ".join(
            column if self.names[place].strip() == column else f"{column} from {self.names[place].strip()!r}"
            for column, place in sorted(self.columns.items(), key=lambda entry: entry[1])
        )
        shown = {"\t": "tab"}.get(self.delimiter, repr(self.delimiter))
        encoding = _shown(self.encoding)
        if self.others:
            encoding += " (not UTF-8, taken for it by its letters)"
        every = f", country {self.country} where none is named" if self.country else ""
        return f"{encoding}, separator {shown}, columns {named}{every}"


def find_layout(path: Path, needed: Sequence[str], optional: Sequence[str], reading: ListReading = UNSAID) -> Layout:
    """How the list at `path` is written, as far as `reading` does not say it. Raises RegistryFileError.

    A country that `reading` says is not needed in the file.
    """
    if reading.country is not None:
        needed, optional = [name for name in needed if name != "country"], [*optional, "country"]
    try:
        faults = []
        for candidates in ((reading.encoding,),) if reading.encoding is not None else _candidates(path):
            for encoding in candidates:
                others = tuple(c for c in candidates if c != encoding)
                try:
                    found = _layout(path, encoding, others, (needed, optional), reading)
                    return replace(found, country=reading.country or "")
                except RegistryFileError as error:
                    faults.append(error)
        raise faults[0]
    except OSError as error:
        raise RegistryFileError(f"{path}: {reading_fault(error)}") from error


def lines(path: Path, encoding: str) -> Iterator[Line]:
    """Every line of the file. Raises RegistryFileError for what is no text of short lines."""
    with path.open(encoding=encoding, newline="") as file:
        yield from _lines(path, file)


def fields(text: str, delimiter: str) -> list[str]:
    """The fields of one line. Raises ValueError where a quote is not closed on it, or it is no text."""
    if "\0" in text:
        raise ValueError("a character that is no text (NUL)")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raise ValueError("a quote that is not closed on this line, or stands within a field") from None


def _lines(path: Path, file: TextIO) -> Iterator[Line]:
    number = 0
    while text := file.readline(LONGEST_LINE):
        number += 1
        bare = text.rstrip("\r\n")
        ended = len(bare) < len(text)
        if not ended and len(text) == LONGEST_LINE:
            raise RegistryFileError(f"{path}: not a CSV file: line {number} is longer than {LONGEST_LINE} characters")
        yield Line(number, bare, ended)


def _layout(
    path: Path,
    encoding: str,
    others: tuple[str, ...],
    wanted: tuple[Sequence[str], Sequence[str]],
    reading: ListReading,
) -> Layout:
    needed, optional = wanted
    missing, names = list(needed), tuple[str, ...]()
    try:
        if (header := _header(path, encoding, reading.separator)) is not None:
            number, delimiter, names = header
            columns = find_columns(names, (*needed, *optional), reading.columns)
            if not (missing := [name for name in needed if name not in columns]):
                return Layout(encoding, others, delimiter, names, columns, number)
    except UnicodeError as error:
        if _is_no_text(path):
            raise RegistryFileError(
                f"{path}: is no list: give CSV, Excel (.xlsx, .xls) or OpenDocument (.ods)"
            ) from error
        raise RegistryFileError(f"{path}: it is no {_shown(encoding)}: save it as UTF-8 and import again") from error
    except ValueError as error:
        raise RegistryFileError(f"{path}: the first line: {error}") from error
    shown = " (it is no UTF-8 either)" if others else ""
    if len(missing) < len(needed):
        named = ", ".join(repr(name.strip()) for name in names if name.strip())
        shown = f", too; it names {named}"
    say = "; --columns plate=NAME says what one is called, --country what all are of"
    raise RegistryFileError(f"{path}: the first line must name the columns {', '.join(missing)}{shown}{say}")


def _is_no_text(path: Path) -> bool:
    """Whether it begins as no text of 8-bit characters does: a picture, an archive."""
    with path.open("rb") as file:
        return b"\0" in file.read(LONGEST_LINE)


def _header(path: Path, encoding: str, separator: str | None) -> tuple[int, str, tuple[str, ...]] | None:
    """Number, separator and fields of the first line that holds anything; None of an empty file.

    Raises RegistryFileError, UnicodeError, ValueError.
    """
    announced = ""
    for number, text, _ in lines(path, encoding):
        if "\0" in text:
            raise RegistryFileError(f"{path}: not a text file")
        if not text.strip():
            continue
        said = text.strip().strip('"').lower()
        if not announced and said.startswith("sep=") and len(said) == len("sep=") + 1:
            announced = said[-1]  # as Excel writes it for itself
            continue
        delimiter = separator or announced or max(SEPARATORS, key=text.count)
        return number, delimiter, tuple(fields(text, delimiter))
    return None


def header_names(path: Path, reading: ListReading = UNSAID) -> tuple[str, ...]:
    """The fields of the first line, known or not; none of what is no list at all."""
    try:
        encoding = reading.encoding or next(_candidates(path))[0]
        header = _header(path, encoding, reading.separator)
    except (RegistryFileError, OSError, ValueError):
        return ()
    return () if header is None else header[2]


def _candidates(path: Path) -> Iterator[tuple[str, ...]]:
    """Encodings that the file can be in, those of today first, then those in which only its header makes sense."""
    likely = _encodings(path)
    yield likely
    if likely[0] not in _LEGACY:
        return
    if rare := tuple(name for name in _RARE if _can_be(path, name)):
        yield rare


def _shown(encoding: str) -> str:
    return _SHOWN.get(encoding, encoding)


def _encodings(path: Path) -> tuple[str, ...]:
    """What the file may be written in, the likeliest first. Raises RegistryFileError, OSError."""
    with path.open("rb") as file:
        start = file.read(4)
        for bom, name in _BOMS:
            if start.startswith(bom):
                return (name,)
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        whole = damaged = 0
        while piece := file.read(_PIECE_BYTES):
            text = decoder.decode(piece)
            if not text.isascii():
                strange = [c for c in text if c > "\x7f"]
                broken = sum("\udc80" <= c <= "\udcff" for c in strange)
                damaged, whole = damaged + broken, whole + len(strange) - broken
        damaged += len(decoder.decode(b"", final=True))
    if not damaged:
        return ("utf-8",)
    if whole >= damaged:
        raise RegistryFileError(f"{path}: it is UTF-8 with damaged parts: save it as UTF-8 and import again")
    return tuple(name for name in _LEGACY if _can_be(path, name)) or ("utf-8",)


def _can_be(path: Path, encoding: str) -> bool:
    """Whether every byte is a character that a list can hold."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while piece := file.read(_PIECE_BYTES):
                text = decoder.decode(piece)
                if not text.isascii() and any("\x80" <= c <= "\x9f" for c in set(text)):
                    return False
        except UnicodeError:
            return False
    return True
