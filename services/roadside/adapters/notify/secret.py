"""Secrets of channels: no file of settings holds them, but the environment, or a folder with a file for each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from roadside.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Secrets = Callable[[str], str]
    """Gives the secret of a name. Raises SettingsError where it is missing or empty."""


def secret(variable: str) -> str:
    """The value of an environment variable. Raises SettingsError where it is missing or empty."""
    value = os.environ.get(variable, "")
    if not value:
        raise SettingsError(f"notifications need the variable {variable}")
    return value


def secrets_in(folder: Path) -> Secrets:
    """Secrets that are files of `folder`, named like the variables that they stand for; or else variables."""

    def find(name: str) -> str:
        try:
            value = (folder / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            value = os.environ.get(name, "")
        except (OSError, UnicodeError) as error:
            raise SettingsError(f"notifications need the secret {name}: {error}") from error
        if not value:
            raise SettingsError(f"notifications need the secret {name}: put it into {folder}, or into a variable")
        return value

    return find
