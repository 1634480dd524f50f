"""Sheets of rendered plates, alone or beside real crops, to judge the renderer by eye."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from models.command import answer
from models.synth import formats
from models.synth.plates import Options, render_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

Bgr = NDArray[np.uint8]

_CELL = (240, 100)


def sheet(rng: Generator, options: Options, rows: int, columns: int, *, marked: bool = False) -> Bgr:
    """A grid of rendered samples; `marked` draws their corners and texts."""
    cells = []
    for _ in range(rows * columns):
        drawn = render_sample(rng, options)
        image = drawn.image
        if marked:
            image = image.copy()
            cv2.polylines(image, [np.round(drawn.corners).astype(np.int32)], True, (0, 0, 255), 1)
        cell = _cell(image)
        if marked:
            cv2.putText(
                cell, f"{drawn.country} {drawn.text}", (2, _CELL[1] - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 0), 1
            )
        cells.append(cell)
    return _grid(cells, columns)


def comparison(rng: Generator, options: Options, data: Path, region: str, rows: int) -> Bgr:
    """Real crops (columns 1, 3, 5) beside rendered ones (2, 4, 6) cut with the same 15 % margin.

    `data` holds crops.tsv with the columns path, region, source, x1, y1, x2, y2.
    """
    with (data / "crops.tsv").open() as file:
        found = [r for r in csv.DictReader(file, delimiter="\t") if region in (r["region"], r["source"])]
    chosen = rng.permutation(len(found))
    cells: list[Bgr] = []
    for index in range(rows * 3):
        real = cv2.imread(str(data / found[chosen[index % len(found)]]["path"])) if found else None
        cells.append(_cell(np.zeros((8, 8, 3), np.uint8) if real is None else np.asarray(real, np.uint8)))
        drawn = render_sample(rng, options)
        low, high = drawn.corners.min(axis=0), drawn.corners.max(axis=0)
        margin = 0.15 * (high - low)
        x0, y0 = np.maximum(low - margin, 0).astype(int)
        x1, y1 = (high + margin).astype(int)
        cells.append(_cell(drawn.image[y0:y1, x0:x1]))
    return _grid(cells, 6)


def _cell(image: Bgr) -> Bgr:
    scale = min(_CELL[0] / image.shape[1], _CELL[1] / image.shape[0])
    kernel = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    fitted = cv2.resize(image, None, fx=scale, fy=scale, interpolation=kernel)[: _CELL[1], : _CELL[0]]
    cell = np.zeros((_CELL[1] + 2, _CELL[0] + 2, 3), np.uint8)
    cell[: fitted.shape[0], : fitted.shape[1]] = fitted
    return cell


def _grid(cells: Sequence[Bgr], columns: int) -> Bgr:
    return np.vstack([np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a sheet of rendered plates, or with --data one of real and rendered crops in turn."""
    prog = "models.synth.contact_sheets"
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("--sheet", type=Path, required=True, help="the picture to write")
    parser.add_argument("--data", type=Path, help="a folder with crops.tsv: real crops beside rendered ones")
    parser.add_argument("--region", default="UK", help="region or source of the real crops")
    parser.add_argument(
        "--country", action="append", choices=sorted(formats.DEFAULT_WEIGHTS), help="render these countries only"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=12)
    parser.add_argument("--hardness", type=float, default=1.0)
    parser.add_argument("--marked", action="store_true", help="draw corners and texts")
    chosen = parser.parse_args(arguments)

    def work() -> None:
        rng = np.random.default_rng(chosen.seed)
        weights = dict.fromkeys(chosen.country, 1.0) if chosen.country else formats.DEFAULT_WEIGHTS
        options = Options(weights=weights, hardness=chosen.hardness)
        if chosen.data:
            picture = comparison(rng, options, chosen.data, chosen.region, chosen.rows)
        else:
            picture = sheet(rng, options, chosen.rows, 5, marked=chosen.marked)
        if not cv2.imwrite(str(chosen.sheet), picture):
            raise OSError(f"cannot write {chosen.sheet}")

    return answer(prog, work)


if __name__ == "__main__":
    raise SystemExit(main())
