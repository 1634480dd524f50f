"""Trains the reader on real crops, rendered plates and windows without a plate; takes an interrupted run up again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.command import add_labels
from models.corners.candidates import read_candidates
from models.data.photographs import read_labels
from models.ocr import config as settings
from models.ocr.crops import read_crops
from models.ocr.dataset import Negatives, RealPlates, Sample, Sources
from models.ocr.evaluate import evaluate, load_groups
from models.ocr.loss import classes_of, country_cost, ctc_costs, per_character
from models.ocr.network import ReaderNet, load_trained, strips_to_tensor
from models.ocr.placing import CORNERS, corner_finder
from models.ocr.pool import rendering
from models.training import command, device, loop
from models.training.command import Job
from models.training.loop import Costs, Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator

    from models.ocr.config import ReaderConfig
    from models.ocr.evaluate import Group
    from models.training.course import Progress

PANELS = {"loss": ("characters", "country"), "held-out plates read, share": ("UK", "CZ", "PL gate", "others")}


def losses(net: torch.nn.Module, samples: Sequence[Sample], config: ReaderConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """The CTC loss a character, and the cross-entropy of the countries that are known."""
    targets = [classes_of(sample.text, config.characters) for sample in samples]
    on = device.of(net)
    strips = strips_to_tensor(device.tensor(np.stack([one.strip for one in samples]), on))
    with device.faster(on, enabled=config.training.bfloat16):
        characters, countries = net(strips)
    each = per_character(ctc_costs(characters.float(), targets), targets, config.training.shortest_text)
    return each.mean(), country_cost(countries.float(), [one.country for one in samples])


@dataclass(frozen=True, slots=True)
class ReaderTask:
    """Batches of strips, what their texts and countries cost the reader, and what it reads of held-out crops."""

    config: ReaderConfig
    sources: Sources
    groups: Mapping[str, Group]
    """The strips that are measured on, by kind."""
    mild_start_s: float
    """Seconds of training with mild samples alone."""
    smoothing: float = 0.98

    def draw(self, progress: Progress, rng: Generator) -> list[Sample]:
        """The strips of a batch, mild ones alone at the start."""
        return self.sources.batch(rng, self.config, only_mild=progress.elapsed_s < self.mild_start_s)

    def costs(self, net: ReaderNet, batch: Sequence[Sample]) -> Costs:
        """The loss a character and the cross-entropy of the country of a batch."""
        characters, country = losses(net, batch, self.config)
        total = characters + self.config.training.country_weight * country
        return Costs(total, {"characters": characters, "country": country})

    def refresh(self) -> None:
        """Takes in the plates that have been rendered."""
        self.sources.rendered.refresh()

    def describe(self, run: Run, means: Mapping[str, float]) -> str:
        """The pace, the running means of the losses and how many plates have been rendered."""
        return (
            f"{run.pace:.0f} strips/s  characters {means['characters']:.4f}  country {means['country']:.3f}  "
            f"rendered {len(self.sources.rendered)}"
        )

    def measure(self, net: ReaderNet) -> dict[str, float]:
        """A line of what was read; the share of each group."""
        scores = evaluate(net, self.groups, self.config.characters)
        print("   held out: " + "  ".join(f"{name} {score}" for name, score in scores.items()), flush=True)
        return {name: score.folded / score.count for name, score in scores.items()}


def train(job: Job, labels: Path | None, corners: Path, mistaken: Path | None = None) -> None:
    """Trains to the end of the course and leaves reader.ck, history.jsonl and curves.png in the run's folder.

    Args:
        job: what every training is told.
        labels: the texts that people read; None for the file that ROADSIDE_LABELS names.
        corners: the folder of the corner net that places real plates as the product will; without one they are cut at
            their boxes.
        mistaken: a `candidates.npz` of the corner net's training: of what a detector took for a plate the reader is to
            say nothing.

    Raises:
        RoadsideError: the settings, the data or a checkpoint cannot be used.

    """
    config = settings.load(job.config)
    config = config.model_copy(update={"training": config.training.limited(job.limits)})
    training = config.training
    loop.prepare(training)
    crops = read_crops(job.data, read_labels(labels), config.countries)
    finder = corner_finder(corners)
    groups = load_groups(crops, config.export.margin, finder)
    net = ReaderNet(config).to(memory_format=torch.channels_last)
    if job.initial is not None:
        load_trained(net, job.initial)
    run = Run(job.run / "reader.ck", training, net)
    with rendering(job.run / "pool", job.config) as pool:
        others = read_candidates(mistaken) if mistaken is not None else ()
        negatives = Negatives(job.data, config.mix, np.random.default_rng(training.seed), others)
        real = RealPlates(crops, config.mix, config.countries, finder) if crops else None
        print(
            f"{len(real) if real else 0} real plates, {len(negatives)} windows without one; held out: "
            + (", ".join(f"{name} {len(group.texts)}" for name, group in groups.items()) or "none"),
            flush=True,
        )
        mild_start_s = training.mild_start_s if job.initial is None else 0.0
        task = ReaderTask(config, Sources(real, pool, negatives), groups, mild_start_s)
        loop.train(run, task, PANELS, job.place)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.ocr.train"
    parser = command.parser(prog, __doc__, "var/train/reader", settings.DEFAULT, "random ones")
    add_labels(parser)
    parser.add_argument(
        "--corners", type=Path, default=CORNERS, help="folder of the corner net that places real plates"
    )
    parser.add_argument(
        "--mistaken",
        type=Path,
        help="candidates.npz of a corner net's training: read nothing of what is no plate there",
    )
    chosen = parser.parse_args(arguments)
    return command.run(prog, lambda: train(Job.of(chosen), chosen.labels, chosen.corners, chosen.mistaken))


if __name__ == "__main__":
    raise SystemExit(main())
