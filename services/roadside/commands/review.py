"""`roadside review`: a person looks at what the machine was not sure of, and says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadside.adapters.sql.ledger import SqlLedger
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.records import open_records, open_reviewing, person
from roadside.assembly.training import TrainingExports
from roadside.commands.flags import add_settings, settings_of
from roadside.commands.json_lines import add_json, print_json, sighting_json
from roadside.commands.spoken import rule_said
from roadside.commands.table import sighting_line
from roadside.core.reviews import ReviewAction
from roadside.core.rules import words_of
from roadside.core.sightings import VerdictKind
from roadside.errors import InputError
from roadside.kit.file_faults import writing_fault

if TYPE_CHECKING:
    import argparse

    from roadside.assembly.records import Records
    from roadside.assembly.settings import Settings
    from roadside.commands.flags import SubParsers
    from roadside.core.sightings import Sighting
    from roadside.plates.review import Reviewing

MOST_LISTED = 1000
_SETTINGS = ("db", "registry", "evidence", "keys", "grace_s", "review_training", "review_two")


def add_to(commands: SubParsers) -> None:
    """Add `roadside review`."""
    parser = commands.add_parser("review", help="look at sightings that need a person")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    following = actions.add_parser("next", help="the oldest sighting that waits; writes its pictures to files")
    following.add_argument("--pictures", type=Path, default=Path(), help="folder for the pictures (default: here)")
    add_json(following, "")
    add_settings(following, *_SETTINGS)
    following.set_defaults(execute=show_next)

    listing = actions.add_parser("list", help="what waits for a person, oldest first, each with its doubt")
    listing.add_argument("--limit", type=int, default=20, help="how many (default 20)")
    add_json(listing, "a sighting")
    add_settings(listing, *_SETTINGS)
    listing.set_defaults(execute=list_waiting)

    for action, explained in (
        (ReviewAction.CONFIRM, "the plate was read rightly"),
        (ReviewAction.CORRECT, "the plate is another one"),
        (ReviewAction.UNREADABLE, "nobody can read the plate"),
    ):
        answer = actions.add_parser(action.value, help=explained)
        answer.add_argument("sighting", help="its id")
        if action is ReviewAction.CORRECT:
            answer.add_argument("plate", help="as you read it")
            answer.add_argument("--country", help="UK, CZ...")
        answer.add_argument("--author", default=None, help="who says so (default: your user name)")
        add_settings(answer, *_SETTINGS)
        answer.set_defaults(execute=give_answer, action=action)

    export = actions.add_parser("export", help="corrections as training data: pictures, VOC XML, CSV")
    export.add_argument("folder", type=Path)
    add_settings(export, *_SETTINGS)
    export.set_defaults(execute=export_corrections)


def list_waiting(parsed: argparse.Namespace) -> int:
    """Print the oldest waiting sightings, a line each: its id, what was read, and why a person must look."""
    if not 1 <= parsed.limit <= MOST_LISTED:
        raise InputError(f"--limit {parsed.limit}: 1 to {MOST_LISTED}")
    settings = settings_of(parsed)
    records = open_records(settings)
    reviewing, shown = _reviewing(records, settings), list[str]()
    while len(shown) < parsed.limit:
        sighting, waiting = reviewing.next(shown, person())
        if sighting is None:
            break
        if not shown and not parsed.json:
            print(f"{waiting} waiting")
        shown.append(sighting.sighting_id)
        if parsed.json:
            print_json(_fields(sighting))
        else:
            print(f"{sighting.sighting_id}  {sighting_line(sighting)}")
    if not shown and not parsed.json:
        print("nothing waits for review")
    return 0


def show_next(parsed: argparse.Namespace) -> int:
    """Print the oldest waiting sighting with the readings that the verdict weighed."""
    settings = settings_of(parsed)
    records = open_records(settings)
    sighting, waiting = _reviewing(records, settings).next(author=person())
    if sighting is None:
        if not parsed.json:
            print("nothing waits for review")
        return 0
    if not parsed.json:
        _print(sighting, waiting)
    pictures = {}
    for evidence in sighting.evidence:
        data = records.store.picture(sighting.sighting_id, evidence.kind, person())
        suffix = evidence.media_type.partition("/")[2]
        path = parsed.pictures / f"{sighting.sighting_id}.{evidence.kind.value}.{suffix}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise InputError(f"{path}: {writing_fault(error)}") from error
        pictures[evidence.kind.value] = str(path)
        if not parsed.json:
            print(f"  {evidence.kind.value:<6} {path}")
    if parsed.json:
        print_json({**_fields(sighting), "waiting": waiting, "pictures": pictures})
    return 0


def give_answer(parsed: argparse.Namespace) -> int:
    """Store the answer and settle the verdict by it."""
    settings = settings_of(parsed)
    records = open_records(settings)
    author, action = parsed.author or person(), parsed.action
    text, country = getattr(parsed, "plate", ""), getattr(parsed, "country", None) or ""
    settled = _reviewing(records, settings).answer(parsed.sighting, action, author, text=text, country=country)
    kind = settled.verdict.kind.value
    if action is ReviewAction.UNREADABLE:
        print(f"{settled.sighting_id}: noted as unreadable by {author}; it stays {kind}")
        return 0
    gone = "; its plate and pictures are deleted" if settled.plate is None else ""
    print(f"{settled.sighting_id}: {kind} after {author} read it{gone}")
    return 0


def export_corrections(parsed: argparse.Namespace) -> int:
    """Write every answered sighting whose picture is still there."""
    records = open_records(settings_of(parsed))
    ledger = SqlLedger(records.database, records.retention, records.vault)
    written = TrainingExports(records.store, ledger).export(parsed.folder, person())
    records.retention.note(person(), "exported", "corrections", f"{written} plates")
    print(f"{parsed.folder}: {written} plates")
    return 0


def _reviewing(records: Records, settings: Settings) -> Reviewing:
    return open_reviewing(records, settings, SystemClock())


def _fields(sighting: Sighting) -> dict[str, Any]:
    """A sighting, the doubt, and the readings that the verdict weighed, likeliest first."""
    readings = [
        {"plate": r.plate, "p": round(r.probability, 6), "paid": r.paid, "exempt": r.exempt}
        for r in sighting.verdict.readings
    ]
    return {**sighting_json(sighting), "doubt": words_of(sighting.verdict.rule).sentence, "readings": readings}


def _print(sighting: Sighting, waiting: int) -> None:
    verdict, plate = sighting.verdict, sighting.plate
    print(f"{sighting.sighting_id}  camera {sighting.camera_id}  {waiting} waiting")
    if plate is not None:
        print(f"  read   {plate.text} ({plate.country or '?'}), confidence {plate.confidence:.2f}, {plate.looks} looks")
    print(f"  doubt  {rule_said(verdict.rule).sentence}")
    print(f"  rule   {verdict.rule}: paid {verdict.p_paid:.2g}, exempt {verdict.p_exempt:.2g}")
    for reading in verdict.readings:
        known = VerdictKind.PAID if reading.paid else VerdictKind.EXEMPT if reading.exempt else "-"
        print(f"    {reading.plate:<12} {reading.probability:8.2g}  {known}")
