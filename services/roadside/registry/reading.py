"""What a person says of how a list is written, where the list itself does not tell."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.core.countries import country_code
from roadside.errors import RegistryFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SEPARATORS = (",", ";", "\t", "|")
COLUMNS = ("plate", "country", "category", "valid_from", "valid_to", "pattern", "reason", "name", "group")


@dataclass(frozen=True, slots=True)
class ListReading:
    """Nothing is said unless it is given."""

    encoding: str | None = None
    """Python's name of the encoding; None where it is to be found out."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column -> what the header calls it."""
    country: str | None = None
    """The country of every row that names none; its code."""
    sheet: str | None = None
    """Of a spreadsheet."""
    separator: str | None = None
    """The character between fields."""


def list_reading(
    encoding: str | None = None,
    columns: Sequence[str] = (),
    country: str | None = None,
    sheet: str | None = None,
    separator: str | None = None,
) -> ListReading:
    """What was said, checked; `columns` are written `plate=Vehicle`. Raises RegistryFileError."""
    if separator is not None and separator not in SEPARATORS:
        raise RegistryFileError(f"a separator is one of {', '.join(map(repr, SEPARATORS))}")
    return ListReading(_encoding(encoding), dict(map(_column, columns)), _country(country), sheet, separator)


def _encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        found = codecs.lookup(name)
        "".encode(found.name)
        "a".encode(found.name).decode(found.name)
    except (LookupError, TypeError, UnicodeError, ValueError) as error:
        raise RegistryFileError(f"--encoding {name}: no such encoding; utf-8, cp1250 and cp852 are some") from error
    return found.name


def _column(told: str) -> tuple[str, str]:
    column, sign, name = told.partition("=")
    if not sign or column.strip() not in COLUMNS or not name.strip():
        raise RegistryFileError(f"--columns {told}: is COLUMN=NAME of the header, COLUMN one of {', '.join(COLUMNS)}")
    return column.strip(), name.strip()


def _country(told: str | None) -> str | None:
    if told is None:
        return None
    try:
        code = country_code(told)
    except ValueError as error:
        raise RegistryFileError(f"--country: {error}") from error
    if not code:
        raise RegistryFileError("--country: is empty")
    return code
