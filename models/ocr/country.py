"""Trains the part of the reader that tells countries, alone: what it reads stays as it was, to the last bit.

A country's plates are known by their bands, faces and spacing, which the net sees already. Only the layers behind its
columns are trained: on strips of rendered plates of all countries, as many of each, and of real ones.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as fn

from models.command import add_data, add_labels, answer
from models.data.photographs import read_labels
from models.ocr import config as settings
from models.ocr.crops import read_crops, read_grey
from models.ocr.dataset import RealPlates, degraded_plate, read_batch, write_batch
from models.ocr.network import ReaderNet, load_body, strips_to_tensor
from models.ocr.placing import CORNERS, centred, corner_finder
from models.ocr.pool import render
from models.synth import formats
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.ocr.config import ReaderConfig
    from models.ocr.crops import Crop
    from models.ocr.dataset import Plate

TOGETHER = 64
"""Strips that the net sees at once."""
BATCH = 512
MILD, HARD = 0.5, 0.25
"""Shares of strips that are hardly spoilt, and that may be made harder first."""
REAL = 0.4
"""Share of real plates in a batch; the countries among them by the root of their number."""
OTHER = 0.25
"""The weight of plates of no country that the net knows; that of the others is `formats.DEFAULT_WEIGHTS`."""
DROPOUT = 0.3
"""Rendered plates are not quite like real ones: with 0.1 it named 37 to 45 of 75 Hungarian plates, with this 56."""
SMOOTHING = 0.02
RATE = 4e-3
DECAY = 0.05


@dataclass(frozen=True, slots=True)
class Examples:
    """What the layers are trained on."""

    summaries: torch.Tensor
    """(N, channels) float16: `ReaderNet.summary` of each strip."""
    countries: NDArray[np.int64]
    """(N,): their places among the settings' countries."""


def rendered_plates(folder: Path, config: ReaderConfig, each: int, two_lines: float = 0.05) -> list[Plate]:
    """`each` rendered plates of every country, kept in `folder`: a batch of it that is there is not drawn again."""
    others = {name: share for name, share in formats.DEFAULT_WEIGHTS.items() if name not in config.countries}
    plates: list[Plate] = []
    for country in config.countries:
        path = folder / f"plates_{country}.npz"
        if not path.exists():
            rng = np.random.default_rng([config.rendered.seed, *country.encode()])
            only = {country: 1.0} if country in formats.DEFAULT_WEIGHTS else others
            write_batch(path, [render(rng, config.countries, two_lines, weights=only) for _ in range(each)])
            print(f"{country}: {each} plates rendered", flush=True)
        plates += read_batch(path)
    return plates


def examples(
    net: ReaderNet, strips: Iterable[tuple[NDArray[np.uint8], int]], *, tell: str = "", every: int = 20_480
) -> Examples:
    """What the net makes of strips, each with its country."""
    seen, known = [], []
    waiting: list[NDArray[np.uint8]] = []
    for strip, country in strips:
        waiting.append(strip)
        known.append(country)
        if len(waiting) == TOGETHER:
            seen.append(_summaries(net, waiting))
            waiting = []
        if tell and len(known) % every == 0:
            print(f"{tell}: {len(known)} strips", flush=True)
    if waiting:
        seen.append(_summaries(net, waiting))
    if not seen:
        raise SourceError("There is no plate to tell countries by")
    return Examples(torch.cat(seen), np.array(known, np.int64))


def _summaries(net: ReaderNet, strips: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    with torch.no_grad():
        _, columns = net.features(strips_to_tensor(torch.from_numpy(np.stack(strips))))
        return net.summary(columns).half()


def rendered_strips(plates: Sequence[Plate], rng: Generator, copies: int) -> Iterable[tuple[NDArray[np.uint8], int]]:
    """Each plate `copies` times, differently spoilt."""
    for _ in range(copies):
        for plate in plates:
            sample = degraded_plate(rng, plate, mild=rng.random() < MILD, hard=rng.random() < HARD)
            yield sample.strip, sample.country


def real_strips(real: RealPlates, rng: Generator, count: int) -> Iterable[tuple[NDArray[np.uint8], int]]:
    """Up to `count` of the real plates' strips, of those whose country and text are known."""
    for _ in range(count):
        sample = real.sample(rng, mild=rng.random() < MILD)
        if sample.country >= 0 and sample.text:
            yield sample.strip, sample.country


def fit(net: ReaderNet, rendered: Examples, real: Examples | None, steps: int, weights: Sequence[float] = ()) -> float:
    """Trains the country's layers of `net` in place; the loss of the last steps.

    `weights` tell how much each country counts among the rendered plates; without them, by its number.
    """
    torch.manual_seed(0)
    parts = [rendered] if real is None else [rendered, real]
    summaries = torch.cat([part.summaries for part in parts])
    known = torch.from_numpy(np.concatenate([part.countries for part in parts]))
    chances = [_chances(rendered.countries, weights)]
    if real is not None:
        chances = [chances[0] * (1.0 - REAL), _chances(real.countries) * REAL]
    drawn = torch.from_numpy(np.concatenate(chances))
    layers = [*net.country_hidden.parameters(), *net.country.parameters()]
    net.country_hidden.reset_parameters()
    net.country.reset_parameters()
    optimiser = torch.optim.AdamW(layers, RATE, weight_decay=DECAY)
    course = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    loss = 0.0
    net.dropout.p = DROPOUT
    net.train()
    for step in range(steps):
        chosen = torch.multinomial(drawn, BATCH, replacement=True)
        said = net.countries_of(summaries[chosen].float())
        cost = fn.cross_entropy(said, known[chosen], label_smoothing=SMOOTHING)
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
        course.step()
        loss += (float(cost.detach()) - loss) / min(step + 1, 200)
    net.eval()
    return loss


def _chances(countries: NDArray[np.int64], weights: Sequence[float] = ()) -> NDArray[np.float64]:
    """How often each example is drawn: its country by the root of `weights`, or of its number; all sum to 1."""
    counts = np.bincount(countries)
    wanted = np.sqrt(weights if len(weights) else counts)
    chances = wanted[countries] / counts[countries]
    return np.asarray(chances / chances.sum(), np.float64)


def confusion(net: ReaderNet, crops: Sequence[Crop], config: ReaderConfig) -> Mapping[str, Counter[str]]:
    """What the net takes crops of each country for that it was not trained on."""
    found: dict[str, Counter[str]] = {}
    for crop in crops:
        if crop.region not in config.countries or not crop.text or not (crop.use == "dev" or crop.held_out):
            continue
        strip = centred(read_grey(crop.path), crop.corners, crop.lines, config.export.margin)
        with torch.no_grad():
            said = net.countries_of(_summaries(net, [strip]).float())
        found.setdefault(crop.region, Counter())[config.countries[int(said.argmax())]] += 1
    return found


def _told(found: Mapping[str, Counter[str]]) -> str:
    rows = sorted(found.items(), key=lambda entry: -entry[1].total())
    return "  ".join(f"{country} {said[country]} of {said.total()}" for country, said in rows)


def train(chosen: argparse.Namespace) -> None:
    """Train, say what is told of held-out crops, and write the whole net's weights."""
    config = settings.load(chosen.config)
    torch.set_num_threads(config.training.threads)
    net = ReaderNet(config).to(memory_format=torch.channels_last)
    load_body(net, chosen.initial)
    net.eval()
    rng = np.random.default_rng(config.training.seed)
    plates = rendered_plates(chosen.run / "pool", config, chosen.each)
    rendered = examples(net, rendered_strips(plates, rng, chosen.copies), tell="rendered")
    crops = read_crops(chosen.data, read_labels(chosen.labels), config.countries)
    real = None
    if crops:
        known = RealPlates(crops, config.mix, config.countries, corner_finder(chosen.corners))
        real = examples(net, real_strips(known, rng, chosen.real), tell="real")
    weights = [formats.DEFAULT_WEIGHTS.get(country, OTHER) for country in config.countries]
    loss = fit(net, rendered, real, chosen.steps, weights)
    print(f"loss {loss:.3f}; held out: {_told(confusion(net, crops, config)) or 'none'}", flush=True)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), chosen.out)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.ocr.country"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    add_data(parser)
    add_labels(parser)
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--initial", type=Path, required=True, help="the reader whose countries are trained")
    parser.add_argument(
        "--corners", type=Path, default=CORNERS, help="folder of the corner net that places real plates"
    )
    parser.add_argument("--run", type=Path, default=Path("var/train/country"), help="keeps the rendered plates")
    parser.add_argument("--each", type=int, default=1500, help="rendered plates of each country")
    parser.add_argument("--copies", type=int, default=2, help="strips of each rendered plate, differently spoilt")
    parser.add_argument("--real", type=int, default=40_000, help="strips of real plates")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    return answer(prog, lambda: train(chosen))


if __name__ == "__main__":
    raise SystemExit(main())
