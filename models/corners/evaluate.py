"""How far the corner net's corners lie from the plate's, against the box alone."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.command import add_labels, answer, tell
from models.corners import config as settings
from models.corners.dataset import held_out_real, held_out_rendered, plate_height
from models.data.photographs import read_labels
from models.ocr import config as reader
from models.ocr.crops import read_crops
from roadside.core.rectify import box_corners
from roadside.vision import open_corner_finder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from models.corners.config import CornersConfig
    from models.corners.dataset import View
    from roadside.vision import CornerFinder

    Find = Callable[[View], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of corners in plate heights."""

    mean: float
    """Distance of a corner from where it should be."""
    ninetieth: float
    """Distance that nine of ten corners keep within."""
    coordinate: float
    """Mean difference of a single coordinate, which is what the training's loss is of."""
    count: int
    """Plates."""


def errors(found: Sequence[NDArray[np.float32]], views: Sequence[View]) -> Errors:
    """The errors of the corners `found`, (4, 2) each, in `views`."""
    parts = [(mine - view.corners) / plate_height(view.corners) for mine, view in zip(found, views, strict=True)]
    away = np.stack(parts)
    distances = np.linalg.norm(away, axis=-1)
    return Errors(float(distances.mean()), float(np.quantile(distances, 0.9)), float(np.abs(away).mean()), len(views))


def by_box(view: View) -> NDArray[np.float32]:
    """The box's own corners, which is what counts where there is no corner net."""
    box = view.box
    return box_corners(box.x1, box.y1, box.x2, box.y2)


def by_finder(finder: CornerFinder) -> Find:
    """What the product takes for the corners: the net's, or the box's where the net's are implausible."""

    def find(view: View) -> NDArray[np.float32]:
        image = np.asarray(cv2.cvtColor(view.grey, cv2.COLOR_GRAY2BGR), np.uint8)
        corners = finder.find(image, view.box)
        return by_box(view) if corners is None else np.array(corners, np.float32)

    return find


def held_out(data: Path | None, labels: Path | None, config: CornersConfig) -> dict[str, list[View]]:
    """The plates that are measured on, by set; rendered ones alone where there is no `data`.

    Raises:
        RoadsideError: `data` or `labels` cannot be used.

    """
    groups = {"rendered": held_out_rendered(config)}
    if data is not None:
        views = held_out_real(read_crops(data, read_labels(labels), reader.load().countries), config)
        if views:
            groups["photographed from the front, warped"] = views
    return groups


def figures(groups: Mapping[str, Sequence[View]], finders: Mapping[str, Find]) -> str:
    """A Markdown table."""
    lines = [
        "| plates | number | corners by | mean error | nine of ten within | mean of one coordinate |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for group, views in groups.items():
        for name, find in finders.items():
            one = errors([find(view) for view in views], views)
            lines.append(
                f"| {group} | {one.count} | {name} | {one.mean:.3f} | {one.ninetieth:.3f} | {one.coordinate:.3f} |"
            )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.corners.evaluate"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("--data", type=Path, help="photographs to measure on besides rendered plates")
    add_labels(parser)
    parser.add_argument("--modeldir", type=Path, default=Path("models/shipped/detector"), help="of the corner net")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--out", type=Path, help="a Markdown file for the figures")
    chosen = parser.parse_args(arguments)
    cv2.setNumThreads(1)

    def work() -> None:
        finders: dict[str, Find] = {"box": by_box}
        for runtime in ("litert", "tflite-runtime"):
            finders[f"net, {runtime}"] = by_finder(open_corner_finder(chosen.modeldir, runtime=runtime))
        tell(figures(held_out(chosen.data, chosen.labels, settings.load(chosen.config)), finders), chosen.out)

    return answer(prog, work)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    raise SystemExit(main())
