"""`roadside plot`: figures of what passed, as PNG, SVG or PDF."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.passage_files import parse_passages, read_passages
from roadside.assembly.records import open_records
from roadside.commands.flags import add_config, add_settings, settings_of
from roadside.commands.out import refuse_overwriting, refuse_unwritable
from roadside.commands.out_table import STANDARD_OUTPUT
from roadside.commands.plates import all_found, since_ns, until_ns
from roadside.commands.speeds import find_section, passages_of
from roadside.commands.table import local_date
from roadside.core.frames import CameraId
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.core.summary import Passage, Per
from roadside.errors import InputError, SettingsError
from roadside.kit.config import named_file
from roadside.kit.extras import install_command
from roadside.registry.validity import zone

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from roadside.adapters.plots import Kind
    from roadside.assembly.settings import Settings
    from roadside.commands.flags import SubParsers
    from roadside.core.sightings import Sighting
    from roadside.core.speed import AverageSpeed

    Draw = Callable[[Path, Sequence[Kind], Sequence[Passage], tzinfo, Per | None], None]

_A_PAGE = 200
FORMATS = (".png", ".svg", ".pdf")
KINDS: dict[str, tuple[Callable[[Passage], bool], str]] = {
    "passages": (lambda _: True, ""),
    "verdicts": (lambda p: p.verdict is not None, "nobody was asked who paid"),
    "confidence": (lambda p: p.confidence is not None, "no plate is kept of them"),
    "reliability": (lambda p: p.right is not None and p.confidence is not None, "no column truth tells true plates"),
    "speeds": (lambda p: p.speed is not None, "none has a speed"),
}
"""What may be drawn: which passages it needs, and why there may be none."""


def add_to(commands: SubParsers) -> None:
    """Add `roadside plot`."""
    parser = commands.add_parser("plot", help="figures of what passed: PNG, SVG or PDF")
    parser.add_argument(
        "out", metavar="OUT", type=Path, help="the file to write; its ending says what: .png, .svg, .pdf"
    )
    parser.add_argument(
        "--of", action="append", choices=tuple(KINDS), help="only this; may be given again (default: all there is)"
    )
    parser.add_argument(
        "--from", dest="given", metavar="FILE", type=Path,
        help="instead of the database a file that `plates recent`, `run` or `speeds` wrote: CSV, xlsx, JSON; "
        "- is the standard input",
    )  # fmt: skip
    parser.add_argument("--section", metavar="NAME", help="the speeds are those of a [section.NAME] of the settings")
    parser.add_argument("--since", metavar="WHEN", help="2026-01-31, 2026-01-31T12:00, or 2h, 3d: that long ago")
    parser.add_argument("--until", metavar="WHEN", help="as --since; a day to its end")
    parser.add_argument("--camera", "--of-camera", dest="of_camera", metavar="NAME", help="only this camera's")
    parser.add_argument(
        "--per", choices=tuple(Per), type=Per, help="how long each part of the time is (default: as fits)"
    )
    add_config(parser)
    add_settings(parser, "db", "timezone")
    parser.set_defaults(execute=plot)


def plot(parsed: argparse.Namespace) -> int:
    """Draw what there is, and say what there is not."""
    if parsed.out.suffix.lower() not in FORMATS:
        raise InputError(f"{parsed.out}: its name ends in none of {', '.join(FORMATS)}")
    refuse_unwritable(parsed.out, "")
    if parsed.given is not None:
        refuse_overwriting(parsed.out, parsed.given)
        if parsed.section is not None:
            raise InputError("--section compares times of the database; `roadside speeds NAME --json` writes a file")
    draw, kind = _drawing()
    with named_file(parsed.config):
        settings = settings_of(parsed)
        passages = _within(parsed, settings) if parsed.given is not None else _stored(parsed, settings)
    wanted = parsed.of or list(KINDS)
    drawn = [name for name in KINDS if name in wanted and any(KINDS[name][0](p) for p in passages)]
    if not drawn:
        raise InputError(_nothing(parsed, settings, passages, wanted))
    parsed.out.parent.mkdir(parents=True, exist_ok=True)
    draw(parsed.out, [kind(name) for name in drawn], passages, zone(settings.timezone), parsed.per)
    print(f"{parsed.out}: {', '.join(drawn)} of {len(passages)} passage{'' if len(passages) == 1 else 's'}")
    for name in parsed.of or ():
        if name not in drawn:
            print(f"roadside: {name}: not drawn, {KINDS[name][1]}", file=sys.stderr)
    return 0


def _drawing() -> tuple[Draw, type[Kind]]:
    try:
        from roadside.adapters.plots import Kind, draw  # noqa: PLC0415 - matplotlib is an extra
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("roadside"):
            raise
        mend = install_command("plot")
        raise SettingsError(
            f"figures need a Python package ({error.name} is missing), the extra plot: {mend}"
        ) from error
    return draw, Kind


def _within(parsed: argparse.Namespace, settings: Settings) -> list[Passage]:
    """Of a file, those of the time and the camera that were asked for."""
    where = zone(settings.timezone)
    since, until = since_ns(parsed.since, where), until_ns(parsed.until, where)
    found = _file(parsed.given, settings)
    return [
        passage
        for passage in found
        if (since is None or passage.at_ns >= since)
        and (until is None or passage.at_ns < until)
        and parsed.of_camera in (None, passage.camera)
    ]


def _file(path: Path, settings: Settings) -> list[Passage]:
    where = zone(settings.timezone)
    if str(path) != STANDARD_OUTPUT:
        return read_passages(path, where)
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("the standard input is no text in UTF-8") from error
    return list(parse_passages(io.StringIO(text), "standard input", where))


def _stored(parsed: argparse.Namespace, settings: Settings) -> list[Passage]:
    """Of the database."""
    section = None if parsed.section is None else find_section(parsed.section, settings)
    if settings.database_url is None and not settings.db.exists():
        raise InputError(f"{settings.db}: no sightings are stored there yet; `roadside run SOURCE` stores some")
    where = zone(settings.timezone)
    query = SightingQuery(
        limit=_A_PAGE,
        since_ns=since_ns(parsed.since, where),
        until_ns=until_ns(parsed.until, where),
        camera_id=CameraId(parsed.of_camera) if parsed.of_camera else None,
    )
    records = open_records(settings)
    try:
        speeds = None if section is None else {
            passage.left.sighting_id: passage.speed for passage in passages_of(section, records, query)
        }  # fmt: skip
        return [_passage(sighting, speeds) for sighting in all_found(records.store, query)]
    finally:
        records.close()


def _passage(sighting: Sighting, speeds: dict[str, AverageSpeed] | None) -> Passage:
    kind = sighting.verdict.kind
    return Passage(
        at_ns=sighting.last_seen_ns,
        camera=sighting.camera_id,
        direction=sighting.direction,
        verdict=None if kind is VerdictKind.NONE else kind,
        confidence=None if sighting.plate is None else sighting.plate.confidence,
        speed=sighting.speed if speeds is None else speeds.get(sighting.sighting_id),
    )


def _nothing(parsed: argparse.Namespace, settings: Settings, passages: Sequence[Passage], wanted: Sequence[str]) -> str:
    if passages:
        return "there is nothing to draw: " + "; ".join(f"{name}: {KINDS[name][1]}" for name in wanted)
    if parsed.given is not None:
        return f"{parsed.given}: there is nothing to draw: it holds no passage that was asked for"
    records = open_records(settings)
    try:
        newest = records.store.find(SightingQuery(limit=1)).sightings
    finally:
        records.close()
    if not newest:
        return f"{settings.db}: there is nothing to draw: nothing was seen yet"
    when = local_date(newest[0].last_seen_ns)
    return f"{settings.db}: there is nothing to draw: nothing is that was asked for; the newest passage is of {when}"
