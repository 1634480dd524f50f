"""What an optional part of Roadside needs, as the command that installs it."""

from __future__ import annotations

import shlex
from importlib.metadata import requires


def install_command(extra: str) -> str:
    """The command that installs the packages of `extra`, one of the optional dependencies of pyproject.toml.

    It names the packages themselves, as this installation lists them: they are on PyPI whether or not Roadside is.
    """
    listed = (requirement.partition(";") for requirement in requires("roadside") or ())
    wanted = [name.strip() for name, _, marker in listed if marker.replace("'", '"').strip() == f'extra == "{extra}"']
    return " ".join(("pip install", *(shlex.quote(name) for name in wanted)))
