"""`roadside plates recent`: what was seen last, as a table, JSON, or a file for an office."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.system_clock import SystemClock
from roadside.assembly.records import open_records, person
from roadside.commands.colour import painted
from roadside.commands.flags import add_settings, settings_of
from roadside.commands.json_lines import add_json, print_json, sighting_json
from roadside.commands.out_table import STANDARD_OUTPUT, write_csv, write_xlsx
from roadside.commands.registry_lists import positive
from roadside.commands.table import local_date, sighting_table
from roadside.core.frames import CameraId
from roadside.core.outline import Direction
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.core.witness import is_held
from roadside.errors import InputError
from roadside.registry.validity import end_ns, start_ns, zone

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo

    from roadside.commands.flags import SubParsers
    from roadside.core.sightings import Sighting
    from roadside.ports.store import SightingStore

_LIMIT = 20
_A_PAGE = 200
_AGO = re.compile(r"([0-9]{1,6})\s?([smhdw])")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
COLUMNS = (
    "last_seen",
    "first_seen",
    "camera",
    "plate",
    "country",
    "confidence",
    "verdict",
    "rule",
    "why",
    "held",
    "sighting_id",
    "direction",
    "speed_kmh",
    "speed_lowest_kmh",
    "speed_highest_kmh",
)
"""Of a file for an office."""


def add_to(commands: SubParsers) -> None:
    """Add `roadside plates`."""
    plates = commands.add_parser("plates", help="list what was seen").add_subparsers(metavar="COMMAND", required=True)
    recent = plates.add_parser("recent", help="the newest sightings")
    recent.add_argument("--limit", type=positive, help="how many (default 20; all in a file)")
    recent.add_argument("--since", metavar="WHEN", help="2026-01-31, 2026-01-31T12:00, or 2h, 3d: that long ago")
    recent.add_argument("--until", metavar="WHEN", help="as --since; a day to its end")
    recent.add_argument("--verdict", choices=[kind.value for kind in VerdictKind], help="only these")
    recent.add_argument(
        "--confirmed", action="store_true", help="of the UNPAID only those that a second reader or a person confirmed"
    )
    recent.add_argument("--plate", help="only this plate, or one character away from it")
    recent.add_argument(
        "--direction", choices=[way.value for way in Direction], help="only these, by the camera's line"
    )
    recent.add_argument(
        "--over", metavar="KMH", type=float, help="only those who were faster beyond the uncertainty, by two lines"
    )
    recent.add_argument("--camera", "--of-camera", dest="of_camera", metavar="NAME", help="only this camera's")
    shape = recent.add_mutually_exclusive_group()
    add_json(shape, "a sighting")
    shape.add_argument("--csv", type=Path, metavar="FILE", help="write a CSV file; - is the standard output")
    shape.add_argument("--xlsx", type=Path, metavar="FILE", help="write a sheet of Excel")
    add_settings(recent, "db", "timezone")
    recent.set_defaults(execute=list_recent)


def list_recent(arguments: argparse.Namespace) -> int:
    """Print the newest sightings, newest first."""
    settings = settings_of(arguments)
    if settings.database_url is None and not settings.db.exists():
        raise InputError(f"{settings.db}: no sightings are stored there yet; `roadside run SOURCE` stores some")
    where = zone(settings.timezone)
    query = SightingQuery(
        limit=_A_PAGE,
        since_ns=since_ns(arguments.since, where),
        until_ns=until_ns(arguments.until, where),
        camera_id=CameraId(arguments.of_camera) if arguments.of_camera else None,
        plate_like=arguments.plate,
        verdict=VerdictKind(arguments.verdict) if arguments.verdict else None,
        direction=Direction(arguments.direction) if arguments.direction else None,
        over_kmh=arguments.over,
    )
    records = open_records(settings)
    try:
        if arguments.plate:
            records.store.note_search(arguments.plate, person())
        found = (s for s in all_found(records.store, query) if not (arguments.confirmed and is_held(s.verdict)))
        if arguments.csv is not None or arguments.xlsx is not None:
            return _write(arguments, islice(found, arguments.limit), where)
        sightings = list(islice(found, arguments.limit or _LIMIT))
        none = "" if sightings else _nothing(records.store, query)
    finally:
        records.close()
    if arguments.json:
        for sighting in sightings:
            print_json(sighting_json(sighting))
    else:
        print(none or painted(sighting_table(sightings, dates=True)))
    return 0


def since_ns(text: str | None, where: tzinfo) -> int | None:
    """The first moment of a day, a time, or so long ago. Raises InputError."""
    return _moment("--since", text, lambda told: start_ns(told, where))


def until_ns(text: str | None, where: tzinfo) -> int | None:
    """The end of a day or of a time, or so long ago. Raises InputError."""
    return _moment("--until", text, lambda told: end_ns(told, where))


def _moment(flag: str, text: str | None, meant: Callable[[str], int]) -> int | None:
    if text is None:
        return None
    if ago := _AGO.fullmatch(text.strip()):
        return SystemClock().now_ns() - int(ago[1]) * _UNITS_S[ago[2]] * 10**9
    try:
        return meant(text)
    except ValueError as error:
        raise InputError(f"{flag}: {error}; or 30m, 2h, 3d: that long ago") from error


def all_found(store: SightingStore, query: SightingQuery) -> Iterator[Sighting]:
    """All that match, newest first, a page at a time."""
    while True:
        page = store.find(query)
        yield from page.sightings
        if not page.next_page_token:
            return
        query = replace(query, page_token=page.next_page_token)


def _nothing(store: SightingStore, query: SightingQuery) -> str:
    newest = store.find(SightingQuery(limit=1)).sightings
    if not newest:
        return "Nothing was seen yet."
    asked = query != SightingQuery(limit=query.limit)
    what = "that was asked for" if asked else "that is confirmed"
    return f"Of all that was seen nothing is {what}; the newest sighting is of {local_date(newest[0].last_seen_ns)}."


def _write(arguments: argparse.Namespace, sightings: Iterable[Sighting], where: tzinfo) -> int:
    rows = (_cells(sighting, where) for sighting in sightings)
    if arguments.xlsx is not None:
        path, count = arguments.xlsx, write_xlsx(arguments.xlsx, COLUMNS, rows)
    else:
        path, count = arguments.csv, write_csv(arguments.csv, COLUMNS, rows)
    if str(path) != STANDARD_OUTPUT:
        print(f"{path}: {count} sighting{'' if count == 1 else 's'}")
    return 0


def _cells(sighting: Sighting, where: tzinfo) -> list[str | float | None]:
    told = sighting_json(sighting)
    times = {name: _local_iso(at_ns, where) for name, at_ns in _times(sighting)}
    speed = {f"speed_{name}": value for name, value in (told["speed"] or {}).items()}
    return [times.get(name, speed.get(name, told.get(name))) for name in COLUMNS]


def _times(sighting: Sighting) -> tuple[tuple[str, int], ...]:
    return ("first_seen", sighting.first_seen_ns), ("last_seen", sighting.last_seen_ns)


def _local_iso(at_ns: int, where: tzinfo) -> str:
    return datetime.fromtimestamp(at_ns // 10**9, UTC).astimezone(where).isoformat()
