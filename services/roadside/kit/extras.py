"""What an optional part of Roadside needs, as the command that installs it."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from importlib.metadata import requires
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def install_command(extra: str, *only: str) -> str:
    """The command that installs the packages of `extra`, one of the optional dependencies of pyproject.toml.

    It names the packages themselves, as this installation lists them: they are on PyPI whether or not Roadside is. With
    the names of some of them it installs `only` these.
    """
    listed = (requirement.partition(";") for requirement in requires("roadside") or ())
    wanted = [name.strip() for name, _, marker in listed if marker.replace("'", '"').strip() == f'extra == "{extra}"']
    if only:
        wanted = [requirement for requirement in wanted if (found := _NAME.match(requirement)) and found[0] in only]
    return " ".join((*_installer(), *(shlex.quote(name) for name in wanted)))


def _installer() -> tuple[str, ...]:
    """Installs into the environment that this program runs in, which a bare `pip` of the shell need not."""
    here = Path(sys.prefix)
    if here.parent.name == "venvs" and "pipx" in here.parts:
        return "pipx", "inject", here.name
    found = shutil.which("pip")
    if found is None or Path(found).parent.resolve() != Path(sys.executable).parent.resolve():
        return shlex.quote(sys.executable), "-m", "pip", "install"
    return "pip", "install"
