"""What is needed a while is gone afterwards, also where who made it was killed."""

from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from roadside.kit.scratch import ScratchFolder

if TYPE_CHECKING:
    from pathlib import Path

MAKES = """
import sys, time
from roadside.kit.scratch import ScratchFolder
folder = ScratchFolder("lists")
(folder.path / "vignettes.csv").write_text("1AB2345")
print(folder.path, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


def test_the_folder_of_a_process_that_was_killed_goes_with_the_next_and_others_stay(tmp_path: Path) -> None:
    killed, lives = (subprocess.Popen([sys.executable, "-c", MAKES], stdout=subprocess.PIPE) for _ in range(2))
    try:
        for process in (killed, lives):
            assert process.stdout is not None
            assert process.stdout.readline()
        killed.kill()
        killed.wait()
        (tmp_path / "roadside-of-a-stranger").mkdir()
        assert len(list(tmp_path.glob("*/vignettes.csv"))) == 2
        with ScratchFolder("lists") as folder:
            assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
            assert len(list(tmp_path.glob("*/vignettes.csv"))) == 1, "that of the process which lives"
        assert not folder.path.exists()
        assert (tmp_path / "roadside-of-a-stranger").exists(), "what is not locked is not ours"
    finally:
        for process in (killed, lives):
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.mkdir()
    (target / ".in-use").touch()
    (tmp_path / "roadside-lists-x").symlink_to(target)
    with ScratchFolder("lists"):
        pass
    assert target.exists()
