"""Where the tests find photographs, models and the program."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

with contextlib.suppress(ImportError):  # the training's environment goes without hypothesis
    from hypothesis import settings

    settings.register_profile("unhurried", deadline=None)  # a busy machine is no fault of the code
    settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder of real photographs and clips, which are not part of the repository."""
    folder = Path(os.environ.get("ROADSIDE_DATA") or ROOT / "../shared/data").resolve()
    if not (folder / "index.tsv").is_file():
        pytest.skip("no photographs: set ROADSIDE_DATA to their folder")
    return folder


@dataclass(frozen=True, slots=True)
class Program:
    """`roadside` as a user runs it, with a home of its own."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ROADSIDE_")}
        return {**kept, "HOME": str(self.home), "XDG_DATA_HOME": str(self.home / "data"), "LC_ALL": "C.UTF-8"}

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "roadside.cli", *map(str, arguments)]

    def run(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.home,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)
