"""Trains the detector on marked pictures, from the pruned pretrained backbone; takes an interrupted run up again."""

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

from models.detector import config as settings
from models.detector.anchors import place_anchors
from models.detector.augment import sample
from models.detector.dataset import Pictures, calibration_pictures, scaled
from models.detector.evaluate import Scores, measure, torch_detector
from models.detector.loss import losses
from models.detector.network import DetectorNet, named
from models.detector.pretrained import read_pretrained
from models.detector.prune import prune
from models.training import course
from models.training.course import Average, Limits
from models.training.history import History, draw_curves
from models.training.photographs import read_split
from roadside.errors import ModelError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.detector.config import DetectorConfig
    from models.training.photographs import Marked, Split

SMOOTHING = 0.97
PANELS = {"loss": ("score", "box"), "held out": ("AP50 24 px and more", "AP50 12-24 px", "recall at 0.1 false")}


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is told."""

    data: Path
    run: Path
    """The folder of its checkpoint, history, curves and pretrained weights."""
    config: Path
    limits: Limits
    initial: Path | None
    """Weights to start from instead of the pretrained ones."""


def pruned_backbone(folder: Path, split: Split, config: DetectorConfig) -> dict[str, torch.Tensor]:
    """The pretrained backbone made narrow, kept in `folder` for the next time."""
    kept = folder / "pruned.pt"
    if kept.exists():
        return course.read_checkpoint(kept)
    constants = read_pretrained(folder / "pretrained")
    net, pruning = config.net, config.pruning
    pictures = calibration_pictures(split.train, pruning.pictures, net.size, pruning.seed).transpose(0, 3, 1, 2)
    print(f"Pruning the pretrained net on {len(pictures)} pictures", flush=True)
    state = prune(constants, net, np.ascontiguousarray(pictures), lambda line: print("  " + line, flush=True))
    part = kept.with_suffix(".part")
    torch.save(state, part)
    part.replace(kept)
    return state


class Run:
    """One training, from its checkpoint on."""

    def __init__(self, job: Job, config: DetectorConfig, split: Split) -> None:
        training = config.training
        torch.set_num_threads(training.threads)
        torch.manual_seed(training.seed)
        self.config, self.checkpoint = config, job.run / "detector.ck"
        self.history = History(job.run / "history.jsonl")
        net = DetectorNet(config.net)
        if not self.checkpoint.exists():
            _start(net, job, config, split)
        self.net = net.to(memory_format=torch.channels_last)
        self.net.freeze(config.net.frozen_blocks)
        self.optimiser = self._optimiser()
        self.average = Average(self.net)
        self.progress = course.resume(self.checkpoint, self.net, self.average, self.optimiser)
        # A resumed run must not draw the samples of its start again.
        self.rng = np.random.default_rng([training.seed, self.progress.step])
        self.grid = tuple(torch.from_numpy(part) for part in place_anchors(config.net))
        self._smooth = {"score": float("nan"), "box": float("nan")}

    def _optimiser(self) -> torch.optim.Optimizer:
        training = self.config.training
        backbone = [part for block in self.net.blocks for part in block.parameters() if part.requires_grad]
        known = {id(part) for part in backbone}
        rest = [part for part in self.net.parameters() if part.requires_grad and id(part) not in known]
        groups = [{"params": backbone, "share": training.backbone_rate}, {"params": rest, "share": 1.0}]
        return torch.optim.AdamW(groups, lr=training.rate, weight_decay=training.weight_decay)

    def step(self, pictures: Pictures) -> None:
        """One batch."""
        training, size = self.config.training, self.config.net.size
        rate = course.learning_rate(training, self.progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        views = [sample(self.rng, pictures, size, self.config.augmentation) for _ in range(training.batch)]
        seen = scaled(np.stack([view.image[..., ::-1] for view in views]))
        outputs = self.net(torch.from_numpy(seen).permute(0, 3, 1, 2))
        plates, ignored = [view.boxes for view in views], [view.ignored for view in views]
        score, box = losses(outputs, plates, ignored, (self.grid[0], self.grid[1]), self.config)
        self.optimiser.zero_grad()
        (score + self.config.loss.box_weight * box).backward()
        trained = [part for group in self.optimiser.param_groups for part in group["params"]]
        torch.nn.utils.clip_grad_norm_(trained, training.gradient_norm)
        self.optimiser.step()
        self.progress.step += 1
        self.average.update(self.net, course.average_decay(training, self.progress.step))
        for name, value in (("score", float(score.detach())), ("box", float(box.detach()))):
            before = self._smooth[name]
            self._smooth[name] = value if np.isnan(before) else SMOOTHING * before + (1 - SMOOTHING) * value

    def report(self) -> None:
        """A line of progress."""
        progress, training = self.progress, self.config.training
        pace = progress.step * training.batch / max(1e-9, progress.elapsed_s)
        print(
            f"{progress.elapsed_s / 60:6.1f} min  {course.share_done(training, progress):4.0%}  step {progress.step}  "
            f"{pace:.1f} pictures/s  score {self._smooth['score']:.3f}  box {self._smooth['box']:.3f}  "
            f"rate {course.learning_rate(training, progress):.5f}",
            flush=True,
        )
        self.history.add(step=progress.step, elapsed_s=progress.elapsed_s, **self._smooth)

    def evaluate(self, groups: dict[str, tuple[Marked, ...]]) -> None:
        """How the averaged net does on pictures that it never trains on."""
        detect = torch_detector(self.average.net.eval(), self.config)
        scores = {name: measure(detect, marked, self.config.net.size) for name, marked in groups.items()}
        for name, one in scores.items():
            print(f"   {name}: {one}", flush=True)
        if scores:
            first = next(iter(scores.values()))
            self.history.add(step=self.progress.step, elapsed_s=self.progress.elapsed_s, **_figures(first))

    def save(self) -> None:
        """Writes the checkpoint."""
        course.save(self.checkpoint, self.net, self.average, self.optimiser, self.progress)


def _figures(scores: Scores) -> dict[str, float]:
    return {
        "AP50 24 px and more": scores.wide,
        "AP50 12-24 px": scores.bands[1].precision,
        "recall at 0.1 false": scores.recall,
    }


def _start(net: DetectorNet, job: Job, config: DetectorConfig, split: Split) -> None:
    if job.initial is None:
        net.load_state_dict(pruned_backbone(job.run, split, config), strict=False)
        return
    try:
        net.load_state_dict(named(course.averaged_state(course.read_checkpoint(job.initial))))
    except (KeyError, RuntimeError) as fault:
        raise ModelError(f"{job.initial} is no checkpoint of this detector") from fault


def measured_groups(split: Split) -> dict[str, tuple[Marked, ...]]:
    """The pictures that are measured on, by kind."""
    groups = {"held out": split.held_out}
    for source in ("pl_gate", "es_canary"):
        groups[source] = tuple(one for one in split.measured_only if one.source == source)
    return {name: marked for name, marked in groups.items() if marked}


def train(job: Job) -> None:
    """Trains to the end of the course and leaves detector.ck, history.jsonl and curves.png in the run's folder.

    Raises:
        RoadsideError: the settings, the pictures, the pretrained weights or a checkpoint cannot be used.

    """
    cv2.setNumThreads(1)
    config = settings.load(job.config)
    config = config.model_copy(update={"training": config.training.limited(job.limits)})
    split = read_split(job.data)
    groups = measured_groups(split)
    job.run.mkdir(parents=True, exist_ok=True)
    run = Run(job, config, split)
    pictures = Pictures(split.train, config.sources, config.augmentation.pasted_pool, config.training.seed)
    print(f"{len(pictures)} pictures; measured on " + ", ".join(f"{name} {len(one)}" for name, one in groups.items()))
    _follow(run, pictures, lambda: run.evaluate(groups))
    run.save()
    run.evaluate(groups)
    draw_curves(run.history, job.run / "curves.png", PANELS)
    print(f"{run.checkpoint} holds the weights, {job.run / 'curves.png'} the curves", flush=True)


def _follow(run: Run, pictures: Pictures, evaluate: Callable[[], None]) -> None:
    training = run.config.training
    begun = time.monotonic() - run.progress.elapsed_s
    measured_s = saved_s = reported_s = run.progress.elapsed_s
    while course.share_done(training, run.progress) < 1:
        run.step(pictures)
        now_s = run.progress.elapsed_s = time.monotonic() - begun
        if now_s - reported_s > training.report_every_s:
            reported_s = now_s
            run.report()
        if now_s - measured_s > training.evaluate_every_s:
            measured_s = now_s
            evaluate()
        if now_s - saved_s > training.checkpoint_every_s:
            saved_s = now_s
            run.save()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="models.detector.train", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("ROADSIDE_DATA", "../shared/data")))
    parser.add_argument("--run", type=Path, default=Path("var/train/detector"), help="checkpoint, history, curves")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int, help="instead of minutes: a repeatable run")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--initial", type=Path, help="weights to start from instead of the pretrained ones")
    chosen = parser.parse_args(arguments)
    try:
        limits = Limits(chosen.minutes, chosen.steps, chosen.threads, chosen.rate)
        train(Job(chosen.data, chosen.run, chosen.config, limits, chosen.initial))
    except RoadsideError as fault:
        print(f"models.detector.train: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("models.detector.train: stopped; the same command takes it up at its last checkpoint", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
