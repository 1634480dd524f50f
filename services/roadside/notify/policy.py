"""Who is told of a sighting, and what: no plate unless it was asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.core.known import Action
from roadside.core.notices import Draft
from roadside.core.rules import Rule
from roadside.core.sightings import VerdictKind
from roadside.core.witness import is_held
from roadside.notify.options import MqttOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roadside.core.known import KnownMatch
    from roadside.core.sightings import Sighting
    from roadside.notify.options import ChannelOptions, NotifyOptions


def compose(sighting: Sighting, options: NotifyOptions) -> Sequence[Draft]:
    """What each channel that wants to know of `sighting` is to be told: of an UNPAID, when a second witness agrees.

    A channel that shows the newest state is also told of what may be shown there and is chosen no more.
    """
    if is_held(sighting.verdict):
        return []
    told = ((channel, _told(sighting, channel)) for channel in options.channels)
    return [Draft(channel.name, json.dumps(body)) for channel, body in told if body is not None]


def _told(sighting: Sighting, channel: ChannelOptions) -> Mapping[str, object] | None:
    if sighting.verdict.kind in channel.verdicts or any(match.action is Action.ALERT for match in sighting.known):
        return _body(sighting, with_plate=channel.with_plate)
    if isinstance(channel, MqttOptions) and channel.home_assistant and _may_be_shown(sighting, channel):
        return {**_body(sighting, with_plate=False), "withdrawn": True}
    return None


def _may_be_shown(sighting: Sighting, channel: ChannelOptions) -> bool:
    """Whether an earlier verdict on it can have been one of those chosen: a person, or a registry, decided anew."""
    return sighting.verdict.rule == Rule.READ_BY_PERSON or VerdictKind.UNKNOWN in channel.verdicts


def _body(sighting: Sighting, *, with_plate: bool) -> Mapping[str, object]:
    judged = sighting.verdict.kind is not VerdictKind.NONE
    seen = datetime.fromtimestamp(sighting.last_seen_ns / 1e9, UTC)
    body: dict[str, object] = {
        "sighting_id": sighting.sighting_id,
        "camera": sighting.camera_id,
        "seen_at": seen.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "verdict": sighting.verdict.kind.value if judged else None,
        "rule": sighting.verdict.rule if judged else None,
    }
    if sighting.direction is not None:
        body["direction"] = sighting.direction.value
    if sighting.speed is not None:
        speed = sighting.speed
        body["speed"] = {
            "kmh": round(speed.kmh, 2),
            "lowest_kmh": round(speed.lowest_kmh, 2),
            "highest_kmh": round(speed.highest_kmh, 2),
        }
    if sighting.known:
        body["known"] = [_known(match, with_plate=with_plate) for match in sighting.known]
    if with_plate and sighting.plate is not None:
        body |= {"plate": sighting.plate.text, "country": sighting.plate.country}
    return body


def _known(match: KnownMatch, *, with_plate: bool) -> Mapping[str, object]:
    """The list and what it is for; who it is only where plates are told."""
    told: dict[str, object] = {"list": match.list_name, "action": match.action.value, "p": round(match.probability, 6)}
    return {**told, "name": match.name, "group": match.group} if with_plate else told
