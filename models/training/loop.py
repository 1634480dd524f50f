"""The loop of every training: batch after batch to the end of its course, with reports, figures and checkpoints."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import torch

from models.training import course, device
from models.training.course import Average
from models.training.history import History, draw_curves
from models.training.loaders import batches

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

    def draw(self, progress: Progress, rng: Generator) -> Any:  # noqa: ANN401  # what its own `costs` takes
        """The batch of the next step, drawn with `rng`; without tensors, for it may come from another process."""

    def costs(self, net: nn.Module, batch: Any) -> Costs:  # noqa: ANN401  # what its own `draw` gives
        """What `net` loses on a batch, on the device that the net is on."""

    def refresh(self) -> None:
        """Takes in the training data that have come since the last report."""

    def describe(self, run: Run, means: Mapping[str, float]) -> str:
        """The end of a report's line; `means` are the running means of the costs by name."""

    def measure(self, net: nn.Module) -> Mapping[str, float]:
        """Prints how `net`, on the processor, does on held-out data; the figures that are kept, by name."""


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

    def move(self, device: torch.device) -> None:
        """Takes the net, its average and what the optimiser remembers to a device."""
        self.net.to(device)
        self.average.net.to(device)
        for state in self._optimiser.state.values():
            for name, value in state.items():
                if name != "step":  # AdamW counts its steps on the processor
                    state[name] = value.to(device)

    def measured(self, task: Task) -> Mapping[str, float]:
        """The figures of the averaged net, measured on the processor wherever it is trained."""
        net = self.average.net
        return task.measure(net if device.of(net).type == "cpu" else copy.deepcopy(net).cpu())

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

    def keep(self) -> None:
        """Leaves the averaged weights as they are now in `kept`, for a mean of several (models/training/mean.py)."""
        kept = self.checkpoint.parent / "kept"
        kept.mkdir(parents=True, exist_ok=True)
        part = kept / "part"
        torch.save(self.average.net.state_dict(), part)
        part.replace(kept / f"{self.checkpoint.stem}-{self.progress.step:06d}.pt")

    def save(self) -> None:
        """Writes the checkpoint."""
        course.save(self.checkpoint, self.net, self.average, self._optimiser, self.progress)


class Smoothed:
    """Running means of costs by name; the first value counts whole."""

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._means: dict[str, torch.Tensor] = {}

    def add(self, parts: Mapping[str, torch.Tensor]) -> None:
        """Takes in one batch's; a GPU is not waited for."""
        for name, part in parts.items():
            value, before = part.detach().double(), self._means.get(name)
            # where it was no number, the mean begins anew
            self._means[name] = (
                value if before is None else torch.where(before.isnan(), value, before.lerp(value, 1 - self._decay))
            )

    def means(self) -> dict[str, float]:
        """As they stand."""
        return {name: float(mean) for name, mean in self._means.items()}


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
class Place:
    """Where a training computes."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    loaders: int = 0
    """Processes that draw batches; 0 where the training draws them itself."""


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


def train(run: Run, task: Task, panels: Mapping[str, tuple[str, ...]], place: Place | None = None) -> None:
    """Trains to the end of the course; leaves the checkpoint, its history and curves.png in one folder.

    Args:
        run: the net, as far as it has come.
        task: its batches and figures.
        panels: what the curves show: names of costs and figures, by the title of their panel.
        place: where it computes; the processor unless told otherwise.

    """
    follow(run, task, place=place)
    run.save()
    run.keep()
    run.note(run.measured(task))
    curves = run.checkpoint.with_name("curves.png")
    draw_curves(run.history, curves, panels)
    print(f"{run.checkpoint} holds the weights, {curves} the curves", flush=True)


def follow(
    run: Run,
    task: Task,
    due: Due | None = None,
    clock_s: Callable[[], float] = time.monotonic,
    place: Place | None = None,
) -> None:
    """Trains to the end of the course; reports, measures and saves on the way, when it is `due`."""
    place = place or Place()
    with batches(task, run.training.seed, run.progress, place.loaders) as next_batch:
        run.move(place.device)  # after the processes that draw were forked: they must not inherit a GPU
        _follow(run, task, next_batch, due or Due.of(run), clock_s)


def _follow(run: Run, task: Task, next_batch: Callable[[], object], due: Due, clock_s: Callable[[], float]) -> None:
    training, progress = run.training, run.progress
    smoothed = Smoothed(task.smoothing)
    begun_s = clock_s() - progress.elapsed_s
    while course.share_done(training, progress) < 1:
        costs = task.costs(run.net, next_batch())
        run.descend(costs)
        smoothed.add(costs.parts)
        progress.elapsed_s = clock_s() - begun_s
        if due.report():
            task.refresh()
            _report(run, task.describe(run, smoothed.means()))
            run.note(smoothed.means())
        if due.measurement():
            run.note(run.measured(task))
            run.keep()
        if due.checkpoint():
            run.save()


def _report(run: Run, told: str) -> None:
    progress = run.progress
    share = course.share_done(run.training, progress)
    print(f"{progress.elapsed_s / 60:6.1f} min  {share:4.0%}  step {progress.step}  {told}", flush=True)
