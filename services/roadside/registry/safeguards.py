"""When a list may not replace the registry: it must never forget in silence who paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roadside.registry.vignette_file import BadRow

_MOST_ROWS = 3


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """What a replacement may lose without being told to."""

    rejected: float = 0.01
    """Share of a file's rows that cannot be read."""
    removed: float = 0.2
    """Share of what the registry holds that would be gone."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a file would do to the registry, before it does."""

    held: int
    """Entries there are."""
    lost: int
    """Of those, how many have no successor that is valid as long for the same plate and country."""
    read: int
    """Rows of the file that could be read."""
    rejected: int
    """Those that could not; empty rows do not count."""
    known: Sequence[BadRow] = ()
    """Of the rejected ones the first few of plates that are in the registry..."""
    known_count: int = 0
    unsure: Sequence[BadRow] = ()
    """... and of those of which not even the plate is sure."""
    unsure_count: int = 0
    cut: bool = False
    """Whether the file ends within a row."""
    unended: bool = False
    """Whether its last line has no end, and is not an entry that the registry holds as it is."""

    def with_rows(self, read: int, rejected: int) -> Replacement:
        """The same of a file with so many rows."""
        return replace(self, read=read, rejected=rejected)


def objections(replacement: Replacement, limits: ImportLimits) -> tuple[str, ...]:
    """Why the registry must not be replaced so, each a clause for a person; none where it may."""
    return tuple(_objections(replacement, limits))


def _objections(r: Replacement, limits: ImportLimits) -> Iterator[str]:
    if not r.read:
        yield "it holds no row that can be read"
    if r.known_count:
        yield f"plates that are in the registry cannot be read in it any more ({_rows(r.known, r.known_count)})"
    if r.unsure_count and r.lost:
        yield (
            f"rows without a readable plate ({_rows(r.unsure, r.unsure_count)}) may be among the {r.lost} entries that "
            "would be lost"
        )
    if r.cut:
        yield "it ends within a row, as a file that was cut"
    if r.unended and r.lost:
        yield f"its last line has no end, as if the file was cut there, and {r.lost} entries would be lost"
    rows = r.read + r.rejected
    if r.rejected > limits.rejected * rows:
        share = f"{_share(r.rejected, rows)}, more than {limits.rejected:.2%}"
        yield f"{r.rejected} of its {rows} rows cannot be read ({share})"
    if r.lost > limits.removed * r.held:
        yield f"{r.lost} of {r.held} entries would be lost ({_share(r.lost, r.held)}, more than {limits.removed:.2%})"


def _rows(rows: Sequence[BadRow], count: int) -> str:
    shown = "; ".join(f"line {row.line}: {row.reason}" for row in rows[:_MOST_ROWS])
    more = count - min(len(rows), _MOST_ROWS)
    return f"{shown}; and {more} more" if more else shown


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}"
