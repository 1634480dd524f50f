"""The batches of a training: drawn as they are needed, or ahead of time by processes of their own."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from numpy.random import Generator

    from models.training.course import Progress

AHEAD = 3
"""Batches that each process has in hand or is asked for."""
REFRESHED = 20
"""After so many batches a process takes in the data that have come since."""


class Drawing(Protocol):
    """What batches are drawn from."""

    def draw(self, progress: Progress, rng: Generator) -> object:
        """The batch of the next step, without tensors: it may come from another process."""

    def refresh(self) -> None:
        """Takes in the training data that have come since."""


@contextmanager
def batches(task: Drawing, seed: int, progress: Progress, processes: int = 0) -> Iterator[Callable[[], object]]:
    """What gives the batch of each next step.

    With `processes` a batch follows seed and step alone, whichever process draws it and whether the run was
    interrupted. They are forked, so that what `task` holds is shared: nothing may be on a GPU yet.

    Raises:
        ModelError: a process that draws ended; from what gives the batches.

    """
    if not processes:
        # A resumed run must not draw the samples of its start again.
        rng = np.random.default_rng([seed, progress.step])
        yield lambda: task.draw(progress, rng)
        return
    drawers = [_Drawer.started(task, seed) for _ in range(processes)]
    try:
        yield _Ahead(drawers, progress).next
    finally:
        for drawer in drawers:
            drawer.stop()


class _Ahead:
    """Asks each process in turn for the batches of the steps to come."""

    def __init__(self, drawers: list[_Drawer], progress: Progress) -> None:
        self._drawers, self._progress = drawers, progress
        self._asked = self._given = progress.step

    def next(self) -> object:
        while self._asked < self._given + AHEAD * len(self._drawers):
            self._of(self._asked).ask(replace(self._progress, step=self._asked))
            self._asked += 1
        batch = self._of(self._given).take()
        self._given += 1
        return batch

    def _of(self, step: int) -> _Drawer:
        return self._drawers[step % len(self._drawers)]


@dataclass(frozen=True, slots=True)
class _Drawer:
    """A process that draws batches in the order in which it is asked for them."""

    process: BaseProcess
    line: Connection

    @classmethod
    def started(cls, task: Drawing, seed: int) -> _Drawer:
        fork = multiprocessing.get_context("fork")
        here, there = fork.Pipe()
        process = fork.Process(target=_serve, args=(task, seed, there, here), daemon=True)
        process.start()
        there.close()
        return cls(process, here)

    def ask(self, progress: Progress) -> None:
        try:
            self.line.send(progress)
        except OSError:
            raise self._ended() from None

    def take(self) -> object:
        try:
            batch = self.line.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        if isinstance(batch, str):
            raise ModelError(f"A batch could not be drawn: {batch}")
        return batch

    def stop(self) -> None:
        self.line.close()
        self.process.terminate()
        self.process.join()

    def _ended(self) -> ModelError:
        self.process.join(5.0)
        return ModelError(
            f"A process that draws batches ended (status {self.process.exitcode}); with LOADERS=0 this one draws them"
        )


def _serve(task: Drawing, seed: int, line: Connection, other_end: Connection) -> None:
    """Draws what is asked for until nobody asks any more; a fault is told in words."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training, which ends those that draw
    other_end.close()
    drawn = 0
    while True:
        try:
            progress = line.recv()
        except (EOFError, OSError):
            return
        if drawn % REFRESHED == 0:
            task.refresh()
        drawn += 1
        try:
            line.send(task.draw(progress, np.random.default_rng([seed, progress.step])))
        except OSError:
            return
        except Exception as fault:  # noqa: BLE001  # told by the process that waits for the batch
            line.send(f"{type(fault).__name__}: {fault}")
            return
