"""The loop of every training: batch after batch to the end of its course, with reports, figures and checkpoints."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import torch

from models.training import course
from models.training.course import Average
from models.training.history import History, draw_curves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.random import Generator
    from torch import nn

    from models.training.course import Progress
    from models.training.settings import Course


@dataclass(frozen=True, slots=True)
class Costs:
    """What a net loses on one batch."""

    total: torch.Tensor
    """The scalar whose gradient is followed down."""
    parts: Mapping[str, torch.Tensor]
    """Scalars to report, by name."""


class Task(Protocol):
    """What a training adds to the loop: its batches, their costs and its figures."""

    @property
    def smoothing(self) -> float:
        """Decay of the running means of the costs that are reported."""

    def costs(self, net: nn.Module, progress: Progress, rng: Generator) -> Costs:
        """Draws a batch with `rng` and tells what `net` loses on it."""

    def refresh(self) -> None:
        """Takes in the training data that have come since the last report."""

    def describe(self, run: Run, means: Mapping[str, float]) -> str:
        """The end of a report's line; `means` are the running means of the costs by name."""

    def measure(self, net: nn.Module) -> Mapping[str, float]:
        """Prints how `net` does on held-out data; the figures that are kept, by name."""


def prepare(training: Course) -> None:
    """Sets threads and seed; called before anything is read or made: a net's random start follows the seed."""
    cv2.setNumThreads(1)  # torch has the cores
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)


class Run:
    """A net on its course, from its checkpoint on.

    Args:
        checkpoint: the file; the history lies beside it.
        groups: parameter groups whose key `share` is multiplied with the course's learning rate; all parameters of
            `net` at the full rate where it is None.

    Raises:
        ModelError: the checkpoint is no checkpoint of this net.

    """

    def __init__(
        self,
        checkpoint: Path,
        training: Course,
        net: nn.Module,
        groups: Sequence[Mapping[str, object]] | None = None,
        history: str = "history.jsonl",
    ) -> None:
        self.checkpoint, self.training, self.net = checkpoint, training, net
        self.history = History(checkpoint.with_name(history))
        self._optimiser = torch.optim.AdamW(
            groups or net.parameters(), lr=training.rate, weight_decay=training.weight_decay
        )
        self.average = Average(net)
        self.progress = course.resume(checkpoint, net, self.average, self._optimiser)

    @property
    def pace(self) -> float:
        """Samples a second."""
        return self.progress.step * self.training.batch / max(1e-9, self.progress.elapsed_s)

    def descend(self, costs: Costs) -> None:
        """A step of the net against the gradient of `costs`, and of the average after it."""
        rate = course.learning_rate(self.training, self.progress)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
        self._optimiser.zero_grad()
        costs.total.backward()
        trained = [part for group in self._optimiser.param_groups for part in group["params"]]
        torch.nn.utils.clip_grad_norm_(trained, self.training.gradient_norm)
        self._optimiser.step()
        self.progress.step += 1
        self.average.update(self.net, course.average_decay(self.training, self.progress.step))

    def note(self, figures: Mapping[str, float]) -> None:
        """Adds figures, if there are any, to the history, with the step and the seconds of training so far."""
        if figures:
            self.history.add(step=self.progress.step, elapsed_s=self.progress.elapsed_s, **figures)

    def save(self) -> None:
        """Writes the checkpoint."""
        course.save(self.checkpoint, self.net, self.average, self._optimiser, self.progress)


class Smoothed:
    """Running means of costs by name; the first value counts whole."""

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self.means: dict[str, float] = {}

    def add(self, parts: Mapping[str, torch.Tensor]) -> None:
        """Takes in one batch's."""
        for name, part in parts.items():
            value, before = float(part.detach()), self.means.get(name, math.nan)
            self.means[name] = value if math.isnan(before) else self._decay * before + (1 - self._decay) * value


class Every:
    """Tells when something is due again: after more than `interval_s` of training, counted from its start."""

    def __init__(self, interval_s: float, progress: Progress) -> None:
        self._interval_s, self._progress = interval_s, progress
        self._done_s = progress.elapsed_s

    def __call__(self) -> bool:
        """Whether it is due; if so, the next interval begins."""
        now_s = self._progress.elapsed_s
        if now_s - self._done_s <= self._interval_s:
            return False
        self._done_s = now_s
        return True


class EverySteps:
    """Tells when something is due again: after each `interval` steps, so that every run does it at the same ones."""

    def __init__(self, interval: int, progress: Progress) -> None:
        self._interval, self._progress = interval, progress

    def __call__(self) -> bool:
        """Whether it is due."""
        return self._progress.step % self._interval == 0


@dataclass(frozen=True, slots=True)
class Due:
    """What is asked after each step."""

    report: Callable[[], bool]
    measurement: Callable[[], bool]
    checkpoint: Callable[[], bool]

    @classmethod
    def of(cls, run: Run) -> Due:
        """As often as the course's settings say."""
        training, progress = run.training, run.progress
        return cls(
            report=Every(training.report_every_s, progress),
            measurement=Every(training.evaluate_every_s, progress),
            checkpoint=Every(training.checkpoint_every_s, progress),
        )


def train(run: Run, task: Task, panels: Mapping[str, tuple[str, ...]]) -> None:
    """Trains to the end of the course; leaves the checkpoint, its history and curves.png in one folder.

    Args:
        run: the net, as far as it has come.
        task: its batches and figures.
        panels: what the curves show: names of costs and figures, by the title of their panel.

    """
    follow(run, task)
    run.save()
    run.note(task.measure(run.average.net))
    curves = run.checkpoint.with_name("curves.png")
    draw_curves(run.history, curves, panels)
    print(f"{run.checkpoint} holds the weights, {curves} the curves", flush=True)


def follow(run: Run, task: Task, due: Due | None = None, clock_s: Callable[[], float] = time.monotonic) -> None:
    """Trains to the end of the course; reports, measures and saves on the way, when it is `due`."""
    training, progress, due = run.training, run.progress, due or Due.of(run)
    # A resumed run must not draw the samples of its start again.
    rng = np.random.default_rng([training.seed, progress.step])
    smoothed = Smoothed(task.smoothing)
    begun_s = clock_s() - progress.elapsed_s
    while course.share_done(training, progress) < 1:
        costs = task.costs(run.net, progress, rng)
        run.descend(costs)
        smoothed.add(costs.parts)
        progress.elapsed_s = clock_s() - begun_s
        if due.report():
            task.refresh()
            _report(run, task.describe(run, smoothed.means))
            run.note(smoothed.means)
        if due.measurement():
            run.note(task.measure(run.average.net))
        if due.checkpoint():
            run.save()


def _report(run: Run, told: str) -> None:
    progress = run.progress
    share = course.share_done(run.training, progress)
    print(f"{progress.elapsed_s / 60:6.1f} min  {share:4.0%}  step {progress.step}  {told}", flush=True)
