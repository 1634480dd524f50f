"""Boxes: how much they overlap, which of them are the same plate, and the tiles of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.frames import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.frames import Detection


def area(box: Box) -> float:
    """Square pixels; 0 for a box turned inside out."""
    return max(0.0, box.width) * max(0.0, box.height)


def intersection(a: Box, b: Box) -> float:
    """Square pixels that both cover."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    return max(0.0, width) * max(0.0, height)


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1; 0 where both are empty."""
    common = intersection(a, b)
    union = area(a) + area(b) - common
    return min(1.0, common / union) if union > 0 else 0.0


def inside(a: Box, b: Box) -> float:
    """The share of the smaller box that the larger one covers, 0 to 1."""
    smaller = min(area(a), area(b))
    return min(1.0, intersection(a, b) / smaller) if smaller > 0 else 0.0


def clip(box: Box, width: float, height: float) -> Box | None:
    """The part of `box` in a picture of `width` x `height` pixels; None where less than a pixel is left."""
    clipped = Box(
        min(max(box.x1, 0.0), width),
        min(max(box.y1, 0.0), height),
        min(max(box.x2, 0.0), width),
        min(max(box.y2, 0.0), height),
    )
    return clipped if clipped.width >= 1 and clipped.height >= 1 else None


def shift(box: Box, dx: float, dy: float) -> Box:
    """`box` moved by (dx, dy) pixels."""
    return Box(box.x1 + dx, box.y1 + dy, box.x2 + dx, box.y2 + dy)


def suppress(
    detections: Sequence[Detection], iou_threshold: float, inside_threshold: float = 1.1
) -> tuple[Detection, ...]:
    """Non-maximum suppression: of detections that are the same plate the best is kept, best score first.

    Two are the same where they overlap by more than `iou_threshold`, or where the one lies in the other by
    more than `inside_threshold`: the half of a plate that the edge of a tile cut off has a small IoU with
    the whole plate but lies in it. Equal scores keep the larger box.
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
    """`across` x `down` equal windows in whole pixels that cover a picture, row by row.

    Neighbours share `overlap` (0 to under 1) of a window's side, so that a plate on a seam is whole in one
    of them as long as it is smaller than that share.
    """
    columns = _spans(width, across, overlap)
    return tuple(Box(x1, y1, x2, y2) for y1, y2 in _spans(height, down, overlap) for x1, x2 in columns)


def _spans(length: int, count: int, overlap: float) -> list[tuple[int, int]]:
    side = length / (count - (count - 1) * overlap)
    step = side * (1 - overlap)
    return [(int(i * step), length if i == count - 1 else min(length, round(i * step + side))) for i in range(count)]
