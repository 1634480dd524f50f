"""The soak's own parts: what it says of a clip that is not there, and of a process."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tests.bench import soak

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_clip_that_is_not_there_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["soak", "--clip", str(tmp_path / "gone.mp4"), "--out", str(tmp_path)])
    assert soak.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "gone.mp4" in line
    assert "make run" in line


def test_a_sample_tells_the_heap_of_what_is_the_process_s_own(tmp_path: Path) -> None:
    taken = soak.sample(os.getpid(), tmp_path, time.monotonic())
    assert 1 < taken.heap_mb <= taken.own_mb <= taken.resident_mb
