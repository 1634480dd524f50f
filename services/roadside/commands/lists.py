"""`roadside lists`: lists of known plates, for gates and alerts."""

from __future__ import annotations

import csv
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from roadside.adapters.spreadsheet import as_text
from roadside.adapters.sql.known import SqlKnownPlates
from roadside.assembly.known import open_known
from roadside.assembly.storage import open_sightings
from roadside.commands.counts import counted
from roadside.commands.flags import add_settings, settings_of
from roadside.commands.json_lines import add_json, known_json, print_json
from roadside.commands.out import refuse_unwritable
from roadside.commands.registry_lists import add_reading, reading_of
from roadside.core.known import Action, KnownPlate
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET, FusedPlate
from roadside.core.vignettes import NEVER_NS
from roadside.errors import InputError, NotFoundError, RegistryFileError
from roadside.registry.known_file import known_plate, read_known

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from roadside.assembly.settings import Settings
    from roadside.commands.flags import SubParsers

EXIT_SOME_FAILED = 1
_REST = 1e-9
"""Probability of every other character of a slot in a plate that is read for certain, as two good looks leave it."""
COLUMNS = ("plate", "country", "name", "group", "valid_from", "valid_to")


def add_to(commands: SubParsers) -> None:
    """Add `roadside lists` and what can be done with them."""
    lists = commands.add_parser("lists", help="known plates: who may come in, whom to tell of").add_subparsers(
        metavar="COMMAND", required=True
    )
    add = lists.add_parser("add", help="enter one plate, and make the list where there is none")
    add.add_argument("list", metavar="LIST")
    add.add_argument("plate", metavar="PLATE")
    for flag, what in (("name", "whose it is"), ("group", "of what group"), ("country", "UK, CZ...; any if left out"),
                       ("valid-from", "first day, such as 2026-06-01"), ("valid-to", "last day")):  # fmt: skip
        add.add_argument(f"--{flag}", default="", help=what)
    add.set_defaults(execute=add_plate)
    load = lists.add_parser("import", help="enter a file: plate, country, name, group, valid_from, valid_to")
    load.add_argument("list", metavar="LIST")
    load.add_argument("file", metavar="FILE", type=Path)
    load.add_argument("--replace", action="store_true", help="in place of what the list holds")
    add_reading(load)
    load.set_defaults(execute=import_list)
    for command in (add, load):
        command.add_argument("--action", choices=[a.value for a in Action], help="what the list is for (new: alert)")
        add_settings(command, "timezone")
    export = lists.add_parser("export", help="write a list as a file that import takes")
    export.add_argument("list", metavar="LIST")
    export.add_argument("file", metavar="FILE", type=Path, nargs="?", help="default: print it")
    export.set_defaults(execute=export_list)
    check = lists.add_parser("check", help="what a plate would do; without one, which plates cannot be told apart")
    check.add_argument("plate", metavar="PLATE", nargs="?")
    add_json(check, "a match, or a plate that would open nothing")
    check.set_defaults(execute=check_plate)
    remove = lists.add_parser("remove", help="remove a plate, or the whole list")
    remove.add_argument("list", metavar="LIST")
    remove.add_argument("plate", metavar="PLATE", nargs="?")
    remove.set_defaults(execute=remove_plate)
    show = lists.add_parser("show", help="all lists, or the plates of one")
    show.add_argument("list", metavar="LIST", nargs="?")
    add_json(show, "a list, or a plate of one")
    show.set_defaults(execute=show_lists)
    for command in (add, load, export, check, remove, show):
        add_settings(command, "db")


def add_plate(parsed: argparse.Namespace) -> int:
    """Enter one plate."""
    row = {name: getattr(parsed, name) for name in COLUMNS}
    with _opened(parsed) as (plates, settings):
        try:
            entry = known_plate(parsed.list, Action.ALERT, row, settings.timezone)
        except ValueError as error:
            raise InputError(str(error)) from None
        action = _make_list(plates, parsed)
        changed = plates.put(parsed.list, [entry])
    print(f"{parsed.list} ({action}): {entry.plate} {'entered anew' if changed else 'entered'}")
    return 0


def import_list(parsed: argparse.Namespace) -> int:
    """Enter a file, all of it or nothing."""
    with _opened(parsed) as (plates, settings):
        reading = reading_of(parsed)
        with as_text(parsed.file, reading.sheet) as (text, _):
            found, bad = read_known(text, parsed.list, Action.ALERT, settings.timezone, reading)
        for row in bad:
            print(f"roadside: {parsed.file}: line {row.line}: {row.reason}", file=sys.stderr)
        if bad and parsed.replace:
            raise RegistryFileError(f"{parsed.file}: nothing was replaced; correct these rows, or leave --replace away")
        if not found:
            raise RegistryFileError(f"{parsed.file}: holds no row that can be read")
        action = _make_list(plates, parsed)
        removed = plates.put(parsed.list, found, replace=parsed.replace)
    entered, refused = counted(len(found), "plate"), counted(len(bad), "row")
    print(f"{parsed.list} ({action}): {entered} entered, {removed} of before replaced, {refused} refused")
    return EXIT_SOME_FAILED if bad else 0


def export_list(parsed: argparse.Namespace) -> int:
    """Write a list as CSV."""
    with _opened(parsed) as (plates, _):
        entries = plates.entries(parsed.list)
    if parsed.file is None:
        _write(entries, sys.stdout)
        return 0
    refuse_unwritable(parsed.file)
    with parsed.file.open("w", encoding="utf-8", newline="") as file:
        _write(entries, file)
    print(f"{parsed.file}: {len(entries)} plates of {parsed.list}")
    return 0


def check_plate(parsed: argparse.Namespace) -> int:
    """Say what a plate that is read for certain would do, or which plates would open nothing though they should."""
    with _opened(parsed) as (plates, settings):
        book = open_known(settings, settings, plates.database, settings.reader_modeldir.parent)
        if parsed.plate is not None:
            matches = book.matches(sure(parsed.plate), _now_ns())
            for match in matches:
                if parsed.json:
                    print_json(known_json(match))
                    continue
                does = (
                    "opens" if match.opens else match.action.value if match.action is not Action.OPEN else "opens not"
                )
                who = match.name or match.plate
                print(f"{match.list_name}: {who}: {does} (p = {match.probability:.4f} where it is read for certain)")
            if not matches and not parsed.json:
                print("no list holds it now")
            return 0 if matches else EXIT_SOME_FAILED
        doubtful = [each for each in book.known() if each.action is Action.OPEN and each.is_valid(_now_ns())]
        doubtful = [
            e
            for e in doubtful
            if not any(m.opens and m.plate == e.plate for m in book.matches(sure(e.plate), _now_ns()))
        ]
    for each in doubtful:
        if parsed.json:
            print_json({"list": each.list_name, "plate": each.plate, "opens": False})
        else:
            print(f"{each.list_name}: {each.plate}: opens nothing, for another known plate is too like it")
    if not parsed.json:
        print(
            f"{len(doubtful)} plates would open nothing" if doubtful else "every plate of a list that opens would open"
        )
    return EXIT_SOME_FAILED if doubtful else 0


def remove_plate(parsed: argparse.Namespace) -> int:
    """Remove a plate, or a list with all of its plates."""
    with _opened(parsed) as (plates, _):
        removed = plates.remove(parsed.list, None if parsed.plate is None else fold(parsed.plate))
    what = f"{parsed.plate} is" if parsed.plate is not None else f"the list and its {removed} plates are"
    print(f"{parsed.list}: {what} removed")
    return 0


def show_lists(parsed: argparse.Namespace) -> int:
    """Print all lists, or the plates of one."""
    with _opened(parsed) as (plates, _):
        if parsed.list is None:
            for name, action, count in plates.lists():
                if parsed.json:
                    print_json({"list": name, "action": action.value, "plates": count})
                else:
                    print(f"{name:<24} {action.value:<8} {counted(count, 'plate')}")
            if not plates.lists() and not parsed.json:
                print("There is no list; `roadside lists add LIST PLATE --action open` makes one.")
            return 0
        rows = [_row(entry) for entry in plates.entries(parsed.list)]
        if parsed.json:
            for row in rows:
                print_json({"list": parsed.list, **dict(zip(COLUMNS, row, strict=True))})
        else:
            _print_columns([COLUMNS, *rows])
    return 0


def _print_columns(rows: Sequence[Sequence[str]]) -> None:
    """The first of `rows` names the columns; those that hold nothing are left out."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    widths = [max(len(cell) for cell in column) for column in columns]
    for row in zip(*columns, strict=True):
        print("  ".join((cell or "-").ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def sure(text: str) -> FusedPlate:
    """A plate that is read for certain, twice, whole. Raises InputError for what is none."""
    key = fold(text)
    if not key:
        raise InputError(f"{text!r} is no plate")
    posterior = np.full((len(key), len(ALPHABET)), _REST, np.float32)
    for slot, character in enumerate(key):
        posterior[slot, ALPHABET.index(character)] = 1.0
    posterior /= posterior.sum(axis=1, keepdims=True)
    return FusedPlate(key, key, None, 1.0, posterior, looks=2, doubts=())


@contextmanager
def _opened(parsed: argparse.Namespace) -> Iterator[tuple[SqlKnownPlates, Settings]]:
    settings = settings_of(parsed)
    database = open_sightings(settings)
    try:
        yield SqlKnownPlates(database), settings
    except NotFoundError as error:
        raise InputError(str(error)) from error
    finally:
        database.close()


def _make_list(plates: SqlKnownPlates, parsed: argparse.Namespace) -> str:
    """Make the list where there is none, or give it the action that is told; its action."""
    known = {name: action for name, action, _ in plates.lists()}
    action = Action(parsed.action) if parsed.action else known.get(parsed.list, Action.ALERT)
    if known.get(parsed.list) is not action:
        plates.put_list(parsed.list, action)
    return action.value


def _write(entries: Sequence[KnownPlate], file: object) -> None:
    writer = csv.writer(file)  # type: ignore[arg-type]  # any file of text
    writer.writerow(COLUMNS)
    for e in entries:
        writer.writerow(_row(e))


def _row(e: KnownPlate) -> tuple[str, ...]:
    """A plate as `COLUMNS` name its fields."""
    return (e.plate, e.country, e.name, e.group, _moment(e.valid_from_ns), _last(e.valid_to_ns))


def _moment(at_ns: int) -> str:
    """A moment as import reads it; empty where it is no bound."""
    if at_ns in (0, NEVER_NS):
        return ""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _last(at_ns: int) -> str:
    """The last second before a moment: what import takes for still valid."""
    return "" if at_ns == NEVER_NS else _moment(at_ns - 1)


def _now_ns() -> int:
    return int(datetime.now(UTC).timestamp() * 1e9)
