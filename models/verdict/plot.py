"""A scatter plot on a logarithmic axis, drawn with Pillow: one picture needs no plotting library."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WIDTH, HEIGHT = 1200, 760
LEFT, RIGHT, TOP, BOTTOM = 120, 40, 70, 90
COLOURS = ("#1b6ca8", "#c0392b", "#7d3c98", "#b9770e")
LOWEST = 0.05
"""Where nothing was counted: the axis is logarithmic."""


def draw(path: Path, curves: Mapping[str, Sequence[tuple[float, float]]], paid: int) -> None:
    """Write the plot: share of unpaid found to the right, false accusations per million paid passages upwards."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    font, small = ImageFont.load_default(22), ImageFont.load_default(17)
    highest = 10 ** math.ceil(math.log10(max(10.0, *(y for points in curves.values() for _, y in points))))

    def place(x: float, y: float) -> tuple[float, float]:
        share = math.log(max(y, LOWEST) / LOWEST) / math.log(highest / LOWEST)
        return LEFT + x * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    for tenth in range(0, 11, 2):
        x, y = place(tenth / 10, LOWEST)
        pen.line((x, TOP, x, y), "#e5e5e5")
        pen.text((x, y + 10), f"{tenth * 10} %", "black", small, "ma")
    for power in range(-1, round(math.log10(highest)) + 1):
        x, y = place(0, 10**power)
        pen.line((x, y, WIDTH - RIGHT, y), "#c0392b" if power == 0 else "#e5e5e5", 2 if power == 0 else 1)
        pen.text((x - 10, y), f"{10**power:g}", "black", small, "rm")
    pen.text((WIDTH / 2, 14), f"False accusations per million paid passages ({paid:,} simulated)", "black", font, "ma")
    pen.text((WIDTH / 2, HEIGHT - 34), "unpaid passages that were found", "black", font, "ma")
    for row, (name, points) in enumerate(curves.items()):
        colour = COLOURS[row]
        spots = [place(*point) for point in points]
        if len(spots) > 1:
            pen.line([c for spot in spots for c in spot], colour, 3)
        for x, y in spots:
            pen.ellipse((x - 7, y - 7, x + 7, y + 7), colour)
        pen.ellipse((LEFT + 20, TOP + 14 + 28 * row, LEFT + 34, TOP + 28 + 28 * row), colour)
        pen.text((LEFT + 44, TOP + 21 + 28 * row), name, "black", small, "lm")
    image.save(path, optimize=True)
