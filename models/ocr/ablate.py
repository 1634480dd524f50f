"""Short trainings of the reader that differ in one thing each: its head, its data, its start; one table, one plot.

Every run draws the same samples at the same step as far as its data allow, and is repeatable: samples and dropout
follow the seed and the step alone, also after an interruption.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from models.ocr import config as settings
from models.ocr.ablation_table import Result, draw, table
from models.ocr.evaluate import Score, score
from models.ocr.heads import HeadedReader
from models.ocr.loss import a_character, classes_of, country_cost
from models.ocr.network import named, strips_to_tensor
from models.ocr.variants import VARIANTS, config_of, read_material, sources_of
from models.training import course
from models.training.course import Average, Limits
from models.training.history import History
from roadside.errors import ModelError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from models.ocr.config import ReaderConfig, ReaderCourse
    from models.ocr.dataset import Sample
    from models.ocr.evaluate import Group
    from models.ocr.train import Sources
    from models.ocr.variants import Material, Variant

STEPS = 280
MEASURED_TIMES = 5
"""How often a run is measured on its way, for the plot."""
SAVE_EVERY_S = 60.0
REPORT_STEPS = 40
WARMUP_STEPS = 30
TIMED_STRIPS = 40
MILD_SHARE = 0.4
"""Of a run: CTC leaves its blank plateau after about 200 steps of mild samples, and hardly otherwise."""


class Training:
    """One run, from its checkpoint on."""

    def __init__(self, folder: Path, variant: Variant, config: ReaderConfig, initial: Path | None = None) -> None:
        training = config.training
        self.variant, self.config = variant, config_of(variant, config)
        self.checkpoint = folder / f"{variant.name}_{training.steps}.ck"
        torch.manual_seed(training.seed)
        self.net = HeadedReader(config, variant.head)
        if initial is not None:
            start(self.net.backbone, initial)
        self._mild_steps = MILD_SHARE * training.steps if variant.mild_start and initial is None else 0.0
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=training.rate, weight_decay=training.weight_decay)
        self.average = Average(self.net)
        self.progress = course.resume(self.checkpoint, self.net, self.average, self.optimiser)
        self.history = History(self.checkpoint.with_suffix(".jsonl"))

    def curve(self) -> list[tuple[int, float]]:
        """Share of the held-out crops read, by step; a step that an interruption had repeated counts once."""
        return sorted({int(one["step"]): one["read"] for one in self.history.reports()}.items())

    def step(self, sources: Sources) -> float:
        """One batch; the loss a character."""
        training, progress = self.config.training, self.progress
        for group in self.optimiser.param_groups:
            group["lr"] = course.learning_rate(training, progress)
        rng = np.random.default_rng([training.seed, progress.step])
        torch.manual_seed(training.seed * 1_000_003 + progress.step)
        samples = sources.batch(rng, self.config, only_mild=progress.step < self._mild_steps)
        cost, country = losses(self.net, samples, self.config)
        self.optimiser.zero_grad()
        (cost + training.country_weight * country).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), training.gradient_norm)
        self.optimiser.step()
        progress.step += 1
        self.average.update(self.net, course.average_decay(training, progress.step))
        return float(cost.detach())

    def save(self) -> None:
        """Writes the checkpoint."""
        course.save(self.checkpoint, self.net, self.average, self.optimiser, self.progress)


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
    each = a_character(costs, targets, config.training.shortest_text)
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
    training = Training(folder, variant, config, initial)
    follow(training, sources_of(variant, material), material.groups)
    net = training.average.net
    some = np.concatenate([group.strips for group in material.groups.values()])
    result = Result(
        variant.name,
        variant.told,
        config.training.steps,
        sum(one.numel() for one in net.parameters()),
        milliseconds(net, some, config.characters),
        training.progress.elapsed_s / 60,
        {name: _plain(one) for name, one in measure(net, material.groups, config.characters).items()},
        {name: _plain(one) for name, one in measure(net, material.at_boxes, config.characters).items()},
        training.curve(),
    )
    out.write_text(json.dumps(asdict(result)), encoding="utf-8")
    return result


def follow(training: Training, sources: Sources, groups: Mapping[str, Group]) -> None:
    """Trains to the last step, reports, measures and saves on the way."""
    course_of_it, progress, name = training.config.training, training.progress, training.variant.name
    begun = saved_s = time.monotonic() - progress.elapsed_s
    while progress.step < course_of_it.steps:
        cost = training.step(sources)
        now_s = time.monotonic()
        progress.elapsed_s = now_s - begun
        if progress.step % REPORT_STEPS == 0:
            pace = progress.step * course_of_it.batch / progress.elapsed_s
            print(f"  {name} {progress.step} of {course_of_it.steps}  cost {cost:.3f}  {pace:.0f} strips/s", flush=True)
        if progress.step % max(1, course_of_it.steps // MEASURED_TIMES) == 0:
            scores = measure(training.average.net, groups, training.config.characters)
            training.history.add(step=progress.step, read=_share(scores))
            print("   held out: " + "  ".join(f"{group} {one}" for group, one in scores.items()), flush=True)
        if now_s - saved_s > SAVE_EVERY_S or progress.step == course_of_it.steps:
            saved_s = now_s
            training.save()


def _share(scores: Mapping[str, Score]) -> float:
    return sum(one.folded for one in scores.values()) / max(1, sum(one.count for one in scores.values()))


def _plain(one: Score) -> tuple[int, int, int]:
    return one.raw, one.folded, one.count


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="models.ocr.ablate", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("ROADSIDE_DATA", "../shared/data")))
    parser.add_argument("--labels", type=Path, help="texts read by eye; default: the file that ROADSIDE_LABELS names")
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
    try:
        ablate(chosen)
    except RoadsideError as fault:
        print(f"models.ocr.ablate: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("models.ocr.ablate: stopped; the same command goes on at its last checkpoint", file=sys.stderr)
        return 130
    return 0


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
