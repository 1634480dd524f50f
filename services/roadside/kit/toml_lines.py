"""Finds the line of a TOML file in which a key stands, for those who must mend it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The number, from 1, of the line that says most of `path`, keys one inside the other; None where none does.

    What stands inside a value is found by the line on which its key stands. Tables of an array have numbers from 0.
    """
    wanted = tuple(map(str, path))
    best, found = 0, None
    table: tuple[str, ...] = ()
    arrays: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            table = _parts(header[1])
            if line.lstrip().startswith("[["):
                arrays[table] += 1
                table = (*table, str(arrays[table] - 1))
            elif arrays[table[:1]]:  # a table inside of an array's last one
                table = (table[0], str(arrays[table[:1]] - 1), *table[1:])
            here = table
        elif key := _KEY.match(line):
            here = (*table, *_parts(key[1]))
        else:
            continue
        if len(here) > best and here == wanted[: len(here)]:
            best, found = len(here), number
    return found


def place_of(text: str, path: Sequence[str | int]) -> str:
    """The line in which `path` stands, as the beginning of a sentence; empty where there is none."""
    line = line_of(text, path)
    return "" if line is None else f"line {line}: "


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
