"""JSON for programs: one object a line, and what a sighting is in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from roadside.core.rules import words_of
from roadside.core.sightings import VerdictKind
from roadside.core.witness import is_held

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from roadside.core.known import KnownMatch
    from roadside.core.sightings import Sighting, Statement
    from roadside.core.speed import AverageSpeed


def add_json(parser: argparse.ArgumentParser | argparse._ActionsContainer, what: str) -> None:
    """Give `parser` the flag `--json`, which prints one object of `what`."""
    parser.add_argument("--json", action="store_true", help=f"print one JSON object{what and f' a line {what}'}")


def print_json(fields: Mapping[str, Any]) -> None:
    """Print one object on one line, at once: whoever reads it may be waiting."""
    print(json.dumps(fields), flush=True)


def iso(at_ns: int) -> str:
    """A moment in UTC, to the millisecond, as ISO 8601 has it."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds")


def sighting_json(sighting: Sighting) -> dict[str, Any]:
    """A sighting as `roadside run --json`, `plates recent --json` and `review --json` print it."""
    plate = sighting.plate
    judged = sighting.verdict.kind is not VerdictKind.NONE
    return {
        "sighting_id": sighting.sighting_id,
        "camera": sighting.camera_id,
        "first_seen": iso(sighting.first_seen_ns),
        "last_seen": iso(sighting.last_seen_ns),
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
        "direction": sighting.direction,
        "speed": None if sighting.speed is None else speed_json(sighting.speed),
        "known": [known_json(match) for match in sighting.known],
    }


def speed_json(speed: AverageSpeed) -> dict[str, float]:
    """A speed and its interval, in kilometres an hour."""
    return {
        "kmh": round(speed.kmh, 2),
        "lowest_kmh": round(speed.lowest_kmh, 2),
        "highest_kmh": round(speed.highest_kmh, 2),
    }


def known_json(match: KnownMatch) -> dict[str, Any]:
    """A known plate that a sighting, or a plate that was asked for, may be."""
    return {
        "list": match.list_name,
        "action": match.action.value,
        "name": match.name,
        "group": match.group,
        "plate": match.plate,
        "p": round(match.probability, 6),
        "opens": match.opens,
    }


def _witness(said: Statement | None) -> dict[str, str] | None:
    if said is None:
        return None
    return {"answer": said.answer.value, "reader": said.reader, "sha256": said.sha256, "text": said.text}
