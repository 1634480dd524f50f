"""`roadside registry list|export|diff`: what the registry holds, and what a list would change."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.sql.listing import held_vignettes
from roadside.assembly.lists import ListImporter
from roadside.assembly.records import open_registry
from roadside.commands.flags import add_settings, settings_of
from roadside.commands.out_table import STANDARD_OUTPUT, write_table
from roadside.core.vignettes import Vignette
from roadside.errors import InputError
from roadside.registry.reading import list_reading
from roadside.registry.validity import zone
from roadside.registry.writing import HEADER, row_of

if TYPE_CHECKING:
    from datetime import tzinfo

    from roadside.adapters.sql import Database
    from roadside.assembly.settings import Settings
    from roadside.commands.flags import SubParsers
    from roadside.registry.reading import ListReading

EXIT_DIFFERS = 1
KEEPING = ("db", "registry", "timezone")


def add_to(actions: SubParsers) -> None:
    """Add the three to `roadside registry`."""
    shown = actions.add_parser("list", help="show what is held")
    shown.add_argument("--limit", type=positive, default=50, help="how many vignettes (default 50)")
    shown.add_argument("--of-country", help="only this country's: UK, CZ...")
    shown.add_argument("--json", action="store_true", help="print one JSON object a line a vignette")
    add_settings(shown, *KEEPING)
    shown.set_defaults(execute=list_held)

    out = actions.add_parser("export", help="write what is held as a list that `import` takes back")
    out.add_argument("file", type=Path, help="a .csv or .xlsx file, or - for CSV on the standard output")
    out.add_argument("--of-country", help="only this country's: UK, CZ...")
    add_settings(out, *KEEPING)
    out.set_defaults(execute=export_held)

    diff = actions.add_parser("diff", help="what `import --replace` of a list would change; exit code 1 where anything")
    diff.add_argument("file", type=Path, help="the list: CSV or a spreadsheet")
    diff.add_argument("--json", action="store_true", help="print one JSON object a line a vignette")
    add_reading(diff)
    add_settings(diff, *KEEPING, "registry_date_order")
    diff.set_defaults(execute=show_difference)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the flags that say how a list is written."""
    group = parser.add_argument_group("how the list is written, where it does not tell by itself")
    group.add_argument("--encoding", help="such as utf-8, cp1250 or cp852")
    column = "COLUMN=NAME"
    group.add_argument(
        "--columns", metavar=column, nargs="+", default=[], help="what the header calls a column: plate=Vehicle"
    )
    group.add_argument("--country", help="of every row that names none: CZ, UK...")
    group.add_argument("--sheet", help="of a spreadsheet; the first that holds anything if not given")


def reading_of(parsed: argparse.Namespace) -> ListReading:
    """What a command line says of a list. Raises RegistryFileError."""
    return list_reading(parsed.encoding, parsed.columns, parsed.country, parsed.sheet)


def list_held(parsed: argparse.Namespace) -> int:
    """Print vignettes in the order of their plates, and say how many there are more."""
    settings = settings_of(parsed)
    where = zone(settings.timezone)
    found = list(held_vignettes(_registry(settings), _country(parsed), parsed.limit + 1))
    for vignette in found[: parsed.limit]:
        fields = dict(zip(HEADER, row_of(vignette, where), strict=True))
        print(json.dumps(fields) if parsed.json else _line(fields))
    if not found and not parsed.json:
        print("The registry holds no such vignettes; `roadside registry import LIST` takes some.")
    if len(found) > parsed.limit and not parsed.json:
        print("... and more: --limit shows them, `roadside registry export FILE` writes all of them")
    return 0


def export_held(parsed: argparse.Namespace) -> int:
    """Write all vignettes."""
    settings = settings_of(parsed)
    where = zone(settings.timezone)
    rows = (row_of(vignette, where) for vignette in held_vignettes(_registry(settings), _country(parsed)))
    count = write_table(parsed.file, HEADER, rows)
    if str(parsed.file) != STANDARD_OUTPUT:
        print(f"{parsed.file}: {count} vignettes, times of {settings.timezone}")
    return 0


def show_difference(parsed: argparse.Namespace) -> int:
    """Print a line for each vignette that would come (+) or go (-)."""
    settings = settings_of(parsed)
    where, database = zone(settings.timezone), _registry(settings)
    rows = list(ListImporter(database, settings, reading_of(parsed)).listed(parsed.file))
    listed = {row for row in rows if isinstance(row, Vignette)}
    unread = len(rows) - sum(isinstance(row, Vignette) for row in rows)
    kept, gone = 0, 0
    for vignette in held_vignettes(database):
        if vignette in listed:
            listed.remove(vignette)
            kept += 1
        else:
            gone += 1
            _changed("-", vignette, where, as_json=parsed.json)
    for vignette in sorted(listed, key=lambda v: (v.plate, v.country, v.valid_from_ns)):
        _changed("+", vignette, where, as_json=parsed.json)
    if not parsed.json:
        told = f"{len(listed)} would be added, {gone} removed, {kept} stay"
        print(f"{told}; {unread} rows cannot be read: `import` names them" if unread else told)
    return EXIT_DIFFERS if gone or listed or unread else 0


def positive(text: str) -> int:
    """A number of one or more, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return number


def _registry(settings: Settings) -> Database:
    """Raises InputError where nothing is there: a list of nothing would be no answer."""
    path = settings.registry or settings.db
    if settings.database_url is None and not path.exists():
        raise InputError(f"{path}: there is no registry yet; `roadside registry import LIST` makes one")
    return open_registry(settings)


def _country(parsed: argparse.Namespace) -> str | None:
    return list_reading(country=parsed.of_country).country


def _changed(sign: str, vignette: Vignette, where: tzinfo, *, as_json: bool) -> None:
    fields = dict(zip(HEADER, row_of(vignette, where), strict=True))
    change = {"+": "added", "-": "removed"}[sign]
    print(json.dumps({"change": change, **fields}) if as_json else f"{sign} {_line(fields)}")


def _line(fields: dict[str, str]) -> str:
    ends = fields["valid_to"] or "without end"
    return f"{fields['plate']:10} {fields['country']:4} {fields['valid_from']} .. {ends}  {fields['category']}".rstrip()
