"""Renders the pool of plates that the reader trains on beside real crops; runs beside the training."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.command import answer
from models.ocr import config as settings
from models.ocr.dataset import Plate, RenderedPlates, write_batch
from models.synth import formats
from models.synth.plates import Options, render_sample
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator

FIRST_BATCH_TIMEOUT_S = 600.0


def render(
    rng: Generator,
    countries: Sequence[str],
    two_lines: float = 0.08,
    three_lines: float = 0.0,
    weights: Mapping[str, float] = formats.DEFAULT_WEIGHTS,
) -> Plate:
    """A rendered plate in grey, its country by `weights`; one that the reader does not know is its last, "other"."""
    sample = render_sample(rng, Options(weights, two_lines, three_lines))
    country = list(countries).index(sample.country) if sample.country in countries else len(countries) - 1
    grey = np.asarray(cv2.cvtColor(sample.image, cv2.COLOR_BGR2GRAY), np.uint8)
    split = 0.5 if sample.row_split is None else sample.row_split
    return Plate(grey, sample.corners.astype(np.float32), sample.text, country, sample.lines, split)


def fill(folder: Path, config: settings.ReaderConfig) -> None:
    """Writes the batches that `folder` does not hold yet; the same settings give the same plates."""
    cv2.setNumThreads(1)
    for number in range(config.rendered.batches):
        path = folder / f"plates_{number:04d}.npz"
        if not path.exists():
            rng = np.random.default_rng([config.rendered.seed, number])
            shares = (config.rendered.two_lines, config.rendered.three_lines)
            write_batch(path, [render(rng, config.countries, *shares) for _ in range(config.rendered.batch_plates)])


@contextlib.contextmanager
def rendering(folder: Path, config_path: Path) -> Iterator[RenderedPlates]:
    """The pool of rendered plates, filled by a second process as long as the training runs.

    Raises:
        ModelError: the first batch did not come.

    """
    folder.mkdir(parents=True, exist_ok=True)
    renderer = subprocess.Popen(
        [sys.executable, "-m", "models.ocr.pool", "--out", str(folder), "--config", str(config_path)]
    )
    try:
        pool = RenderedPlates(folder)
        begun = time.monotonic()
        while not len(pool):
            pool.refresh()
            if renderer.poll() not in {None, 0} or time.monotonic() - begun > FIRST_BATCH_TIMEOUT_S:
                raise ModelError("The plates to train on could not be rendered; run models.ocr.pool to see why")
            time.sleep(0 if len(pool) else 0.5)
        yield pool
    finally:
        renderer.terminate()
        renderer.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.ocr.pool"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    chosen = parser.parse_args(arguments)
    return answer(prog, lambda: fill(chosen.out, settings.load(chosen.config)))


if __name__ == "__main__":
    raise SystemExit(main())
