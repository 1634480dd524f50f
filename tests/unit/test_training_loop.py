"""The loop of every training, and its command line; torch is only in .venv-train: `make test-training`."""

from __future__ import annotations

import json
import multiprocessing
import os
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch", reason="torch is only in .venv-train: run `make test-training`")

from models.detector import config as detector  # noqa: E402
from models.detector.train import main as train_detector  # noqa: E402
from models.training import command, device  # noqa: E402
from models.training.command import Job  # noqa: E402
from models.training.course import Limits, Progress  # noqa: E402
from models.training.loop import (  # noqa: E402
    Costs,
    Due,
    Every,
    EverySteps,
    Place,
    Run,
    Smoothed,
    follow,
    prepare,
    train,
)
from roadside.errors import ModelError, SettingsError  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from models.training.settings import Course

PANELS = {"cost": ("away",), "held out": ("weight",)}


class Doubling:
    """Teaches one weight to double its input; keeps what the loop asks of it."""

    smoothing = 0.5

    def __init__(self) -> None:
        self.drawn: list[float] = []
        self.asked: list[str] = []

    def draw(self, _progress: Progress, rng: np.random.Generator) -> float:
        return float(rng.uniform(0.5, 1.5))

    def costs(self, net: torch.nn.Module, batch: float) -> Costs:
        self.drawn.append(batch)
        away = (net(torch.tensor([[batch]])) - 2 * batch) ** 2
        return Costs(away.mean(), {"away": away.mean()})

    def refresh(self) -> None:
        self.asked.append("refresh")

    def describe(self, run: Run, means: Mapping[str, float]) -> str:
        self.asked.append("report")
        return f"{run.pace:.0f} a second, away {means['away']:.3f}"

    def measure(self, net: torch.nn.Module) -> dict[str, float]:
        self.asked.append("measure")
        return {"weight": net.weight.item()}


def course(steps: int, **changed: float) -> Course:
    update = {"warmup_steps": 1, "rate": 0.05, "average": 0.5, **changed}
    return detector.load().training.limited(Limits(steps=steps, threads=1)).model_copy(update=update)


def begin(folder: Path, training: Course) -> Run:
    prepare(training)
    return Run(folder / "one.ck", training, torch.nn.Linear(1, 1, bias=False))


class Clock:
    """Stands still but for `step_s` at each look."""

    def __init__(self, step_s: float) -> None:
        self.now_s, self.step_s = 100.0, step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


def test_a_net_learns_and_leaves_weights_history_and_curves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = begin(tmp_path, course(80, rate=0.15))
    task = Doubling()
    train(run, task, PANELS)
    assert run.net.weight.item() == pytest.approx(2, abs=0.2)
    assert run.progress.step == 80
    assert task.asked[-1] == "measure"
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    last = json.loads((tmp_path / "history.jsonl").read_text().splitlines()[-1])
    assert (last["step"], last["weight"]) == (80, run.average.net.weight.item())
    assert f"{tmp_path / 'one.ck'} holds the weights" in capsys.readouterr().out


def test_an_ended_run_is_only_measured_again(tmp_path: Path) -> None:
    train(begin(tmp_path, course(3)), Doubling(), PANELS)
    again, task = begin(tmp_path, course(3)), Doubling()
    train(again, task, PANELS)
    assert (task.drawn, task.asked) == ([], ["measure"])


def test_two_runs_of_one_seed_end_alike(tmp_path: Path) -> None:
    runs = [begin(tmp_path / name, course(5)) for name in "ab"]
    for run in runs:
        follow(run, Doubling())
    assert runs[0].net.weight.item() == runs[1].net.weight.item()


def test_a_resumed_run_goes_on_at_its_step_and_draws_other_samples(tmp_path: Path) -> None:
    first, half = Doubling(), begin(tmp_path, course(4))
    follow(half, first)
    half.save()
    resumed, second = begin(tmp_path, course(8)), Doubling()
    assert (resumed.progress.step, resumed.progress.elapsed_s) == (4, half.progress.elapsed_s)
    assert torch.equal(resumed.average.net.weight, half.average.net.weight)
    follow(resumed, second)
    assert resumed.progress.step == 8
    assert len(second.drawn) == 4
    assert not set(first.drawn) & set(second.drawn)


def test_reports_figures_and_checkpoints_come_as_often_as_the_settings_say(tmp_path: Path) -> None:
    training = course(10, report_every_s=2.5, evaluate_every_s=4.5, checkpoint_every_s=8.5)
    run, task = begin(tmp_path, training), Doubling()
    follow(run, task, clock_s=Clock(1.0))
    assert task.asked == ["refresh", "report", "measure", "refresh", "report", "refresh", "report", "measure"]
    assert begin(tmp_path, training).progress == Progress(9, 9.0)


def test_time_ends_a_run_as_steps_do(tmp_path: Path) -> None:
    training = course(1).limited(Limits(minutes=0.1))
    run = begin(tmp_path, training)
    follow(run, Doubling(), clock_s=Clock(2.0))
    assert run.progress == Progress(3, 6.0)


def test_what_is_due_by_steps_is_due_at_the_same_ones_of_every_run() -> None:
    progress = Progress()
    due = EverySteps(3, progress)
    found = []
    for progress.step in range(1, 10):
        found.append(due())
    assert [step for step, one in enumerate(found, 1) if one] == [3, 6, 9]


def test_what_is_due_by_time_counts_from_where_a_run_was_taken_up() -> None:
    progress = Progress(5, 60.0)
    due = Every(10.0, progress)
    assert not due()
    progress.elapsed_s = 70.5
    assert due()
    assert not due()


def test_a_share_of_the_rate_holds_for_its_group_alone(tmp_path: Path) -> None:
    training = course(10)
    prepare(training)
    net = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))
    groups = [{"params": list(net[0].parameters()), "share": 0.0}, {"params": list(net[1].parameters()), "share": 1.0}]
    before = [part.clone() for part in net.parameters()]
    run = Run(tmp_path / "one.ck", training, net, groups)
    run.descend(Costs(net(torch.ones(1, 1)).sum() ** 2, {}))
    same = [torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True)]
    assert same == [True, True, False, False]


def test_running_means_begin_at_the_first_cost() -> None:
    smoothed = Smoothed(0.75)
    for value in (4.0, 8.0):
        smoothed.add({"box": torch.tensor(value)})
    assert smoothed.means() == {"box": 5.0}


def test_the_command_line_is_one_job(tmp_path: Path) -> None:
    parser = command.parser("train", "Trains.", str(tmp_path), detector.DEFAULT, "random ones")
    job = Job.of(parser.parse_args(["--data", "pictures", "--steps", "5", "--rate", "1e-3", "--initial", "a.ck"]))
    assert (job.limits, job.run) == (Limits(steps=5, rate=1e-3), tmp_path)
    assert (str(job.data), str(job.initial), job.config) == ("pictures", "a.ck", detector.DEFAULT)


def test_a_fault_is_one_line_that_names_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "none"
    assert train_detector(["--data", str(missing), "--run", str(tmp_path / "run")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("models.detector.train: ")
    assert str(missing) in told
    assert told.count("\n") == 1


def test_ctrl_c_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    assert command.run("models.ocr.train", stopped) == 130
    assert capsys.readouterr().err == f"models.ocr.train: {command.STOPPED}\n"


def test_a_fault_of_no_user_is_not_swallowed() -> None:
    def wrong() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command.run("train", wrong)
    assert command.run("train", lambda: (_ for _ in ()).throw(SettingsError("no"))) == 1


def test_processes_draw_what_follows_seed_and_step_alone(tmp_path: Path) -> None:
    alone, two, cut = Doubling(), Doubling(), Doubling()
    follow(begin(tmp_path / "one", course(7)), alone, place=Place(loaders=1))
    follow(begin(tmp_path / "two", course(7)), two, place=Place(loaders=3))
    assert len(set(alone.drawn)) == 7
    assert two.drawn == alone.drawn
    half = begin(tmp_path / "cut", course(7))
    half.progress.step = 4
    follow(half, cut, place=Place(loaders=2))
    assert cut.drawn == alone.drawn[4:]
    assert not multiprocessing.active_children()


def test_a_batch_that_cannot_be_drawn_ends_the_training_with_a_line(tmp_path: Path) -> None:
    class Faulty(Doubling):
        def draw(self, progress: Progress, rng: np.random.Generator) -> float:
            if progress.step == 2:
                raise ValueError("no such picture")
            return super().draw(progress, rng)

    with pytest.raises(ModelError, match="ValueError: no such picture"):
        follow(begin(tmp_path, course(7)), Faulty(), place=Place(loaders=2))


def test_a_process_that_dies_ends_the_training_with_a_line(tmp_path: Path) -> None:
    class Killed(Doubling):
        def draw(self, progress: Progress, rng: np.random.Generator) -> float:
            if progress.step == 3:
                os._exit(9)
            return super().draw(progress, rng)

    with pytest.raises(ModelError, match=r"ended \(status 9\); with LOADERS=0"):
        follow(begin(tmp_path, course(7)), Killed(), place=Place(loaders=2))


def test_a_device_that_is_not_there_is_said() -> None:
    assert device.choose("cpu").type == "cpu"
    assert device.choose("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ModelError, match="cpu, cuda or auto"):
        device.choose("gpu")
    with pytest.raises(ModelError, match="not on mps"):
        device.choose("mps")
    with pytest.raises(ModelError, match="sees no cuda:77: install a build for CUDA"):
        device.choose("cuda:77")
    assert device.loaders(torch.device("cpu"), None) == 0
    assert device.loaders(torch.device("cuda"), None) >= 1
    assert device.loaders(torch.device("cpu"), 3) == 3


def test_a_run_says_itself_what_is_due(tmp_path: Path) -> None:
    run = begin(tmp_path, course(4))
    task = Doubling()
    never = Due(report=lambda: False, measurement=lambda: False, checkpoint=lambda: run.progress.step == 2)
    follow(run, task, never)
    assert task.asked == []
    assert begin(tmp_path, course(4)).progress.step == 2
