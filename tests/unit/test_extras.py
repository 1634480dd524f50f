"""The command that installs an optional part names packages, never Roadside itself, which no index may have."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest

from roadside.kit.extras import install_command

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("extra", ["cluster"])
def test_every_package_of_the_extra_is_named(extra: str) -> None:
    pip, install, *packages = shlex.split(install_command(extra))
    assert (pip, install) == ("pip", "install")
    assert sorted(packages) == sorted(PROJECT["project"]["optional-dependencies"][extra])
