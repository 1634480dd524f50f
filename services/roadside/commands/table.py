"""Sightings as people read them: a line as it happens, a table at the end."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.core.rules import words_of
from roadside.core.sightings import VerdictKind
from roadside.core.witness import is_held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.sightings import Sighting, Verdict

HEAD = ("time", "plate", "country", "sure", "looks", "verdict", "why")


def local_time(at_ns: int) -> str:
    """Hours, minutes and seconds of this computer's time zone."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone().strftime("%H:%M:%S")


def sighting_line(sighting: Sighting) -> str:
    """One vehicle as it passes."""
    row = _row(sighting)
    return f"{row[0]}  {row[1]:<10} {row[2]:<4} {row[3]:>5}  {row[5]:<8} {row[6]}"


def sighting_table(sightings: Sequence[Sighting]) -> str:
    """All of them, and how many of each verdict."""
    if not sightings:
        return "No sighting: no plate was seen well enough."
    rows = [HEAD, *(_row(s) for s in sightings)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    counts = Counter(s.verdict.kind.value for s in sightings)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    noun = "sighting" if len(sightings) == 1 else "sightings"
    return "\n".join(["", *lines, "", f"{len(sightings)} {noun}: {told}"])


def _row(sighting: Sighting) -> tuple[str, ...]:
    plate = sighting.plate
    if plate is None:
        seen = ("(hashed)", "", "", "")
    else:
        seen = (plate.text, plate.country or "-", f"{plate.confidence:.0%}", str(plate.looks))
    return (local_time(sighting.last_seen_ns), *seen, sighting.verdict.kind.value, _why(sighting.verdict))


def _why(verdict: Verdict) -> str:
    """The rule in words, and of an UNPAID whether a second witness agrees."""
    words = words_of(verdict.rule).brief
    if is_held(verdict):
        return f"{words}; a person must confirm"
    if verdict.witness is None or verdict.kind is not VerdictKind.UNPAID:
        return words
    return f"{words}; {verdict.witness.reader} agrees"
