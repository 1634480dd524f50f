"""Sightings as rows: JSON for what is only shown, columns for what is searched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from roadside.core.candidates import head_bucket, tail_bucket
from roadside.core.frames import Box, CameraId
from roadside.core.known import Action, KnownMatch
from roadside.core.moments import PassageTime, TimeDoubt
from roadside.core.outline import Direction
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET, FusedPlate, Hypothesis, ShownRead
from roadside.core.sightings import (
    Answer,
    Evidence,
    PictureKind,
    Reading,
    Sighting,
    Statement,
    Verdict,
    VerdictKind,
)
from roadside.core.speed import AverageSpeed
from roadside.core.vignettes import Exemption, Vignette

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import RowMapping

    from roadside.core.sightings import Facts

HASHED = (VerdictKind.PAID, VerdictKind.EXEMPT)
"""Of these the plate is not kept."""


def sighting_row(sighting: Sighting, decided_at_ns: int) -> dict[str, Any]:
    """The columns of `sighting`, `sequence` apart."""
    return {
        "sighting_id": sighting.sighting_id,
        "camera_id": sighting.camera_id,
        "track_id": sighting.track_id,
        "first_seen_ns": sighting.first_seen_ns,
        "last_seen_ns": sighting.last_seen_ns,
        "plate_hash": sighting.plate_hash,
        "provenance": json.dumps(sighting.provenance),
        "direction": None if sighting.direction is None else sighting.direction.value,
        **_speed_columns(sighting.speed),
        "known": json.dumps([_known(match) for match in sighting.known]) if sighting.known else None,
        **verdict_columns(sighting.verdict, decided_at_ns),
        **plate_columns(sighting.plate),
    }


def verdict_columns(verdict: Verdict, decided_at_ns: int) -> dict[str, Any]:
    """The columns that a verdict fills."""
    return {
        "verdict": verdict.kind.value,
        "decided_at_ns": decided_at_ns,
        "reasons": json.dumps(
            {
                "rule": verdict.rule,
                "p_paid": verdict.p_paid,
                "p_exempt": verdict.p_exempt,
                "readings": [[r.plate, r.probability, r.paid, r.exempt] for r in verdict.readings],
                "vignettes": [_vignette(v) for v in verdict.vignettes],
                "lapsed": [_vignette(v) for v in verdict.lapsed],
                "exemptions": [
                    [e.pattern, e.country, e.reason, e.valid_from_ns, e.valid_to_ns] for e in verdict.exemptions
                ],
                "passage": _passage(verdict.passage),
                "witness": _witness(verdict.witness),
                "basis": verdict.basis,
            }
        ),
    }


def plate_columns(plate: FusedPlate | None) -> dict[str, Any]:
    """The columns that a plate fills; all None without one."""
    if plate is None:
        return dict.fromkeys(
            ("country", "plate_key", "plate_head", "plate_tail", "plate", "posterior"),
        )
    key = fold(plate.text)
    return {
        "country": plate.country,
        "plate_key": key,
        "plate_head": head_bucket(key),
        "plate_tail": tail_bucket(key),
        "plate": json.dumps(
            {
                "text": plate.text,
                "raw": plate.raw,
                "confidence": plate.confidence,
                "looks": plate.looks,
                "doubts": None if plate.doubts is None else list(plate.doubts),
                "alternatives": [[h.text, h.country, h.log_p] for h in plate.alternatives],
                "countries": [list(pair) for pair in plate.countries],
                **({"shown": [[s.text, s.confidence, s.captured_at_ns] for s in plate.shown]} if plate.shown else {}),
            }
        ),
        "posterior": np.asarray(plate.posterior, dtype="<f4").tobytes(),
    }


def sighting_of(row: RowMapping, evidence: Sequence[RowMapping]) -> Sighting:
    """The sighting of a row and its evidence's rows."""
    return Sighting(
        sighting_id=row["sighting_id"],
        camera_id=CameraId(row["camera_id"]),
        track_id=row["track_id"],
        first_seen_ns=row["first_seen_ns"],
        last_seen_ns=row["last_seen_ns"],
        plate=_plate_of(row),
        verdict=_verdict_of(VerdictKind(row["verdict"]), json.loads(row["reasons"])),
        plate_hash=row["plate_hash"],
        evidence=tuple(_evidence_of(e) for e in evidence),
        sequence=row["sequence"],
        provenance=_facts(json.loads(row["provenance"] or "[]")),
        direction=None if row["direction"] is None else Direction(row["direction"]),
        speed=_speed_of(row),
        known=tuple(_known_of(match) for match in json.loads(row["known"] or "[]")),
    )


def _speed_columns(speed: AverageSpeed | None) -> dict[str, float | None]:
    if speed is None:
        return dict.fromkeys(("speed_kmh", "speed_lowest_kmh", "speed_highest_kmh"))
    return {
        "speed_kmh": float(speed.kmh),
        "speed_lowest_kmh": float(speed.lowest_kmh),
        "speed_highest_kmh": float(speed.highest_kmh),  # as they are read back, and so sealed
    }


def _speed_of(row: RowMapping) -> AverageSpeed | None:
    if row["speed_kmh"] is None:
        return None
    return AverageSpeed(row["speed_kmh"], row["speed_lowest_kmh"], row["speed_highest_kmh"])


def _known(match: KnownMatch) -> dict[str, Any]:
    return {
        "list": match.list_name,
        "action": match.action.value,
        "name": match.name,
        "group": match.group,
        "plate": match.plate,
        "p": match.probability,
        "opens": match.opens,
    }


def _known_of(data: Mapping[str, Any]) -> KnownMatch:
    return KnownMatch(
        data["list"], Action(data["action"]), data["name"], data["group"], data["plate"], data["p"], data["opens"]
    )


def list_names(known: str) -> list[str]:
    """The lists that a column `known` names, each once."""
    return sorted({str(match["list"]) for match in json.loads(known)})


def box_text(box: Box | None) -> str | None:
    """A box as the column that keeps it."""
    return None if box is None else json.dumps([box.x1, box.y1, box.x2, box.y2])


def _evidence_of(row: RowMapping) -> Evidence:
    box = None if row["box"] is None else Box(*json.loads(row["box"]))
    return Evidence(PictureKind(row["kind"]), row["sha256"], row["media_type"], row["size_bytes"], box)


def _plate_of(row: RowMapping) -> FusedPlate | None:
    if row["plate"] is None:
        return None
    data = json.loads(row["plate"])
    posterior = np.frombuffer(row["posterior"], dtype="<f4").astype(np.float32).reshape(-1, len(ALPHABET))
    return FusedPlate(
        text=data["text"],
        raw=data["raw"],
        country=row["country"],
        confidence=data["confidence"],
        posterior=posterior,
        alternatives=tuple(Hypothesis(*values) for values in data["alternatives"]),
        countries=tuple((str(name), float(p)) for name, p in data["countries"]),
        looks=data["looks"],
        doubts=_doubts_of(data.get("doubts")),
        shown=tuple(ShownRead(*values) for values in data.get("shown", ())),
    )


def _doubts_of(named: Sequence[str] | None) -> tuple[str, ...] | None:
    """None of a plate that was kept before pictures were examined."""
    return None if named is None else tuple(map(str, named))


def _verdict_of(kind: VerdictKind, data: Mapping[str, Any]) -> Verdict:
    return Verdict(
        kind=kind,
        rule=data["rule"],
        p_paid=data["p_paid"],
        p_exempt=data["p_exempt"],
        readings=tuple(Reading(*values) for values in data["readings"]),
        vignettes=tuple(Vignette(*values) for values in data["vignettes"]),
        exemptions=tuple(Exemption(*values) for values in data["exemptions"]),
        lapsed=tuple(Vignette(*values) for values in data["lapsed"]),
        passage=_passage_of(data.get("passage")),
        witness=_witness_of(data.get("witness")),
        basis=_facts(data.get("basis", ())),
    )


def _passage(passage: PassageTime | None) -> list[int | str | None] | None:
    return None if passage is None else [passage.first_ns, passage.last_ns, passage.doubt]


def _passage_of(data: Sequence[Any] | None) -> PassageTime | None:
    """None of a verdict that was kept before times were doubted."""
    if data is None:
        return None
    first_ns, last_ns, doubt = data
    return PassageTime(int(first_ns), int(last_ns), None if doubt is None else TimeDoubt(doubt))


def _witness(said: Statement | None) -> list[str] | None:
    return None if said is None else [said.answer.value, said.reader, said.sha256, said.text]


def _witness_of(said: Sequence[str] | None) -> Statement | None:
    """None of a verdict that was kept before there was a second reader."""
    return None if said is None else Statement(Answer(said[0]), *map(str, said[1:]))


def _facts(pairs: Sequence[Sequence[str]]) -> Facts:
    return tuple((str(name), str(value)) for name, value in pairs)


def _vignette(v: Vignette) -> list[str | int]:
    return [v.plate, v.country, v.category, v.valid_from_ns, v.valid_to_ns]
