"""Model files of others are tried in a process of their own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.adapters.models import trial, trial_child
from roadside.adapters.models.tflite import RUNTIMES, TfliteReaderNet, load_interpreter
from roadside.errors import ModelError
from roadside.kit.weights import shipped_digests, weights_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

READER = weights_folder() / "reader_int8"
LITERT = RUNTIMES["litert"]


def folder_with(tmp_path: Path, content: bytes) -> Path:
    shutil.copy(READER / "reader.json", tmp_path)
    (tmp_path / "read.tflite").write_bytes(content)
    return tmp_path


def changed() -> bytes:
    """A whole reader of somebody else: a byte of its weights is another."""
    content = bytearray((READER / "read.tflite").read_bytes())
    content[len(content) // 2] ^= 1
    return bytes(content)


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("tried")


def test_shipped_models_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial.subprocess, "run", refuse)
    assert len(shipped_digests()) > 5
    for path in weights_folder().rglob("*.tflite"):
        load_interpreter(path, 1)


def test_a_model_of_ones_own_runs_and_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = TfliteReaderNet(folder_with(tmp_path, changed()))
    assert net.logits(np.zeros((48, 176), np.uint8))[0].shape[1] == 37
    monkeypatch.setattr(trial.subprocess, "run", refuse)
    TfliteReaderNet(tmp_path)


class TakesInputForPlaces:
    """An interpreter of a model that runs on a black picture, and on no other."""

    def __init__(self, **_: object) -> None:
        self.filled_with: list[int] = []

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, object]]:
        return [{"index": 0, "shape": np.array([1, 2]), "dtype": np.int8}]

    def get_output_details(self) -> list[dict[str, object]]:
        return []

    def set_tensor(self, index: int, value: NDArray[np.int8]) -> None:
        del index
        self.filled_with = value.ravel().tolist()

    def invoke(self) -> None:
        if any(self.filled_with):
            raise RuntimeError("gather index out of bounds")


def test_a_model_that_runs_on_a_black_picture_alone_does_not_stand_its_trial() -> None:
    with pytest.raises(RuntimeError, match="gather"):
        trial_child.run_tflite(SimpleNamespace(Interpreter=TakesInputForPlaces), b"")


ENDS = {
    "os.kill(os.getpid(), 11)": r"ended it \(signal 11\)",
    "os._exit(9)": r"ended it \(exit code 9\)",
    "time.sleep(30)": "did not end within 3 s",
    "print('no such operator'); sys.exit(1)": "cannot be run by ai_edge_litert: no such operator",
}


@pytest.mark.parametrize("does", ENDS)
def test_a_model_that_ends_the_process_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    monkeypatch.setattr(trial, "CHILD", (sys.executable, "-c", f"import os, sys, time; {does}"))
    monkeypatch.setattr(trial, "TIMEOUT_S", 3.0)
    with pytest.raises(ModelError, match=rf"^their\.tflite .*{ENDS[does]}") as raised:
        trial.try_apart(Path("their.tflite"), does.encode(), LITERT)
    assert "\n" not in str(raised.value)


def test_a_process_for_the_trial_needs_memory_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = "from roadside.adapters.models import trial_child as c; c.run_tflite = lambda *_: bytearray(8 << 30); "
    monkeypatch.setattr(trial, "CHILD", (sys.executable, "-c", greedy + "import sys; sys.exit(c.main())"))
    with pytest.raises(ModelError, match="cannot be run by ai_edge_litert: MemoryError"):
        trial.try_apart(Path("their.tflite"), b"greedy", LITERT)
