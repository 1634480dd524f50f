"""`roadside speeds`: the average speed of vehicles between two cameras, with its uncertainty."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from roadside.assembly.records import open_records, person
from roadside.assembly.site import load_site
from roadside.assembly.watching import base_view
from roadside.commands.flags import add_config, add_settings, settings_of
from roadside.commands.json_lines import add_json, iso, print_json, speed_json
from roadside.commands.plates import all_found, since_ns, until_ns
from roadside.commands.table import local_date
from roadside.core.sightings import SightingQuery
from roadside.core.speed import section_passages
from roadside.errors import InputError
from roadside.kit.config import named_file
from roadside.registry.validity import zone

if TYPE_CHECKING:
    import argparse

    from roadside.assembly.records import Records
    from roadside.assembly.settings import Settings
    from roadside.commands.flags import SubParsers
    from roadside.core.sightings import Sighting
    from roadside.core.speed import Section, SectionPassage
    from roadside.ports.store import SightingStore

_A_PAGE = 200


def add_to(commands: SubParsers) -> None:
    """Add `roadside speeds`."""
    parser = commands.add_parser("speeds", help="average speed between two cameras, a [section.NAME] of the settings")
    parser.add_argument("section", metavar="SECTION", help="its name in the file of settings")
    parser.add_argument("--since", metavar="WHEN", default="1d", help="2026-01-31, or 2h: that long ago (default 1d)")
    parser.add_argument("--until", metavar="WHEN", help="as --since; a day to its end")
    parser.add_argument("--over", metavar="KMH", type=float, help="only those who were faster beyond the uncertainty")
    add_json(parser, "a vehicle")
    add_config(parser)
    add_settings(parser, "db", "timezone")
    parser.set_defaults(execute=list_speeds)


def list_speeds(parsed: argparse.Namespace) -> int:
    """Print each vehicle that was seen at both ends, oldest first."""
    with named_file(parsed.config):
        settings = settings_of(parsed)
        section = find_section(parsed.section, settings)
    where = zone(settings.timezone)
    query = SightingQuery(limit=_A_PAGE, since_ns=since_ns(parsed.since, where), until_ns=until_ns(parsed.until, where))
    if settings.database_url is None and not settings.db.exists():
        raise InputError(f"{settings.db}: no sightings are stored there yet; `roadside run` stores some")
    records = open_records(settings)
    try:
        passages = passages_of(section, records, query)
    finally:
        records.close()
    told = [p for p in passages if parsed.over is None or p.speed.lowest_kmh > parsed.over]
    for passage in told:
        if parsed.json:
            print_json(_fields(passage))
        else:
            print(_line(passage))
    if not parsed.json:
        print(f"{len(told)} of {len(passages)} vehicles that were seen at both ends of {section.name}")
    return 0


def find_section(name: str, settings: Settings) -> Section:
    """A section of the file of settings. Raises InputError, naming those that there are."""
    site = load_site(base_view(settings))
    if name not in site.sections:
        known = f"known are {', '.join(site.sections)}" if site.sections else "the file of settings has none"
        raise InputError(f"there is no section {name}: {known}; write [section.{name}] with from, to and distance_m")
    return site.sections[name]


def passages_of(section: Section, records: Records, query: SightingQuery) -> list[SectionPassage]:
    """Who was seen at both ends; that times were compared is written down."""
    records.retention.note(person(), "compared times", section.name)
    return list(section_passages(section, _in_order(records.store, query, section)))


def _in_order(store: SightingStore, query: SightingQuery, section: Section) -> list[Sighting]:
    """The sightings of both cameras, oldest first."""
    ends = (replace(query, camera_id=camera) for camera in (section.start, section.end))
    return sorted(chain.from_iterable(all_found(store, end) for end in ends), key=lambda s: s.last_seen_ns)


def _line(passage: SectionPassage) -> str:
    plate = passage.left.plate
    shown = "(hashed)" if plate is None else plate.text
    speed = passage.speed
    told = f"{speed.kmh:6.1f} km/h ({speed.lowest_kmh:.1f} to {speed.highest_kmh:.1f})"
    return f"{local_date(passage.left.last_seen_ns)}  {shown:<10}  {told}"


def _fields(passage: SectionPassage) -> dict[str, object]:
    speed, plate = passage.speed, passage.left.plate
    return {
        "section": passage.section.name,
        "plate": None if plate is None else plate.text,
        "entered": iso(passage.entered.last_seen_ns),
        "left": iso(passage.left.last_seen_ns),
        "sightings": [passage.entered.sighting_id, passage.left.sighting_id],
        **speed_json(speed),
    }
