"""Short trainings of the reader that differ in one thing each: its head, its data, its start; one table, one plot.

Every run draws the same samples at the same step as far as its data allow, and is repeatable: samples and dropout
follow the seed and the step alone, also after an interruption.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from models.command import add_data, add_labels, answer
from models.ocr import config as settings
from models.ocr.ablation_table import Result, draw, table
from models.ocr.evaluate import Score, score
from models.ocr.heads import HeadedReader
from models.ocr.loss import classes_of, country_cost, per_character
from models.ocr.network import named, strips_to_tensor
from models.ocr.variants import VARIANTS, config_of, read_material, sources_of
from models.training import course
from models.training.course import Limits
from models.training.loop import Costs, Due, Every, EverySteps, Run, follow
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.ocr.config import ReaderConfig, ReaderCourse
    from models.ocr.dataset import Sample, Sources
    from models.ocr.evaluate import Group
    from models.ocr.variants import Material, Variant
    from models.training.course import Progress

STEPS = 280
"""Of each run, unless told otherwise."""
MEASURED_TIMES = 5
"""How often a run is measured on its way, for the plot."""
SAVE_EVERY_S = 60.0
REPORT_STEPS = 40
"""A line of progress comes after every so many steps."""
WARMUP_STEPS = 30
"""Short runs want a shorter warm-up of the learning rate than the recipe's."""
TIMED_STRIPS = 40
"""Strips that are read one by one to time a head."""
MILD_SHARE = 0.4
"""Of a run: CTC leaves its blank plateau after about 200 steps of mild samples, and hardly otherwise."""


@dataclass(frozen=True, slots=True)
class AblationTask:
    """A variant's batches, which follow the seed and the step alone, and what it reads of the held-out crops."""

    name: str
    """The variant's."""
    config: ReaderConfig
    sources: Sources
    groups: Mapping[str, Group]
    mild_steps: float
    """So many steps see mild samples alone."""
    smoothing: float = 0.0
    """A report tells the cost of its own step."""

    def draw(self, progress: Progress, _rng: Generator) -> tuple[int, list[Sample]]:
        """The step, and its strips."""
        rng = np.random.default_rng([self.config.training.seed, progress.step])
        return progress.step, self.sources.batch(rng, self.config, only_mild=progress.step < self.mild_steps)

    def costs(self, net: HeadedReader, batch: tuple[int, Sequence[Sample]]) -> Costs:
        """The loss a character, with the country's, of the batch of a step."""
        training, (step, samples) = self.config.training, batch
        torch.manual_seed(training.seed * 1_000_003 + step)
        cost, country = losses(net, samples, self.config)
        return Costs(cost + training.country_weight * country, {"cost": cost})

    def refresh(self) -> None:
        """Nothing: all plates have been rendered before the first run."""

    def describe(self, run: Run, means: Mapping[str, float]) -> str:
        """The variant, the cost and the pace."""
        return f"{run.pace:.0f} strips/s  {self.name} cost {means['cost']:.3f}"

    def measure(self, net: HeadedReader) -> dict[str, float]:
        """A line of what was read; the share of all crops."""
        scores = measure(net, self.groups, self.config.characters)
        print("   held out: " + "  ".join(f"{group} {one}" for group, one in scores.items()), flush=True)
        right, count = sum(one.folded for one in scores.values()), sum(one.count for one in scores.values())
        return {"read": right / max(1, count)}


def begin(folder: Path, variant: Variant, config: ReaderConfig, initial: Path | None = None) -> Run:
    """The variant's net on its course, from its checkpoint on.

    Raises:
        ModelError: `initial` or the checkpoint belongs to another net.

    """
    torch.manual_seed(config.training.seed)
    net = HeadedReader(config, variant.head)
    if initial is not None:
        start(net.backbone, initial)
    checkpoint = folder / f"{variant.name}_{config.training.steps}.ck"
    return Run(checkpoint, config.training, net, history=checkpoint.with_suffix(".jsonl").name)


def task_of(variant: Variant, material: Material, config: ReaderConfig, *, initial: bool = False) -> AblationTask:
    """What the variant adds to the loop; `initial` says that it starts from trained weights."""
    mild = variant.mild_start and not initial
    return AblationTask(
        name=variant.name,
        config=config_of(variant, config),
        sources=sources_of(variant, material),
        groups=material.groups,
        mild_steps=MILD_SHARE * config.training.steps if mild else 0.0,
    )


def curve(run: Run) -> list[tuple[int, float]]:
    """Share of the held-out crops read, by step; a step that an interruption had repeated counts once."""
    return sorted({int(one["step"]): one["read"] for one in run.history.reports() if "read" in one}.items())


def start(backbone: torch.nn.Module, path: Path) -> None:
    """The backbone from a reader's checkpoint; its head stays out, for each variant begins with one of its own.

    Raises:
        ModelError: the file is no checkpoint of this reader.

    """
    try:
        state = named(course.averaged_state(course.read_checkpoint(path)))
        backbone.load_state_dict({key: value for key, value in state.items() if not key.startswith("characters.")})
    except (KeyError, RuntimeError) as fault:
        raise ModelError(f"{path} is no checkpoint of this reader") from fault


def losses(net: HeadedReader, samples: Sequence[Sample], config: ReaderConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """The cost of the texts a character, and the cross-entropy of the countries that are known."""
    targets = [classes_of(sample.text, config.characters) for sample in samples]
    strips = torch.from_numpy(np.stack([one.strip for one in samples]))
    costs, countries = net.costs(strips_to_tensor(strips), targets)
    each = per_character(costs, targets, config.training.shortest_text)
    return each.mean(), country_cost(countries, [one.country for one in samples])


def read_strips(net: HeadedReader, strips: NDArray[np.uint8], characters: str) -> list[str]:
    """The texts of strips (N, H, W) uint8; the net is left in its mode."""
    was_training = net.training
    net.eval()
    texts = []
    with torch.no_grad():
        for at in range(0, len(strips), 64):
            found = net.read(strips_to_tensor(torch.from_numpy(strips[at : at + 64])))
            texts += ["".join(characters[index - 1] for index in one) for one in found]
    net.train(was_training)
    return texts


def measure(net: HeadedReader, groups: Mapping[str, Group], characters: str) -> dict[str, Score]:
    """The score of every group."""
    return {name: score(read_strips(net, group.strips, characters), group.texts) for name, group in groups.items()}


def milliseconds(net: HeadedReader, strips: NDArray[np.uint8], characters: str) -> float:
    """Of one strip in torch, the median."""
    spent = []
    for strip in strips[:TIMED_STRIPS]:
        begun = time.perf_counter()
        read_strips(net, strip[None], characters)
        spent.append(time.perf_counter() - begun)
    return float(np.median(spent)) * 1000


def run(
    folder: Path, variant: Variant, material: Material, config: ReaderConfig, initial: Path | None = None
) -> Result:
    """The figures of one run; a run that has ended is not repeated."""
    out = folder / f"{variant.name}_{config.training.steps}.json"
    if out.exists():
        return Result.of(json.loads(out.read_text(encoding="utf-8")))
    training = begin(folder, variant, config, initial)
    follow(training, task_of(variant, material, config, initial=initial is not None), due(training))
    training.save()
    net = training.average.net
    some = np.concatenate([group.strips for group in material.groups.values()])
    result = Result(
        name=variant.name,
        told=variant.told,
        steps=config.training.steps,
        parameters=sum(one.numel() for one in net.parameters()),
        strip_ms=milliseconds(net, some, config.characters),
        minutes=training.progress.elapsed_s / 60,
        scores={name: _plain(one) for name, one in measure(net, material.groups, config.characters).items()},
        at_boxes={name: _plain(one) for name, one in measure(net, material.at_boxes, config.characters).items()},
        curve=curve(training),
    )
    out.write_text(json.dumps(asdict(result)), encoding="utf-8")
    return result


def due(training: Run) -> Due:
    """Reports and figures at the same steps of every run; checkpoints by the clock."""
    progress, steps = training.progress, training.training.steps
    return Due(
        report=EverySteps(REPORT_STEPS, progress),
        measurement=EverySteps(max(1, steps // MEASURED_TIMES), progress),
        checkpoint=Every(SAVE_EVERY_S, progress),
    )


def _plain(one: Score) -> tuple[int, int, int]:
    return one.raw, one.folded, one.count


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.ocr.ablate"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    add_data(parser)
    add_labels(parser)
    parser.add_argument("--run", type=Path, default=Path("var/train/ablation"), help="checkpoints, table, plot")
    parser.add_argument("--pool", type=Path, help="rendered plates; default: pool in the run's folder")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--initial", type=Path, help="a reader's checkpoint: start from its backbone, with new heads")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each run")
    parser.add_argument("--batches", type=int, default=26, help="of 1,000 rendered plates")
    parser.add_argument("--threads", type=int, default=1, help="with more than 1, runs repeat only nearly")
    parser.add_argument("--only", action="append", choices=[one.name for one in VARIANTS], help="these runs alone")
    chosen = parser.parse_args(arguments)
    stopped = "stopped; the same command goes on at its last checkpoint"
    return answer(prog, lambda: ablate(chosen), stopped=stopped)


def ablate(chosen: argparse.Namespace) -> None:
    """Runs what is asked for and writes ablation.md and ablation.png of all runs of that length that have ended."""
    cv2.setNumThreads(1)
    torch.set_num_threads(chosen.threads)
    config = settings.load(chosen.config)
    training = config.training.limited(Limits(steps=chosen.steps, rate=chosen.rate)).model_copy(
        update={"warmup_steps": WARMUP_STEPS}
    )
    rendered = config.rendered.model_copy(update={"batches": chosen.batches})
    config = config.model_copy(update={"training": training, "rendered": rendered})
    chosen.run.mkdir(parents=True, exist_ok=True)
    material = read_material(chosen.data, chosen.labels, chosen.pool or chosen.run / "pool", config)
    for variant in VARIANTS:
        if chosen.initial is not None and not variant.mild_start:
            continue  # no run that starts from a backbone has a mild start
        if chosen.only is None or variant.name in chosen.only:
            print(f"{variant.name}: {variant.told}", flush=True)
            run(chosen.run, variant, material, config, chosen.initial)
            _write(chosen.run, training, initial=chosen.initial is not None)
    print(chosen.run / "ablation.md", flush=True)


def _write(folder: Path, training: ReaderCourse, *, initial: bool) -> None:
    files = [folder / f"{variant.name}_{training.steps}.json" for variant in VARIANTS]
    results = [Result.of(json.loads(path.read_text(encoding="utf-8"))) for path in files if path.exists()]
    (folder / "ablation.md").write_text(table(results, training.batch, initial=initial), encoding="utf-8")
    draw(results, folder / "ablation.png")


if __name__ == "__main__":
    raise SystemExit(main())
