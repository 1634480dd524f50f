"""What the registry remembers of the vehicles that it told of, written down for whoever takes over."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from roadside.core.motion import Place
from roadside.core.passed import Heading, Passed

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 1
"""Another version's memory is left aside: the worst of it is a vehicle told of twice."""


def encode(passed: Iterable[Passed]) -> bytes:
    """The vehicles as bytes."""
    return json.dumps({"version": VERSION, "passed": [asdict(one) for one in passed]}).encode()


def decode(memory: bytes) -> tuple[Passed, ...]:
    """The vehicles of `encode`; none where the bytes are no memory of this version."""
    try:
        told = json.loads(memory or b"{}")
        if told.get("version") != VERSION:
            return ()
        return tuple(_passed(**one) for one in told["passed"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()


def _passed(  # noqa: PLR0913 - the fields of Passed by their names
    *,
    track_id: str,
    confidence: float,
    readings: list[list[object]],
    place: dict[str, float],
    heading: dict[str, float],
    last_seen_ns: int,
    stood: bool,
    followed: bool,
    pieces: list[str],
) -> Passed:
    return Passed(
        str(track_id),
        float(confidence),
        tuple((str(text), float(str(p))) for text, p in readings),
        Place(**place),
        Heading(heading["x"], heading["y"], int(heading["grows"])),
        int(last_seen_ns),
        bool(stood),
        bool(followed),
        tuple(map(str, pieces)),
    )
