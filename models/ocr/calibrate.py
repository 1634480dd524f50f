"""The temperature that makes the reader's confidence a frequency, and the reliability plot that shows it."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.command import add_data, add_labels, answer
from models.data.photographs import read_labels
from models.evaluate.calibration import bins, expected_error
from models.ocr import config as settings
from models.ocr.crops import held_out_groups, read_crops
from models.ocr.placing import CORNERS, corner_finder, strip_of
from models.ocr.tflite import run_tflite
from roadside.core.ctc import compose, decode, softmax
from roadside.core.plates import fold
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Outputs = tuple[NDArray[np.float32], NDArray[np.float32]]
    """Character logits (columns, classes) and country logits (C,) of a strip."""

TEMPERATURES = tuple(float(value) for value in np.exp(np.linspace(np.log(0.5), np.log(4.0), 37)).round(3))
"""From 0.5 to 4, equally far apart in their logarithm."""
FEWEST_CROPS = 40
"""With fewer held-out crops no temperature can be chosen."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far confidence and frequency lie apart at one temperature."""

    temperature: float
    log_loss: float
    """Mean of -log of the probability given to what happened: the read is right, or it is not."""
    calibration_error: float
    """Expected calibration error over ten bins of equal width, weighed by their counts."""


def log_loss(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The mean negative log likelihood of `right` under `confidence`; both (N,)."""
    sure = np.clip(confidence, 1e-6, 1 - 1e-6)
    return float(-np.where(right, np.log(sure), np.log(1 - sure)).mean())


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The expected calibration error of N reads, over ten bins of equal width."""
    return expected_error(bins(confidence.tolist(), right.tolist()))


def confidences(
    outputs: Iterable[Outputs], texts: Sequence[str], countries: Sequence[str], temperature: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """For each of N strips: the product's confidence, and whether its text is right with O, Q = 0 and I = 1."""
    sure, right = [], []
    for (characters, told), text in zip(outputs, texts, strict=True):
        shares = sorted(zip(countries, softmax(told).tolist(), strict=True), key=lambda entry: -entry[1])
        read = compose(decode(characters, temperature), shares)
        sure.append(read.confidence)
        right.append(fold(read.text) == fold(text))
    return np.array(sure), np.array(right, bool)


def choose(
    confidence_at: Callable[[float], tuple[NDArray[np.float64], NDArray[np.bool_]]],
    temperatures: Sequence[float] = TEMPERATURES,
) -> Reliability:
    """The one of `temperatures` with the least log loss."""
    found = []
    for temperature in temperatures:
        sure, right = confidence_at(temperature)
        found.append(Reliability(temperature, log_loss(sure, right), calibration_error(sure, right)))
    return min(found, key=lambda one: one.log_loss)


def draw_reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_], out: Path, title: str) -> None:
    """A PNG of the share right over the confidence, with how many reads stand behind each point."""
    import matplotlib as mpl  # noqa: PLC0415  # only training has it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axis = plt.subplots(figsize=(4.2, 4))
    axis.plot([0, 1], [0, 1], "--", color="grey", linewidth=1)
    for one in bins(confidence.tolist(), right.tolist()):
        at = one.confidence, one.right
        axis.plot(*at, "o", color="tab:blue")
        axis.annotate(str(one.reads), at, textcoords="offset points", xytext=(5, -10), fontsize=8)
    axis.set(xlabel="confidence", ylabel="share right", title=title, xlim=(0, 1.02), ylim=(0, 1.02))
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)
    plt.close(figure)


def calibrate(data: Path, labels: Path | None, folder: Path, config: settings.ReaderConfig, plot: Path | None) -> float:
    """Finds the temperature of the reader in `folder` on held-out crops and writes it into its reader.json.

    Half of the crops, chosen by text, find it; the other half shows what it is worth.

    Raises:
        RoadsideError: the data or the reader cannot be used.

    """
    model = folder / "read.tflite"
    described = folder / "reader.json"
    if not model.is_file() or not described.is_file():
        raise ModelError(f"{folder} holds no exported reader")
    groups = held_out_groups(read_crops(data, read_labels(labels), config.countries))
    crops = sorted((crop for members in groups.values() for crop in members), key=lambda crop: (crop.text, crop.path))
    if len(crops) < FEWEST_CROPS:
        print(f"{folder.name}: {len(crops)} held-out crops with a text are too few to calibrate on; left as it is")
        return float(json.loads(described.read_text(encoding="utf-8"))["temperature"])
    finder = corner_finder(CORNERS)
    strips = [strip_of(crop, config.export.margin, finder) for crop in crops]
    characters, told, _ = run_tflite(model.read_bytes(), strips)
    order = {text: place for place, text in enumerate(sorted({fold(crop.text) for crop in crops}))}
    finding = np.array([order[fold(crop.text)] % 2 == 0 for crop in crops])
    texts = [crop.text for crop in crops]

    def half(chosen: NDArray[np.bool_], temperature: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        kept = [text for text, keep in zip(texts, chosen, strict=True) if keep]
        outputs = zip(characters[chosen], told[chosen], strict=True)
        return confidences(outputs, kept, config.countries, temperature)

    best = choose(lambda temperature: half(finding, temperature))
    for temperature in (1.0, best.temperature):
        sure, right = half(~finding, temperature)
        print(
            f"{folder.name}: temperature {temperature:.3f}: calibration error {calibration_error(sure, right):.3f}, "
            f"log loss {log_loss(sure, right):.3f}, {right.mean():.1%} right, of {(sure > 0.99).sum()} over 0.99 "
            f"{int((~right[sure > 0.99]).sum())} wrong ({len(right)} crops that did not choose it)",
            flush=True,
        )
    if plot is not None:
        draw_reliability(*half(~finding, best.temperature), plot, f"temperature {best.temperature:.2f}")
    content = json.loads(described.read_text(encoding="utf-8")) | {"temperature": best.temperature}
    described.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return best.temperature


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.ocr.calibrate"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    add_data(parser)
    add_labels(parser)
    parser.add_argument("--folder", type=Path, action="append", help="a folder of read.tflite and reader.json")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--plot", type=Path, help="a folder for the reliability plots")
    chosen = parser.parse_args(arguments)

    def work() -> None:
        config = settings.load(chosen.config)
        for folder in chosen.folder or (Path("models/shipped/reader"), Path("models/shipped/reader_int8")):
            plot = chosen.plot / f"reliability_{folder.name}.png" if chosen.plot else None
            calibrate(chosen.data, chosen.labels, folder, config, plot)

    return answer(prog, work)


if __name__ == "__main__":
    raise SystemExit(main())
