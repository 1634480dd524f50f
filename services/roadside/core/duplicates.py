"""Boxes of one frame that are one plate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.fusion import edit_distance, quality, worth
from roadside.core.geometry import inside
from roadside.core.motion import Place
from roadside.core.plates import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.reads import PlacedRead


@dataclass(frozen=True, slots=True)
class OnePlate:
    """The best read of a plate in one frame."""

    placed: PlacedRead
    others: tuple[str, ...]
    """Identities of the other reads of it: of boxes that were cut differently."""


def one_each(reads: Sequence[PlacedRead]) -> list[OnePlate]:
    """The `reads` of one frame, each plate once, in their order.

    A plate may be boxed twice, in the whole picture and in a part of it, and the boxes may hardly overlap. No plate
    covers half of another; those that say nearly the same are one where they touch, or stand as close as plates do
    nowhere.
    """
    kept: list[tuple[int, PlacedRead, list[str]]] = []
    ranked = sorted(enumerate(reads), key=lambda entry: -worth(quality(entry[1]), entry[1].read))
    for index, placed in ranked:
        same = next((others for _, other, others in kept if _one_plate(other, placed)), None)
        if same is None:
            kept.append((index, placed, []))
        else:
            same.append(placed.crop.identity)
    return [OnePlate(placed, tuple(others)) for _, placed, others in sorted(kept, key=lambda entry: entry[0])]


def _one_plate(a: PlacedRead, b: PlacedRead) -> bool:
    box, other = a.crop.detection.box, b.crop.detection.box
    covered = inside(box, other)
    if covered > 0.5:
        return True
    same = alike(fold(a.read.text), fold(b.read.text))
    near = Place.of(box).distance(Place.of(other)) < 1
    return same >= 0.6 and (covered > 0 or (near and same == 1))


def alike(a: str, b: str) -> float:
    """1 less the edits a character between two folded texts; 0.5 where one of them is empty."""
    return 1 - edit_distance(a, b) / max(len(a), len(b)) if a and b else 0.5
