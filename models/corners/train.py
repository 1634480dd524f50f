"""Trains the corner net on rendered plates and warped real ones; takes an interrupted run up again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
import torch.nn.functional as fn

from models.corners import config as settings
from models.corners.candidates import Candidates, mine
from models.corners.dataset import Plates, held_out_rendered, load_frontal, sample_of
from models.corners.evaluate import errors
from models.corners.network import CornersNet, regions_to_tensor
from models.corners.reading import ReadablePlates, load_reader, reading_loss
from models.data.photographs import read_labels
from models.ocr import config as reader
from models.ocr.dataset import read_crops
from models.ocr.train import rendering
from models.training import course
from models.training.course import Average, Limits
from models.training.history import History, draw_curves
from models.training.photographs import read_split
from roadside.core.corners import OFFSETS, place
from roadside.errors import ModelError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from models.corners.config import CornersConfig
    from models.corners.dataset import Sample, View
    from models.ocr.config import ReaderConfig
    from models.ocr.network import ReaderNet

SMOOTHING = 0.98
PANELS = {
    "loss": ("loss",),
    "reader's loss": ("reading",),
    "plate or not": ("doubt",),
    "held-out corner error, plate heights": ("mean", "ninetieth"),
}


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
    reader: Path | None
    """A reader's checkpoint: real plates with texts are then placed so that it reads them."""
    detector: Path | None
    """A detector's folder: what it takes for plates teaches the net to tell them from what only looks like one."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A trained reader and the plates that it is to read."""

    net: ReaderNet
    config: ReaderConfig
    plates: ReadablePlates

    def loss(self, net: torch.nn.Module, rng: Generator, config: CornersConfig) -> torch.Tensor:
        """The reader's loss on a share of a batch of real plates, placed by `net`."""
        count = round(config.mix.read * config.training.batch)
        plates = [self.plates.sample(rng, mild=rng.random() < config.mix.mild) for _ in range(count)]
        pictures = torch.from_numpy(np.stack([plate.picture for plate in plates]))
        return reading_loss(net(regions_to_tensor(pictures))[:, :OFFSETS], plates, self.net, self.config)


def loss(net: torch.nn.Module, samples: Sequence[Sample], config: CornersConfig) -> torch.Tensor:
    """The smooth L1 loss of the offsets, in plate heights."""
    pictures, wanted, spans = (
        torch.from_numpy(np.stack(parts))
        for parts in zip(*((one.picture, one.offsets, one.spans) for one in samples), strict=True)
    )
    away = (net(regions_to_tensor(pictures))[:, :OFFSETS] - wanted) * spans
    return fn.smooth_l1_loss(away, torch.zeros_like(away), beta=config.training.loss_beta)


def doubt(net: torch.nn.Module, candidates: Candidates, rng: Generator, config: CornersConfig) -> torch.Tensor:
    """The cross entropy of what the net says of a share of a batch of candidates, half of them plates."""
    count = round(config.mix.candidates * config.training.batch)
    drawn = [candidates.sample(rng, plate=i % 2 == 0, mild=rng.random() < config.mix.mild) for i in range(count)]
    said = net(regions_to_tensor(torch.from_numpy(np.stack(drawn))))[:, OFFSETS]
    return fn.binary_cross_entropy_with_logits(said, 1.0 - torch.arange(count) % 2)


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a net is taught."""

    plates: Plates
    judge: Judge | None
    candidates: Candidates | None


class Run:
    """One training, from its checkpoint on."""

    def __init__(self, folder: Path, config: CornersConfig, initial: Path | None) -> None:
        training = config.training
        torch.set_num_threads(training.threads)
        torch.manual_seed(training.seed)
        self.config, self.checkpoint = config, folder / "corners.ck"
        self.history = History(folder / "history.jsonl")
        self.net = CornersNet(config.net).to(memory_format=torch.channels_last)
        if initial is not None:
            self._start_from(initial)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=training.rate, weight_decay=training.weight_decay)
        self.average = Average(self.net)
        self.progress = course.resume(self.checkpoint, self.net, self.average, self.optimiser)
        # A resumed run must not draw the samples of its start again.
        self.rng = np.random.default_rng([training.seed, self.progress.step])
        self._smooth = dict.fromkeys(("loss", "reading", "doubt"), float("nan"))

    def _start_from(self, path: Path) -> None:
        try:
            self.net.load(course.averaged_state(course.read_checkpoint(path)))
        except (KeyError, RuntimeError) as fault:
            raise ModelError(f"{path} is no checkpoint of this corner net") from fault

    def step(self, lessons: Lessons) -> None:
        """One batch."""
        training = self.config.training
        for group in self.optimiser.param_groups:
            group["lr"] = course.learning_rate(training, self.progress)
        cost = loss(self.net, [lessons.plates.sample(self.rng) for _ in range(training.batch)], self.config)
        nothing = torch.zeros(())
        reading = lessons.judge.loss(self.net, self.rng, self.config) if lessons.judge else nothing
        doubted = doubt(self.net, lessons.candidates, self.rng, self.config) if lessons.candidates else nothing
        self.optimiser.zero_grad()
        (cost + training.reading_weight * reading + training.plate_weight * doubted).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), training.gradient_norm)
        self.optimiser.step()
        self.progress.step += 1
        self.average.update(self.net, course.average_decay(training, self.progress.step))
        for name, value in (("loss", cost), ("reading", reading), ("doubt", doubted)):
            before = self._smooth[name]
            now = float(value.detach())
            self._smooth[name] = now if np.isnan(before) else SMOOTHING * before + (1 - SMOOTHING) * now

    def report(self, plates: Plates) -> None:
        """A line of progress."""
        progress, training = self.progress, self.config.training
        pace = progress.step * training.batch / max(1e-9, progress.elapsed_s)
        print(
            f"{progress.elapsed_s / 60:6.1f} min  {course.share_done(training, progress):4.0%}  step {progress.step}  "
            f"{pace:.0f} regions/s  loss {self._smooth['loss']:.4f}  reading {self._smooth['reading']:.4f}  "
            f"doubt {self._smooth['doubt']:.4f}  "
            f"rendered {len(plates.rendered)}",
            flush=True,
        )
        self.history.add(step=progress.step, elapsed_s=progress.elapsed_s, **self._smooth)

    def measure(self, views: Sequence[View]) -> None:
        """A line of how far the averaged net's corners are off, after one look, in `views`."""
        self.average.net.eval()
        pictures = torch.from_numpy(np.stack([sample_of(view).picture for view in views]))
        with torch.no_grad():
            parts = [self.average.net(regions_to_tensor(some)).numpy() for some in pictures.split(64)]
        found = [place(one, view.box) for one, view in zip(np.concatenate(parts), views, strict=True)]
        one = errors(found, views)
        print(
            f"   held out, rendered: corners off by {one.mean:.3f} plate heights, nine of ten within "
            f"{one.ninetieth:.3f}, a coordinate by {one.coordinate:.3f}",
            flush=True,
        )
        self.history.add(
            step=self.progress.step, elapsed_s=self.progress.elapsed_s, mean=one.mean, ninetieth=one.ninetieth
        )

    def save(self) -> None:
        """Writes the checkpoint."""
        course.save(self.checkpoint, self.net, self.average, self.optimiser, self.progress)


def train(job: Job) -> None:
    """Trains to the end of the course and leaves corners.ck, history.jsonl and curves.png in the run's folder.

    Raises:
        RoadsideError: the settings, the data or a checkpoint cannot be used.

    """
    cv2.setNumThreads(1)
    config = settings.load(job.config)
    config = config.model_copy(update={"training": config.training.limited(job.limits)})
    crops = read_crops(job.data, read_labels(job.labels), reader.load().countries)
    real = load_frontal([crop for crop in crops if crop.use == "train" and not crop.held_out], config.frontal)
    run = Run(job.run, config, job.initial)
    judge = None
    if job.reader is not None:
        reading = reader.load()
        judged = ReadablePlates(crops, reading.mix, config.box)
        judge = Judge(load_reader(job.reader, reading), reading, judged)
        print(f"{len(judged)} real plates are placed for the reader", flush=True)
    candidates = None
    if job.detector is not None:
        candidates = Candidates(mine(read_split(job.data).train, job.detector, config.candidates), config.box)
        print(f"{candidates.plates} plates and {candidates.others} other things are to be told apart", flush=True)
    with rendering(job.run / "pool", reader.DEFAULT) as pool:
        print(f"{len(real)} real plates seen from the front, rendered ones as they come", flush=True)
        _follow(run, Lessons(Plates(real, pool, config), judge, candidates), held_out_rendered(config))
    draw_curves(run.history, job.run / "curves.png", PANELS)
    print(f"{run.checkpoint} holds the weights, {job.run / 'curves.png'} the curves", flush=True)


def _follow(run: Run, lessons: Lessons, views: Sequence[View]) -> None:
    training = run.config.training
    begun = time.monotonic() - run.progress.elapsed_s
    measured_s = saved_s = reported_s = run.progress.elapsed_s
    while course.share_done(training, run.progress) < 1:
        run.step(lessons)
        now_s = run.progress.elapsed_s = time.monotonic() - begun
        if now_s - reported_s > training.report_every_s:
            reported_s = now_s
            lessons.plates.rendered.refresh()
            run.report(lessons.plates)
        if now_s - measured_s > training.evaluate_every_s:
            measured_s = now_s
            run.measure(views)
        if now_s - saved_s > training.checkpoint_every_s:
            saved_s = now_s
            run.save()
    run.save()
    run.measure(views)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="models.corners.train", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("ROADSIDE_DATA", "../shared/data")))
    parser.add_argument("--labels", type=Path, help="texts read by eye; default: the file that ROADSIDE_LABELS names")
    parser.add_argument("--run", type=Path, default=Path("var/train/corners"), help="checkpoint, history, curves")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int, help="instead of minutes: a repeatable run")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--initial", type=Path, help="weights to start from instead of random ones")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--reader", type=Path, help="a reader's checkpoint: place real plates so that it reads them")
    parser.add_argument("--detector", type=Path, help="a detector's folder: learn to tell plates from its false alarms")
    chosen = parser.parse_args(arguments)
    try:
        limits = Limits(chosen.minutes, chosen.steps, chosen.threads, chosen.rate)
        train(
            Job(
                data=chosen.data,
                labels=chosen.labels,
                run=chosen.run,
                config=chosen.config,
                limits=limits,
                initial=chosen.initial,
                reader=chosen.reader,
                detector=chosen.detector,
            )
        )
    except RoadsideError as fault:
        print(f"models.corners.train: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "models.corners.train: stopped; the same command takes the run up at its last checkpoint", file=sys.stderr
        )
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
