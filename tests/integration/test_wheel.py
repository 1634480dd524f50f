"""A wheel of this checkout works without it. `make test-wheel` shows the same with all packages from the index."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest

from models.synth.street import DEMO_VEHICLES, Clip, write
from release.artefacts import MOST_BYTES, wheel_faults
from release.version import ROOT, current
from tests.wheel import Installed, prove

if TYPE_CHECKING:
    from pathlib import Path

FILES, FOLDERS = ("pyproject.toml", "README.md", "LICENSE"), ("services", "models/shipped")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy: what an earlier build left in the checkout has no part in it."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    (folder / "copy").mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, folder / "copy" / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / "copy" / name, symlinks=True, ignore=ignored)
    program = f"from setuptools import build_meta; build_meta.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", program], cwd=folder / "copy", check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_the_package_and_the_weights_that_are_in_the_folder(wheel: Path) -> None:
    assert wheel_faults(wheel, ROOT, current()) == []
    assert wheel.stat().st_size < MOST_BYTES
    folder = ROOT / "models" / "shipped"
    others = {"__pycache__", "checkpoints"}  # the latter for training, which needs the checkout
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and not others & set(p.parts)}
    with zipfile.ZipFile(wheel) as archive:
        begin = "roadside/weights/"
        assert {name.removeprefix(begin) for name in archive.namelist() if name.startswith(begin)} == files


def test_it_reads_pictures_and_clips_elsewhere(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    site = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    # The packages that it needs are those of this environment; its links to the checkout are not followed.
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", str(environment), "install", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    write(tmp_path / "clip.mp4", Clip(duration_s=2.6), DEMO_VEHICLES[:1])
    prove(Installed(environment, tmp_path / "elsewhere"), tmp_path / "clip.mp4", "HK47TVN")
