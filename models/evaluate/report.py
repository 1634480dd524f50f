"""The report: tables that read well in a terminal and in docs/accuracy.md, each part in its own marked section."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEADING = """# How well Roadside sees and reads

Written by `make evaluate` from real photographs that none of the shipped weights were trained on; change no
figure by hand. Photographs: `ROADSIDE_DATA` (see docs/train-your-own.md). *Folded* counts O, Q and 0 as one
character and I and 1 as another, for plates draw them alike; *exact* does not.
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Figures in rows; the first column is text, the others are shown as they are."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def markdown(self) -> str:
        """A GitHub table under its title, columns padded so that it can be read unrendered."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        rule = [":" + "-" * (w + 1) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)]
        text = [f"### {self.title}", "", _line(self.columns, widths), "|" + "|".join(rule) + "|"]
        text += [_line(row, widths) for row in self.rows]
        if self.note:
            text += ["", self.note]
        return "\n".join(text)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the evaluation."""

    name: str
    title: str
    tables: tuple[Table, ...]
    pictures: tuple[str, ...] = ()
    """File names beside the report."""
    notes: tuple[str, ...] = ()

    def markdown(self, measured: str) -> str:
        """The section between its marks; `measured` says when and on what."""
        blocks = [f"<!-- {self.name} -->", f"## {self.title}", f"*{measured}*"]
        blocks += [table.markdown() for table in self.tables]
        blocks += [f"![{name}]({name})" for name in self.pictures]
        blocks += list(self.notes)
        return "\n\n".join([*blocks, f"<!-- end {self.name} -->"])


def share(value: float) -> str:
    """A share as it stands in a table: 0.974, or - for none."""
    return "-" if value != value else f"{value:.3f}"  # noqa: PLR0124 - nan differs from itself


def milliseconds(value: float) -> str:
    """A time as it stands in a table."""
    return "-" if value != value else f"{value:.1f}"  # noqa: PLR0124


def write(path: Path, sections: Sequence[Section], measured: str) -> None:
    """Put `sections` into the report at `path`, each in the place of its former self, new ones at the end."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = re.findall(r"<!-- (\w+) -->.*?<!-- end \1 -->", text, re.DOTALL)
    blocks = {name: _former(text, name) for name in kept}
    blocks.update({section.name: section.markdown(measured) for section in sections})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADING + "\n" + "\n\n".join(blocks.values()) + "\n", encoding="utf-8")


def _former(text: str, name: str) -> str:
    found = re.search(rf"<!-- {name} -->.*?<!-- end {name} -->", text, re.DOTALL)
    return found.group(0) if found else ""


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "| " + " | ".join(padded) + " |"
