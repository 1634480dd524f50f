"""`roadside registry import|exempt|check|list|export|diff|recheck`: who paid, who need not, and asking again."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadside.adapters.system_clock import SystemClock
from roadside.assembly.lists import ListImporter
from roadside.assembly.records import open_records, open_registry, seal_lists
from roadside.assembly.storage import open_held_registry
from roadside.commands import registry_lists
from roadside.commands.colour import painted
from roadside.commands.counts import counted
from roadside.commands.flags import add_settings, settings_of
from roadside.commands.registry_lists import add_reading, reading_of
from roadside.core.countries import country_code
from roadside.core.lettering import spellings
from roadside.core.moments import PassageTime
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.core.vignettes import NEVER_NS
from roadside.errors import InputError
from roadside.kit.scratch import ScratchFolder
from roadside.registry.config import KeepingSection, VerdictSection
from roadside.registry.recheck import recheck
from roadside.registry.validity import start_ns, zone
from roadside.registry.writing import HEADER, row_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import tzinfo

    from roadside.adapters.sql import ImportReport
    from roadside.adapters.sql.registry import PlateCheck
    from roadside.assembly.lists import Taken
    from roadside.commands.flags import SubParsers
    from roadside.core.vignettes import Vignette

STANDARD_INPUT = "-"
EXIT_SOME_REJECTED = 1
EXIT_NOT_PAID = 1
_MOST_LINES = 20
_MOST_COUNTED = 1000
_FORCE = "replace even where the registry would forget somebody, and say so"
_KEEPING = ("db", "registry", "timezone")
_LOADING = (*_KEEPING, "registry_date_order", "registry_max_rejected", "registry_max_removed")


def add_to(commands: SubParsers) -> None:
    """Add `roadside registry`."""
    parser = commands.add_parser("registry", help="the registry of vignettes: import, check")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    load = actions.add_parser("import", help="add the vignettes of a CSV file or a spreadsheet")
    columns = "plate, country, valid_from, valid_to and, if any, category"
    load.add_argument("file", type=Path, help=f"CSV or a spreadsheet (- for the standard input): {columns}")
    load.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    load.add_argument("--replace", action="store_true", help="remove vignettes that the file does not hold")
    load.add_argument("--force", action="store_true", help=_FORCE)
    add_reading(load)
    add_settings(load, *_LOADING)
    load.set_defaults(execute=load_vignettes)

    exempt = actions.add_parser("exempt", help="replace the exemptions by those of a CSV file or a spreadsheet")
    columns = "pattern, country, reason and, if any, valid_from, valid_to"
    exempt.add_argument("file", type=Path, help=f"CSV or a spreadsheet (- for the standard input): {columns}")
    exempt.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    exempt.add_argument("--force", action="store_true", help=_FORCE)
    add_reading(exempt)
    add_settings(exempt, *_LOADING)
    exempt.set_defaults(execute=load_exemptions)

    check = actions.add_parser("check", help="whether a plate is paid; exit code 1 where it is not")
    check.add_argument("plate")
    check.add_argument("--country", help="UK, CZ...; every country where it is not given")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument("--at", help="time of the passage, such as 2026-01-31T12:00 (default: now)")
    add_settings(check, *_KEEPING, "grace_s", "verdict_time_tolerance_s", "registry_max_age_days")
    check.set_defaults(execute=check_plate)

    registry_lists.add_to(actions)

    again = actions.add_parser("recheck", help="ask again about every UNKNOWN sighting (nightly, by cron)")
    again.add_argument("--json", action="store_true", help="print one JSON object")
    add_settings(again, *dict.fromkeys((*VerdictSection.model_fields, *KeepingSection.model_fields)))
    again.set_defaults(execute=recheck_unknown)


def recheck_unknown(parsed: argparse.Namespace) -> int:
    """Decide what the registry could not answer before; what it still cannot stays UNKNOWN."""
    records = open_records(settings_of(parsed))
    counts = Counter(s.verdict.kind.value for s in recheck(records.store, records.judge, "recheck"))
    left = len(records.store.find(SightingQuery(limit=_MOST_COUNTED, verdict=VerdictKind.UNKNOWN)).sightings)
    if parsed.json:
        print(json.dumps({"decided": dict(counts), "still_unknown": left, "more": left == _MOST_COUNTED}))
        return 0
    decided = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none"
    print(f"decided: {decided}; still UNKNOWN: {left if left < _MOST_COUNTED else 'a thousand or more'}")
    return 0


def load_vignettes(parsed: argparse.Namespace) -> int:
    """Import vignettes; exit code 1 where rows were rejected."""
    settings = settings_of(parsed)
    database = open_registry(settings)
    importer = ListImporter(database, settings, reading_of(parsed))
    now_ns = SystemClock().now_ns()
    with _readable(parsed.file) as path:
        taken = importer.vignettes(path, str(parsed.file), now_ns, replace=parsed.replace, force=parsed.force)
    seal_lists(settings, database)
    return _told(parsed.file, "vignette", taken, as_json=parsed.json)


def load_exemptions(parsed: argparse.Namespace) -> int:
    """Import exemptions; exit code 1 where rows were rejected."""
    settings = settings_of(parsed)
    database = open_registry(settings)
    importer = ListImporter(database, settings, reading_of(parsed))
    with _readable(parsed.file) as path:
        taken = importer.exemptions(path, str(parsed.file), SystemClock().now_ns(), force=parsed.force)
    seal_lists(settings, database)
    return _told(parsed.file, "exemption", taken, as_json=parsed.json)


def check_plate(parsed: argparse.Namespace) -> int:
    """Say what the registry holds of a plate, and PAID, EXEMPT, UNPAID, or UNKNOWN where the list is too old."""
    settings = settings_of(parsed)
    where = zone(settings.timezone)
    country = _country(parsed.country)
    if not any(_spellings(parsed.plate, country)):
        raise InputError(f"{parsed.plate!r} is no plate")
    at_ns = _moment(parsed.at, where) if parsed.at else SystemClock().now_ns()
    passage = PassageTime.at(at_ns).widened(int(settings.verdict_time_tolerance_s * 1e9))
    checked = open_held_registry(settings, open_registry(settings)).check(parsed.plate, country, passage)
    code = 0 if checked.kind in (VerdictKind.PAID, VerdictKind.EXEMPT) else EXIT_NOT_PAID
    if parsed.json:
        print(json.dumps(_held(checked, where)))
        return code
    print(painted(checked.kind.value))
    if checked.kind is VerdictKind.UNKNOWN and checked.unread:
        print(
            "  rows of a list could not be read, and it may stand in one of them: correct that list and import it again"
        )
    elif checked.kind is VerdictKind.UNKNOWN:
        print(f"  the list is older than registry_max_age_days ({settings.registry_max_age_days:g}): import a new one")
    for exemption in checked.exemptions:
        print(f"  exempt ({exemption.reason}): {exemption.pattern} of {exemption.country}")
    for vignette in checked.vignettes:
        print(f"  {_line(vignette, where)}")
    for vignette in checked.lapsed:
        when = "expired" if vignette.valid_to_ns <= passage.first_ns else "not begun"
        print(f"  {_line(vignette, where)}, {when}")
    return code


def _held(checked: PlateCheck, where: tzinfo) -> dict[str, Any]:
    """What is held of a plate, for programs."""
    kinds = {"vignettes": checked.vignettes, "lapsed": checked.lapsed}
    rows = {name: [dict(zip(HEADER, row_of(v, where), strict=True)) for v in held] for name, held in kinds.items()}
    exemptions = [{"pattern": e.pattern, "country": e.country, "reason": e.reason} for e in checked.exemptions]
    return {"verdict": checked.kind.value, **rows, "exemptions": exemptions, "unread": checked.unread}


@contextmanager
def _readable(file: Path) -> Iterator[Path]:
    """The file; of the standard input, a copy on disk, for its beginning is read twice."""
    if str(file) != STANDARD_INPUT:
        yield file
        return
    with ScratchFolder("import") as folder:
        path = folder.path / "standard-input.csv"
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield path


def _told(file: Path, what: str, taken: Taken, *, as_json: bool = False) -> int:
    report = taken.report
    if as_json:
        bad = [{"line": row.line, "reason": row.reason} for row in report.bad_rows]
        counts = {"read": report.read, "added": report.added, "removed": report.removed, "rejected": report.rejected}
        print(json.dumps({**counts, "read_as": taken.read_as, "bad_rows": bad, "forced": list(report.forced)}))
        return EXIT_SOME_REJECTED if report.rejected else 0
    for row in report.bad_rows[:_MOST_LINES]:
        print(f"{file}:{row.line}: {row.reason}", file=sys.stderr)
    if report.rejected > _MOST_LINES:
        print(f"{file}: and {report.rejected - _MOST_LINES} more rows left out", file=sys.stderr)
    for reason in report.forced:
        print(f"{file}: FORCED, although {reason}", file=sys.stderr)
    for line in _left_open(report):
        print(f"{file}: {line}", file=sys.stderr)
    print(f"{file}: {taken.read_as}")
    print(
        f"{counted(report.read, 'good row')}: {counted(report.added, what)} added, {report.removed} removed, "
        f"{report.read - report.added} there already; {counted(report.rejected, 'row')} left out; "
        f"{report.elapsed_s:.1f} s"
        f"{'; FORCED' if report.forced else ''}"
    )
    return EXIT_SOME_REJECTED if report.rejected else 0


def _left_open(report: ImportReport) -> Iterator[str]:
    """What rows that could not be read mean for verdicts."""
    mend = "correct them and import the list again, or import it with --force"
    if report.unsure:
        rows = counted(report.unsure, "row")
        yield f"nobody is UNPAID, but UNKNOWN, while {rows} may hold anybody's plate: {mend}"
    elif report.doubted:
        yield f"UNKNOWN, not UNPAID, are plates of {counted(report.doubted, 'row')} left out: {mend}"


def _country(text: str | None) -> str | None:
    try:
        return country_code(text) or None if text else None
    except ValueError as error:
        raise InputError(f"--country: {error}") from error


def _spellings(plate: str, country: str | None) -> tuple[str, ...]:
    try:
        return spellings(plate, country)
    except ValueError as error:
        raise InputError(str(error)) from error


def _moment(text: str, where: tzinfo) -> int:
    try:
        return start_ns(text, where)
    except ValueError as error:
        raise InputError(str(error)) from error


def _line(vignette: Vignette, where: tzinfo) -> str:
    category = f" {vignette.category}" if vignette.category else ""
    begins = "since ever" if vignette.valid_from_ns <= 0 else f"from {_shown(vignette.valid_from_ns, where)}"
    ends = "without end" if vignette.valid_to_ns >= NEVER_NS else f"until {_shown(vignette.valid_to_ns, where)}"
    return f"{vignette.country}{category}: {begins} {ends}"


def _shown(at_ns: int, where: tzinfo) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone(where).strftime("%Y-%m-%d %H:%M")
