"""`roadside plates recent`: what was seen last."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from roadside.assembly.records import open_records, person
from roadside.commands.flags import add_settings, settings_of
from roadside.commands.table import sighting_table
from roadside.core.frames import CameraId
from roadside.core.rules import words_of
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.core.witness import is_held
from roadside.errors import InputError

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers
    from roadside.core.sightings import Sighting, Statement


def add_to(commands: SubParsers) -> None:
    """Add `roadside plates`."""
    plates = commands.add_parser("plates", help="list what was seen").add_subparsers(metavar="COMMAND", required=True)
    recent = plates.add_parser("recent", help="the newest sightings")
    recent.add_argument("--limit", type=int, default=20, help="how many (default 20)")
    recent.add_argument("--verdict", choices=[kind.value for kind in VerdictKind], help="only these")
    recent.add_argument(
        "--confirmed", action="store_true", help="of the UNPAID only those that a second reader or a person confirmed"
    )
    recent.add_argument("--plate", help="only this plate, or one character away from it")
    recent.add_argument("--of-camera", help="only this camera's")
    recent.add_argument("--json", action="store_true", help="print one JSON object a line a sighting")
    add_settings(recent, "db")
    recent.set_defaults(execute=list_recent)


def list_recent(arguments: argparse.Namespace) -> int:
    """Print the newest sightings, newest first."""
    settings = settings_of(arguments)
    if settings.database_url is None and not settings.db.exists():
        raise InputError(f"{settings.db}: no sightings are stored there yet; `roadside run SOURCE` stores some")
    query = SightingQuery(
        limit=arguments.limit,
        camera_id=CameraId(arguments.of_camera) if arguments.of_camera else None,
        plate_like=arguments.plate,
        verdict=VerdictKind(arguments.verdict) if arguments.verdict else None,
    )
    records = open_records(settings)
    try:
        sightings = records.store.find(query).sightings
        if arguments.plate:
            records.store.note_search(arguments.plate, person())
    finally:
        records.close()
    if arguments.confirmed:
        sightings = tuple(s for s in sightings if not is_held(s.verdict))
    if arguments.json:
        for sighting in sightings:
            print(json.dumps(_to_json(sighting)))
    else:
        print(sighting_table(sightings) if sightings else "Nothing was seen yet.")
    return 0


def _to_json(sighting: Sighting) -> dict[str, Any]:
    plate = sighting.plate
    judged = sighting.verdict.kind is not VerdictKind.NONE
    return {
        "sighting_id": sighting.sighting_id,
        "camera": sighting.camera_id,
        "first_seen": _iso(sighting.first_seen_ns),
        "last_seen": _iso(sighting.last_seen_ns),
        "plate": plate.text if plate is not None else None,
        "country": plate.country if plate is not None else None,
        "confidence": round(plate.confidence, 4) if plate is not None else None,
        "plate_hash": sighting.plate_hash,
        "verdict": sighting.verdict.kind.value if judged else None,
        "rule": sighting.verdict.rule if judged else None,
        "why": words_of(sighting.verdict.rule).brief if judged else None,
        "p_paid": sighting.verdict.p_paid if judged else None,
        "second_reader": _witness(sighting.verdict.witness),
        "held": is_held(sighting.verdict),
    }


def _witness(said: Statement | None) -> dict[str, str] | None:
    if said is None:
        return None
    return {"answer": said.answer.value, "reader": said.reader, "sha256": said.sha256, "text": said.text}


def _iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds")
