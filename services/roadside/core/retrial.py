"""What another view of a camera would have made of the plates that were found a moment ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roadside.core.frames import Box
    from roadside.core.outline import Direction, Point
    from roadside.core.view import View


@dataclass(frozen=True, slots=True)
class Found:
    """A plate that was found in one frame."""

    at_ns: int
    box: Box
    size: tuple[int, int]
    """Width and height of the frame in pixels, as it is looked at."""
    text: str = ""
    """What was read; empty where it was not read, or is not known well."""


@dataclass(frozen=True, slots=True)
class Retrial:
    """How many of the plates that were found a view would have read."""

    read: int
    outside: int
    """Of zones."""
    masked: int
    narrow: int
    texts: tuple[str, ...]
    """Those read, each once, in the order of their first frame."""
    crossings: tuple[tuple[str, Direction], ...]
    """Which way the plates that were read crossed the line."""

    @property
    def found(self) -> int:
        """All of them."""
        return self.read + self.outside + self.masked + self.narrow


def retry(view: View, found: Iterable[Found]) -> Retrial:
    """What `view`, of pictures turned and flipped as those were, would have made of `found`, in the order of frames."""
    counts = {"read": 0, "outside": 0, "masked": 0, "narrow": 0}
    paths: dict[str, list[Point]] = {}
    for each in found:
        fate = _fate(view, each)
        counts[fate] += 1
        if fate == "read" and each.text:
            paths.setdefault(each.text, []).append(_centre(each))
    crossings = []
    if view.line is not None:
        crossings = [(text, way) for text, path in paths.items() if (way := view.line.crossed(path)) is not None]
    return Retrial(**counts, texts=tuple(paths), crossings=tuple(crossings))


def _fate(view: View, found: Found) -> str:
    if any(mask.holds(_centre(found)) for mask in view.masks):
        return "masked"
    if found.box.width < view.least_width_px:
        return "narrow"
    return "read" if view.reads(found.box, found.size) else "outside"


def _centre(found: Found) -> Point:
    box, (width, height) = found.box, found.size
    return (box.x1 + box.x2) / 2 / width, (box.y1 + box.y2) / 2 / height
