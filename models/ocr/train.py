"""Trains the reader on real crops, rendered plates and windows without a plate; takes an interrupted run up again."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from models.data.photographs import read_labels
from models.ocr import config as settings
from models.ocr.dataset import CORNERS, Negatives, RealPlates, RenderedPlates, Sample, corner_finder, read_crops
from models.ocr.evaluate import evaluate, load_groups
from models.ocr.loss import a_character, classes_of, country_cost, ctc_costs
from models.ocr.network import ReaderNet, load_trained, strips_to_tensor
from models.training import course
from models.training.course import Average, Limits
from models.training.history import History, draw_curves
from roadside.errors import ModelError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.random import Generator

    from models.ocr.config import ReaderConfig
    from models.ocr.evaluate import Group

FIRST_BATCH_TIMEOUT_S = 600.0
SMOOTHING = 0.98
PANELS = {"loss": ("characters", "country"), "held-out plates read, share": ("UK", "CZ", "PL gate", "others")}


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is told."""

    data: Path
    labels: Path | None
    run: Path
    """The folder of its checkpoint, history, curves and rendered plates."""
    config: Path
    limits: Limits
    initial: Path | None
    """Weights to start from instead of random ones."""
    corners: Path
    """The corner net that places real plates as the product will; without the file they are cut at their boxes."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What batches are drawn from."""

    real: RealPlates | None
    rendered: RenderedPlates
    negatives: Negatives

    def batch(self, rng: Generator, config: ReaderConfig, *, only_mild: bool) -> list[Sample]:
        """A batch mixed as the settings say; no negatives while only mild samples are wanted."""
        mix = config.mix
        real = mix.real if self.real is not None else 0.0
        samples = []
        for _ in range(config.training.batch):
            mild = only_mild or rng.random() < mix.mild
            draw = rng.random()
            if draw < mix.negative and not only_mild and len(self.negatives):
                samples.append(self.negatives.sample(rng, mild=mild))
            elif draw < mix.negative + real and self.real is not None:
                samples.append(self.real.sample(rng, mild=mild))
            else:
                samples.append(self.rendered.sample(rng, mild=mild))
        return samples


def losses(net: torch.nn.Module, samples: Sequence[Sample], config: ReaderConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """The CTC loss a character, and the cross-entropy of the countries that are known."""
    targets = [classes_of(sample.text, config.characters) for sample in samples]
    characters, countries = net(strips_to_tensor(torch.from_numpy(np.stack([one.strip for one in samples]))))
    each = a_character(ctc_costs(characters, targets), targets, config.training.shortest_text)
    return each.mean(), country_cost(countries, [one.country for one in samples])


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


class Run:
    """One training, from its checkpoint on."""

    def __init__(self, folder: Path, config: ReaderConfig, initial: Path | None) -> None:
        training = config.training
        torch.set_num_threads(training.threads)
        torch.manual_seed(training.seed)
        self.config, self.checkpoint = config, folder / "reader.ck"
        self.history = History(folder / "history.jsonl")
        self.net = ReaderNet(config).to(memory_format=torch.channels_last)
        if initial is not None:
            load_trained(self.net, initial)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=training.rate, weight_decay=training.weight_decay)
        self.average = Average(self.net)
        self.progress = course.resume(self.checkpoint, self.net, self.average, self.optimiser)
        self._mild_start_s = 0.0 if initial is not None else training.mild_start_s
        # A resumed run must not draw the samples of its start again.
        self.rng = np.random.default_rng([training.seed, self.progress.step])
        self._smooth = {"characters": float("nan"), "country": float("nan")}

    def step(self, sources: Sources) -> None:
        """One batch."""
        training = self.config.training
        for group in self.optimiser.param_groups:
            group["lr"] = course.learning_rate(training, self.progress)
        only_mild = self.progress.elapsed_s < self._mild_start_s
        characters, country = losses(self.net, sources.batch(self.rng, self.config, only_mild=only_mild), self.config)
        self.optimiser.zero_grad()
        (characters + training.country_weight * country).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), training.gradient_norm)
        self.optimiser.step()
        self.progress.step += 1
        self.average.update(self.net, course.average_decay(training, self.progress.step))
        for name, value in (("characters", float(characters.detach())), ("country", float(country.detach()))):
            before = self._smooth[name]
            self._smooth[name] = value if np.isnan(before) else SMOOTHING * before + (1 - SMOOTHING) * value

    def report(self, sources: Sources) -> None:
        """A line of progress."""
        progress, training = self.progress, self.config.training
        pace = progress.step * training.batch / max(1e-9, progress.elapsed_s)
        print(
            f"{progress.elapsed_s / 60:6.1f} min  {course.share_done(training, progress):4.0%}  step {progress.step}  "
            f"{pace:.0f} strips/s  characters {self._smooth['characters']:.4f}  country {self._smooth['country']:.3f}  "
            f"rendered {len(sources.rendered)}",
            flush=True,
        )
        self.history.add(step=progress.step, elapsed_s=progress.elapsed_s, **self._smooth)

    def save(self) -> None:
        """Writes the checkpoint."""
        course.save(self.checkpoint, self.net, self.average, self.optimiser, self.progress)


def train(job: Job) -> None:
    """Trains to the end of the course and leaves reader.ck, history.jsonl and curves.png in the run's folder.

    Raises:
        RoadsideError: the settings, the data or a checkpoint cannot be used.

    """
    cv2.setNumThreads(1)
    config = settings.load(job.config)
    config = config.model_copy(update={"training": config.training.limited(job.limits)})
    crops = read_crops(job.data, read_labels(job.labels), config.countries)
    finder = corner_finder(job.corners)
    groups = load_groups(crops, config.export.margin, finder)
    run = Run(job.run, config, job.initial)
    with rendering(job.run / "pool", job.config) as pool:
        negatives = Negatives(job.data, config.mix, np.random.default_rng(config.training.seed))
        real = RealPlates(crops, config.mix, config.countries, finder) if crops else None
        sources = Sources(real, pool, negatives)
        print(
            f"{len(real) if real else 0} real plates, {len(negatives)} windows without one; held out: "
            + (", ".join(f"{name} {len(group.texts)}" for name, group in groups.items()) or "none"),
            flush=True,
        )
        _follow(run, sources, lambda: _evaluate(run, groups))
    run.save()
    _evaluate(run, groups)
    draw_curves(run.history, job.run / "curves.png", PANELS)
    print(f"{run.checkpoint} holds the weights, {job.run / 'curves.png'} the curves", flush=True)


def _follow(run: Run, sources: Sources, measure: Callable[[], None]) -> None:
    training = run.config.training
    begun = time.monotonic() - run.progress.elapsed_s
    measured_s = saved_s = reported_s = run.progress.elapsed_s
    while course.share_done(training, run.progress) < 1:
        run.step(sources)
        now_s = run.progress.elapsed_s = time.monotonic() - begun
        if now_s - reported_s > training.report_every_s:
            reported_s = now_s
            sources.rendered.refresh()
            run.report(sources)
        if now_s - measured_s > training.evaluate_every_s:
            measured_s = now_s
            measure()
        if now_s - saved_s > training.checkpoint_every_s:
            saved_s = now_s
            run.save()


def _evaluate(run: Run, groups: dict[str, Group]) -> None:
    scores = evaluate(run.average.net, groups, run.config.characters)
    print("   held out: " + "  ".join(f"{name} {score}" for name, score in scores.items()), flush=True)
    shares = {name: score.folded / score.count for name, score in scores.items()}
    run.history.add(step=run.progress.step, elapsed_s=run.progress.elapsed_s, **shares)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="models.ocr.train", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("ROADSIDE_DATA", "../shared/data")))
    parser.add_argument("--labels", type=Path, help="texts read by eye; default: the file that ROADSIDE_LABELS names")
    parser.add_argument("--run", type=Path, default=Path("var/train/reader"), help="checkpoint, history, curves")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int, help="instead of minutes: a repeatable run")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--initial", type=Path, help="weights to start from instead of random ones")
    parser.add_argument(
        "--corners", type=Path, default=CORNERS, help="folder of the corner net that places real plates"
    )
    chosen = parser.parse_args(arguments)
    try:
        limits = Limits(chosen.minutes, chosen.steps, chosen.threads, chosen.rate)
        train(Job(chosen.data, chosen.labels, chosen.run, chosen.config, limits, chosen.initial, chosen.corners))
    except RoadsideError as fault:
        print(f"models.ocr.train: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("models.ocr.train: stopped; the same command takes the run up at its last checkpoint", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
