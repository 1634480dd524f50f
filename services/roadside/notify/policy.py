"""Who is told of a sighting, and what: no plate unless it was asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.core.notices import Draft
from roadside.core.witness import is_held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.sightings import Sighting
    from roadside.notify.options import NotifyOptions


def compose(sighting: Sighting, options: NotifyOptions) -> Sequence[Draft]:
    """What each channel that wants to know of `sighting` is to be told: of an UNPAID, when a second witness agrees."""
    if is_held(sighting.verdict):
        return []
    return [
        Draft(channel.name, _body(sighting, with_plate=channel.with_plate))
        for channel in options.channels
        if sighting.verdict.kind in channel.verdicts
    ]


def _body(sighting: Sighting, *, with_plate: bool) -> str:
    seen = datetime.fromtimestamp(sighting.last_seen_ns / 1e9, UTC)
    body: dict[str, object] = {
        "sighting_id": sighting.sighting_id,
        "camera": sighting.camera_id,
        "seen_at": seen.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "verdict": sighting.verdict.kind.value,
        "rule": sighting.verdict.rule,
    }
    if with_plate and sighting.plate is not None:
        body |= {"plate": sighting.plate.text, "country": sighting.plate.country}
    return json.dumps(body)
