"""Sightings as people read them: a line as it happens, a table at the end."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.commands.spoken import headings, rule_said
from roadside.core.sightings import VerdictKind
from roadside.core.witness import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roadside.core.sightings import Sighting, Verdict
    from roadside.core.speed import AverageSpeed

MOST_ROWS = 1000
"""Shown of a run."""
HEAD = ("time", "plate", "country", "sure", "looks", "verdict", "why", "way", "known")


def local_time(at_ns: int) -> str:
    """Hours, minutes and seconds of this computer's time zone."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone().strftime("%H:%M:%S")


def local_date(at_ns: int) -> str:
    """Day and time of this computer's time zone."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def without_free_plate(sighting: Sighting) -> Sighting:
    """`sighting` without the plate of a vehicle that has paid or is exempt, as it is stored."""
    if sighting.verdict.kind not in (VerdictKind.PAID, VerdictKind.EXEMPT):
        return sighting
    return replace(sighting, plate=None, known=())


def sighting_line(sighting: Sighting, *, cameras: bool = False) -> str:
    """One vehicle as it passes; with `cameras`, where."""
    row = _row(sighting)
    where = f"{sighting.camera_id:<12}  " if cameras else ""
    told = "  ".join(filter(None, (f"{row[5]:<8} {row[6]}".strip(), *_beside(sighting))))
    return f"{row[0]}  {where}{row[1]:<10} {row[2]:<4} {row[3]:>5}  {told}".rstrip()


def running_head(*, cameras: bool = False, judged: bool = True) -> str:
    """The head over rows of `running_row`; `judged`: they have verdicts."""
    camera, *words = headings(("camera", *HEAD[:7]))
    return _running([*words[:5], words[5] if judged else ""], camera if cameras else None, words[6:] if judged else ())


def running_row(sighting: Sighting, *, cameras: bool = False) -> str:
    """One vehicle as it passes, in columns as wide as is usual; with `cameras`, where."""
    row = _row(sighting)
    return _running(row[:6], sighting.camera_id if cameras else None, (row[6], *_beside(sighting)))


def _running(cells: Sequence[str], camera: str | None, rest: Sequence[str]) -> str:
    time, plate, country, sure, looks, verdict = cells
    where = "" if camera is None else f"{camera:<12}  "
    told = "  ".join(filter(None, (f"{verdict:<8}" if verdict else "", *rest)))
    return f"{time:<8}  {where}{plate:<10} {country:<7}  {sure:>4}  {looks:>5}  {told}".rstrip()


class SightingTable:
    """The vehicles that passed: the last of them as rows, all of them as counts. A camera may stand for months."""

    def __init__(self, rows: int = MOST_ROWS, *, cameras: bool = False, dates: bool = False) -> None:
        """With `cameras` each row names its camera, with `dates` its day."""
        self._cameras = cameras
        self._dates = dates
        self._rows: deque[tuple[str, ...]] = deque(maxlen=rows)
        self._verdicts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._verdicts.total()

    def add(self, sighting: Sighting) -> None:
        """One more."""
        row = _row(sighting)
        if self._dates:
            row = (local_date(sighting.last_seen_ns), *row[1:])
        self._rows.append(self._placed(row, sighting.camera_id))
        self._verdicts[sighting.verdict.kind.value] += 1

    def _placed(self, row: tuple[str, ...], camera: str) -> tuple[str, ...]:
        return (row[0], camera, *row[1:]) if self._cameras else row

    def counts(self) -> str:
        """How many there were, and of each verdict."""
        if not self:
            return "No sighting: no plate was seen well enough."
        judged = sorted((kind, count) for kind, count in self._verdicts.items() if kind != VerdictKind.NONE)
        told = ", ".join(f"{count} {kind}" for kind, count in judged)
        noun = "sighting" if len(self) == 1 else "sightings"
        return f"{len(self)} {noun}{': ' if told else ''}{told}"

    def text(self) -> str:
        """The rows that are kept, and the counts."""
        if not self:
            return self.counts()
        rows = [headings(self._placed(HEAD, "camera")), *self._rows]
        told_of = [any(row[i] for row in self._rows) for i in range(len(rows[0]))]
        rows = [tuple(cell for cell, told in zip(row, told_of, strict=True) if told) for row in rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.insert(1, "  ".join("-" * width for width in widths))
        left_out = f"; the last {len(self._rows)} are shown" if len(self) > len(self._rows) else ""
        return "\n".join(["", *lines, "", f"{self.counts()}{left_out}"])


def sighting_table(sightings: Sequence[Sighting], *, dates: bool = False) -> str:
    """All of them, and how many of each verdict; cameras are named where there are several."""
    several = len({sighting.camera_id for sighting in sightings}) > 1
    table = SightingTable(len(sightings), cameras=several, dates=dates)
    for sighting in sightings:
        table.add(sighting)
    return table.text()


def _row(sighting: Sighting) -> tuple[str, ...]:
    plate = sighting.plate
    if plate is None:
        seen = ("(hashed)", "", "", "")
    else:
        seen = (plate.text, plate.country or "-", f"{plate.confidence:.0%}", str(plate.looks))
    if sighting.verdict.kind is VerdictKind.NONE:
        judged = ("", "")
    else:
        judged = (sighting.verdict.kind.value, _why(sighting.verdict))
    way = " ".join(filter(None, (sighting.direction, None if sighting.speed is None else speed_said(sighting.speed))))
    known = ", ".join(f"{match.name or match.plate} ({match.list_name})" for match in sighting.known)
    return (local_time(sighting.last_seen_ns), *seen, *judged, way, known)


def _beside(sighting: Sighting) -> Iterator[str]:
    """Which way it went, and who it is where it is known."""
    if sighting.direction is not None:
        yield sighting.direction.value
    if sighting.speed is not None:
        yield speed_said(sighting.speed)
    for match in sighting.known:
        yield f"{match.name or match.plate} ({match.list_name}, {match.action.value}, {match.probability:.3f})"


def speed_said(speed: AverageSpeed) -> str:
    """A speed with its interval, in kilometres an hour."""
    return f"{speed.kmh:.0f} km/h ({speed.lowest_kmh:.0f} to {speed.highest_kmh:.0f})"


def _why(verdict: Verdict) -> str:
    """The rule in words, and of an UNPAID whether a second witness agrees."""
    words = rule_said(verdict.rule).brief
    if is_held(verdict):
        return f"{words}; a person must confirm"
    if verdict.witness is None or verdict.kind is not VerdictKind.UNPAID:
        return words
    return f"{words}; {verdict.witness.reader} agrees"
