"""Passages from files that Roadside's commands wrote: CSV, sheets, or an object a line."""

from __future__ import annotations

import csv
import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from roadside.adapters.spreadsheet import as_text
from roadside.core.outline import Direction
from roadside.core.plates import fold, normalise
from roadside.core.sightings import VerdictKind
from roadside.core.speed import AverageSpeed
from roadside.core.summary import Passage
from roadside.errors import InputError, RegistryFileError
from roadside.kit.file_faults import reading_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo
    from pathlib import Path

_TIMES = ("last_seen", "left")
_SEPARATORS = ",;\t"
SPEED = ("speed_kmh", "speed_lowest_kmh", "speed_highest_kmh")
"""The columns of a speed; `roadside speeds --json` writes them without `speed_`."""
LONGEST_LINE = 1 << 20


def read_passages(path: Path, where: tzinfo) -> list[Passage]:
    """The passages of a file as `plates recent --csv`, `--xlsx` or `--json`, `run --json` and `speeds --json` write it.

    A column `truth`, where somebody added one, holds the true plate. Times without a zone are of `where`. Raises
    InputError, naming the line.
    """
    try:
        with as_text(path) as (text, _), text.open(encoding="utf-8-sig", newline="") as file:
            return list(parse_passages(file, str(path), where))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text in UTF-8, as Roadside writes it") from error
    except OSError as error:
        raise InputError(f"{path}: {reading_fault(error)}") from error
    except RegistryFileError as error:
        raise InputError(str(error)) from error


def parse_passages(file: TextIO, name: str, where: tzinfo) -> Iterator[Passage]:
    """As `read_passages`, of an open text."""
    first = file.readline(LONGEST_LINE)
    rows = _objects(first, file, name) if first.lstrip().startswith("{") else _rows(first, file, name)
    for line, row in rows:
        try:
            yield _passage(row, where)
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(f"{name}:{line}: {error}") from error


def _objects(first: str, file: TextIO, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    line, text = 1, first
    while text:
        if text.strip():
            try:
                held = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{name}:{line}: is no JSON object on one line") from error
            if not isinstance(held, dict):
                raise InputError(f"{name}:{line}: is no JSON object")
            yield line, held
        line, text = line + 1, file.readline(LONGEST_LINE)


def _rows(first: str, file: TextIO, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    separator = max(_SEPARATORS, key=first.count)
    header = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=separator), [])]
    if not set(_TIMES) & set(header):
        wanted = "`roadside plates recent --csv` writes such a file, and `--json` objects"
        raise InputError(f"{name}: has no column last_seen in its first line; {wanted}")
    reader = csv.reader(file, delimiter=separator)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num + 1, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise InputError(f"{name}:{reader.line_num + 1}: {error}") from error


def _passage(row: Mapping[str, Any], where: tzinfo) -> Passage:
    at = next((row[name] for name in _TIMES if row.get(name)), None)
    if not isinstance(at, str):
        raise ValueError("has no last_seen")  # noqa: TRY004 - one kind for all that a row may lack
    told = datetime.fromisoformat(at)
    moment = told if told.tzinfo is not None else told.replace(tzinfo=where)
    verdict, direction = row.get("verdict") or None, row.get("direction") or None
    return Passage(
        at_ns=int(moment.timestamp() * 1000) * 10**6,
        camera=str(row.get("camera") or row.get("section") or "camera"),
        direction=None if direction is None else Direction(direction),
        verdict=None if verdict in (None, VerdictKind.NONE) else VerdictKind(verdict),
        confidence=_number(row, "confidence", 1.0),
        right=_right(row),
        speed=_speed(row),
    )


def _right(row: Mapping[str, Any]) -> bool | None:
    truth, plate = row.get("truth"), row.get("plate")
    if not truth or not plate:
        return None
    return fold(normalise(str(truth))) == fold(normalise(str(plate)))


def _number(row: Mapping[str, Any], name: str, most: float) -> float | None:
    told = row.get(name)
    if told is None or told == "":
        return None
    number = float(told)
    if not 0.0 <= number <= most:
        raise ValueError(f"{name} is {told}")
    return number


def _speed(row: Mapping[str, Any]) -> AverageSpeed | None:
    held = row.get("speed")
    if isinstance(held, dict):
        row = held
    kmh, lowest, highest = (
        _number(row, name if row.get(name) is not None else name.removeprefix("speed_"), 1000.0) for name in SPEED
    )
    if kmh is None or not kmh:
        return None
    lowest, highest = kmh if lowest is None else lowest, kmh if highest is None else highest
    if not (0 < lowest <= kmh <= highest and math.isfinite(highest)):
        raise ValueError(f"a speed of {kmh} km/h does not lie between {lowest} and {highest}")
    return AverageSpeed(kmh, lowest, highest)
