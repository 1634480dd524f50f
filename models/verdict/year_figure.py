"""`python -m models.verdict.year_figure YEAR.json OUT.png`: what a simulated year showed, drawn with Pillow."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from models.verdict.bounds import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, TOP, BOTTOM, LEFT, GAP = 1200, 520, 70, 60, 80, 110
SHARES = (("clean paid", "REVIEW", "#b9770e"), ("paid", "REVIEW", "#7d3c98"), ("clean unpaid", "UNPAID", "#1b6ca8"))
RED, GREY = "#c0392b", "#e5e5e5"


def draw(years: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Left false UNPAID per million, right shares; `years` are as `models.verdict.year.Kept` writes them."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    font, small = ImageFont.load_default(20), ImageFont.load_default(16)
    half = (WIDTH - 2 * LEFT - GAP) // 2
    rates = [
        [n * 1e6 for n in (false / y["passages"], clopper_pearson(false, y["passages"])[1])]
        for y in years
        for false in (sum(count for *_, count in y["accused"]),)
    ]
    highest = max(2.0, *(most for _, most in rates))
    pen.text((LEFT, 14), "false UNPAID per million paid passages, at most (95 %)", "black", font)
    pen.text((LEFT + half + GAP, 14), "shares of passages told of", "black", font)
    for place, (year, (rate, most)) in enumerate(zip(years, rates, strict=True)):
        label = f"{year['vignettes'] / 1e6:.1f} M"
        for start in (LEFT, LEFT + half + GAP):
            pen.text((_across(start, half, place, len(years)), HEIGHT - BOTTOM + 12), label, "black", small, "ma")
        x = _across(LEFT, half, place, len(years))
        pen.line((x, _up(most / highest), x, _up(0)), GREY, 26)
        pen.line((x, _up(rate / highest), x, _up(0)), RED, 26)
        pen.text((x, _up(most / highest) - 22), f"{rate:.2f} (< {most:.2f})", "black", small, "ma")
    for row, (who, kind, colour) in enumerate(SHARES):
        said = [y["said"][who] for y in years]
        values = [s.get(kind, 0) / max(1, sum(s.values())) for s in said]
        spots = [
            (_across(LEFT + half + GAP, half, place, len(years)), _up(value)) for place, value in enumerate(values)
        ]
        pen.line([c for spot in spots for c in spot], colour, 3)
        for (x, y), value in zip(spots, values, strict=True):
            pen.ellipse((x - 6, y - 6, x + 6, y + 6), colour)
            pen.text((x, y - 24), f"{value:.1%}", colour, small, "ma")
        pen.text((WIDTH - LEFT, TOP + 24 * row), f"{kind} of {who}", colour, small, "ra")
    image.save(path, optimize=True)


def _across(start: int, width: int, place: int, count: int) -> float:
    return start + width * (place + 0.5) / count


def _up(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM - 30)


if __name__ == "__main__":
    draw(list(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")).values()), Path(sys.argv[2]))
