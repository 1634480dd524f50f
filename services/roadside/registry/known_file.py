"""Reads lists of known plates: `plate` and, where they are there, country, name, group, valid_from and valid_to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.countries import country_code
from roadside.core.known import KnownPlate
from roadside.core.lettering import plate_key
from roadside.core.vignettes import NEVER_NS
from roadside.errors import RegistryFileError
from roadside.registry.layout import UNSAID, fields, find_layout, lines
from roadside.registry.validity import DateOrder, end_ns, start_ns, zone
from roadside.registry.vignette_file import BadRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from roadside.core.known import Action
    from roadside.registry.reading import ListReading

OPTIONAL = ("country", "name", "group", "valid_from", "valid_to")
LONGEST_WORD = 200
MOST_ROWS = 200_000
"""Of one file: a list is held in memory and its plates are compared with one another, unlike those of a registry."""


def read_known(  # noqa: PLR0913 - how a list is written, and what for
    path: Path,
    list_name: str,
    action: Action,
    timezone: str,
    reading: ListReading = UNSAID,
    *,
    order: DateOrder = DateOrder.DAY_FIRST,
) -> tuple[Sequence[KnownPlate], Sequence[BadRow]]:
    """The plates of the CSV file at `path`, and the rows that cannot be read. Raises RegistryFileError."""
    layout = find_layout(path, ("plate",), OPTIONAL, reading)
    found, bad = [], []
    for line in lines(path, layout.encoding):
        if line.number <= layout.first_line or not line.text.strip(" \t\ufeff"):
            continue
        try:
            cells = fields(line.text, layout.delimiter)
            row = {name: cells[place] if place < len(cells) else "" for name, place in layout.columns.items()}
            if not row.get("country", "").strip():
                row["country"] = layout.country
            found.append(known_plate(list_name, action, row, timezone, order))
        except ValueError as error:
            bad.append(BadRow(line.number, str(error)))
        if len(found) + len(bad) > MOST_ROWS:
            raise RegistryFileError(f"{path}: has more than {MOST_ROWS:,} rows, too many for a list of known plates")
    return found, bad


def known_plate(
    list_name: str,
    action: Action,
    row: Mapping[str, str],
    timezone: str,
    order: DateOrder = DateOrder.DAY_FIRST,
) -> KnownPlate:
    """The plate that a row tells. Raises ValueError, naming what is wrong with it."""
    said = {name: row.get(name, "").strip() for name in ("plate", *OPTIONAL)}
    country = country_code(said["country"]) if said["country"] else ""
    if not plate_key(said["plate"], country):
        raise ValueError("plate is empty")
    if too_long := next((name for name, text in said.items() if len(text) > LONGEST_WORD), None):
        raise ValueError(f"{too_long} is longer than {LONGEST_WORD} characters")
    where = zone(timezone)
    begins = start_ns(said["valid_from"], where, order) if said["valid_from"] else 0
    ends = end_ns(said["valid_to"], where, order) if said["valid_to"] else NEVER_NS
    if ends <= begins:
        raise ValueError("valid_to lies before valid_from")
    return KnownPlate(list_name, action, said["plate"], country, said["name"], said["group"], begins, ends)
