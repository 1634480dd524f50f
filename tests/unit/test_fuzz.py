"""The fuzzing of `make fuzz`: it finds planted faults, and its targets stand their own seeds."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.fuzz import run
from tests.fuzz.mutation import TOKENS, mutated
from tests.fuzz.targets import TARGETS, Target, pictures

if TYPE_CHECKING:
    from pathlib import Path


def planted(name: str) -> Target:
    """A decoder with a fault that needs a change of its seed."""

    def run_it(data: bytes) -> None:
        if b"\xff" not in data:
            raise ValueError("as documented")
        if name == "error":
            raise KeyError(data)
        if name == "hang":
            time.sleep(60)

    return Target([b"seed of many letters"], run_it, (ValueError,))


@pytest.mark.parametrize("name", ["error", "hang", "nothing"])
def test_a_planted_fault_is_found_and_its_input_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(run, "HANG_S", 1)
    monkeypatch.setattr(run, "MOST_MB", 1 << 20)
    told = run.fuzz("planted", planted(name), 1, 0, tmp_path)
    assert told["executions"]
    found = json.dumps(told["found"])
    kept = [p.read_bytes() for p in tmp_path.iterdir() if p.suffix != ".last"]
    if name == "nothing":
        assert told["found"] == {}
        return
    assert ("KeyError" if name == "error" else "hangs") in found
    assert all(b"\xff" in data for data in kept)
    assert kept


def test_memory_beyond_the_limit_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MOST_MB", 1)
    told = run.fuzz("planted", planted("nothing"), 0, 0, tmp_path)
    assert told["found"] == {"more than 1 MB": 1}


def test_a_crash_of_a_target_is_told_with_its_input(tmp_path: Path) -> None:
    (tmp_path / "photograph.last").write_bytes(b"what was in hand")
    broken = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; from tests.fuzz import run; "
    broken += "sys.executable = '/bin/false'; print(run._run_apart('photograph', 1, 0, Path(sys.argv[1])))"
    told = subprocess.run([sys.executable, "-c", broken, tmp_path], capture_output=True, text=True, check=True).stdout
    assert "CRASHES" in told
    assert (tmp_path / "photograph-crash").read_bytes() == b"what was in hand"


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_stands_its_seeds(name: str) -> None:
    target = TARGETS[name]()
    accepted = 0
    rng = random.Random(0)
    for data in [*target.seeds, *(mutated(target.seeds[0], target.seeds, target.tokens, rng) for _ in range(50))]:
        try:
            target.run(data)
            accepted += 1
        except target.documented:
            continue
    assert accepted, "a target that takes none of its own seeds tests nothing"


def test_seeds_of_a_folder_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"found elsewhere \xff")
    monkeypatch.setenv(run.SEEDS_VARIABLE, str(tmp_path))
    told = run.fuzz("planted", planted("error"), 0, 0, tmp_path)
    assert "KeyError" in json.dumps(told["found"])


def test_an_unknown_target_is_one_line(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", "nonsense", "--out", tmp_path],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "photograph" in ended.stderr


def test_changes_are_many_and_bounded() -> None:
    rng = random.Random(0)
    made = {mutated(b"seed", [b"other"], (), rng) for _ in range(500)}
    assert len(made) > 300
    assert len(pictures()) > 30
    assert all(len(data) <= 1 << 20 for data in made)
    assert TOKENS
