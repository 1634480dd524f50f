"""What an optional part of Roadside needs, as the command that installs it."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import requires

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
    return " ".join(("pip install", *(shlex.quote(name) for name in wanted)))
