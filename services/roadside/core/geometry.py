"""Boxes: areas, overlaps, non-maximum suppression, and the tiles of a picture. All of them in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.frames import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.frames import Detection


def area(box: Box) -> float:
    """The area of a box in square pixels; 0 if a side of it is negative."""
    return max(0.0, box.width) * max(0.0, box.height)


def intersection(a: Box, b: Box) -> float:
    """The area, in square pixels, that both boxes cover; 0 if they do not meet."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    return max(0.0, width) * max(0.0, height)


def iou(a: Box, b: Box) -> float:
    """Intersection over union (Jaccard index) of two boxes, 0 to 1; 0 if both are empty."""
    common = intersection(a, b)
    union = area(a) + area(b) - common
    return min(1.0, common / union) if union > 0 else 0.0


def inside(a: Box, b: Box) -> float:
    """The share of the smaller box's area that lies in the larger one, 0 to 1; 0 if the smaller is empty."""
    smaller = min(area(a), area(b))
    return min(1.0, intersection(a, b) / smaller) if smaller > 0 else 0.0


def clip(box: Box, width: float, height: float) -> Box | None:
    """The part of `box` inside a picture of `width` x `height` pixels; None if less than a pixel wide or high."""
    clipped = Box(
        min(max(box.x1, 0.0), width),
        min(max(box.y1, 0.0), height),
        min(max(box.x2, 0.0), width),
        min(max(box.y2, 0.0), height),
    )
    return clipped if clipped.width >= 1 and clipped.height >= 1 else None


def shift(box: Box, dx: float, dy: float) -> Box:
    """`box` moved by `dx` pixels to the right and `dy` pixels down."""
    return Box(box.x1 + dx, box.y1 + dy, box.x2 + dx, box.y2 + dy)


def suppress(
    detections: Sequence[Detection], iou_threshold: float, inside_threshold: float = 1.1
) -> tuple[Detection, ...]:
    """Non-maximum suppression: of the detections of one plate only the best is kept; best score first.

    Two detections are of one plate if their IoU is over `iou_threshold`, or if the smaller lies in the larger by a
    share of more than `inside_threshold` (over 1: never). The second rule is for tiles: half a plate, cut off by the
    edge of a tile, has a small IoU with the whole plate but lies in it. Of equal scores the larger box is kept.
    """
    kept: list[Detection] = []
    for candidate in sorted(detections, key=lambda d: (-d.score, -area(d.box))):
        if not any(
            iou(candidate.box, other.box) > iou_threshold or inside(candidate.box, other.box) > inside_threshold
            for other in kept
        ):
            kept.append(candidate)
    return tuple(kept)


def tiles(width: int, height: int, across: int, down: int, overlap: float) -> tuple[Box, ...]:
    """Equal windows in whole pixels that cover a picture of `width` x `height` pixels: row by row, `across` in each.

    Neighbours overlap by the share `overlap` (0 to below 1) of a window's side, so that a plate on a seam is whole in
    one of them if it is smaller than the overlap.
    """
    columns = _spans(width, across, overlap)
    return tuple(Box(x1, y1, x2, y2) for y1, y2 in _spans(height, down, overlap) for x1, x2 in columns)


def _spans(length: int, count: int, overlap: float) -> list[tuple[int, int]]:
    side = length / (count - (count - 1) * overlap)
    step = side * (1 - overlap)
    return [(int(i * step), length if i == count - 1 else min(length, round(i * step + side))) for i in range(count)]
