"""Plots drawn with OpenCV, so that the evaluation needs no package that reading plates does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

COLOURS = ((180, 90, 20), (30, 110, 220), (60, 150, 60), (140, 60, 150), (90, 90, 90), (40, 180, 190))
FONT, SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.48
_LEFT, _TOP, _WIDE, _HIGH = 70, 56, 560, 380
_LEGEND_BOTTOM = _TOP + round(0.7 * _HIGH)


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a plot; x and y from 0 to 1."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def plot(path: Path, title: str, axes: tuple[str, str], curves: Sequence[Curve], x_most: float = 1.0) -> None:
    """Write the `curves` as a PNG; `x_most` is the right end of the x axis."""
    canvas = _frame(title, axes, x_most)
    longest = max((cv2.getTextSize(curve.name, FONT, SCALE, 1)[0][0] for curve in curves), default=0)
    legend = _LEFT + _WIDE - max(250, longest + 8)
    for i, curve in enumerate(curves):
        colour = COLOURS[i % len(COLOURS)]
        points = np.array([_place(x / x_most, y) for x, y in zip(curve.x, curve.y, strict=True)], np.int32)
        cv2.polylines(canvas, [points], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA)
        for point in points if len(points) <= 24 else ():
            cv2.circle(canvas, (int(point[0]), int(point[1])), 4, colour, -1, cv2.LINE_AA)
        _write(canvas, curve.name, (legend, _LEGEND_BOTTOM - 20 * (len(curves) - 1 - i)), colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), canvas)


def _frame(title: str, axes: tuple[str, str], x_most: float) -> NDArray[np.uint8]:
    canvas = np.full((_TOP + _HIGH + 60, _LEFT + _WIDE + 30, 3), 255, np.uint8)
    for step in range(6):
        at = step / 5
        left, bottom = _place(at, 0.0), _place(0.0, at)
        cv2.line(canvas, left, _place(at, 1.0), (225, 225, 225), 1)
        cv2.line(canvas, bottom, _place(1.0, at), (225, 225, 225), 1)
        _write(canvas, f"{at * x_most:.2g}", (left[0] - 10, left[1] + 20))
        _write(canvas, f"{at:.1f}", (bottom[0] - 34, bottom[1] + 5))
    cv2.rectangle(canvas, _place(0, 1), _place(1, 0), (90, 90, 90), 1)
    _write(canvas, title, (_LEFT, 24), scale=0.6)
    _write(canvas, axes[0], (_LEFT + _WIDE // 2 - 80, _TOP + _HIGH + 48))
    _write(canvas, axes[1], (4, _TOP - 10))
    return canvas


def _place(x: float, y: float) -> tuple[int, int]:
    return round(_LEFT + x * _WIDE), round(_TOP + (1 - y) * _HIGH)


def _write(
    canvas: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    colour: tuple[int, int, int] = (60, 60, 60),
    scale: float = SCALE,
) -> None:
    cv2.putText(canvas, text, at, FONT, scale, colour, 1, cv2.LINE_AA)
