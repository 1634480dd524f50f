"""Secrets of channels: they come from the environment, so that no file of settings holds them."""

from __future__ import annotations

import os

from roadside.errors import SettingsError


def secret(variable: str) -> str:
    """The value of an environment variable. Raises SettingsError where it is missing or empty."""
    value = os.environ.get(variable, "")
    if not value:
        raise SettingsError(f"notifications need the variable {variable}")
    return value
