"""Flags that are settings: each is named, explained and checked by `roadside.assembly.settings`."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args, get_origin

from roadside.assembly.settings import Settings, known_settings, load_settings
from roadside.kit.config import PREFIX, variable_warnings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from pydantic.fields import FieldInfo

SubParsers: TypeAlias = "argparse._SubParsersAction[Any]"  # noqa: SLF001 (argparse has no public name for it)

READING = (
    "modeldir",
    "quality",
    "reader",
    "reader_modeldir",
    "tessdata",
    "runtime",
    "threads",
    "search",
    "score",
    "confidence",
)
"""The settings of finding and reading plates."""


def add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    """Give `parser` a flag for each of the settings `names`."""
    group = parser.add_argument_group("settings", f"each is also a variable, {PREFIX}MODELDIR for --modeldir")
    for name in names:
        field = Settings.model_fields[name]
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "" if default is None else f" (default {default})"
        explained = f"{field.description}{shown}".replace("%", "%%")
        group.add_argument(f"--{name.replace('_', '-')}", metavar=_metavar(field), default=None, help=explained)


def _metavar(field: FieldInfo) -> str:
    """What stands for the value in the help: its choices where there are few, else X."""
    choices = _choices(field.annotation)
    return f"{{{','.join(choices)}}}" if choices else "X"


def _choices(annotation: object) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(choice.value) for choice in annotation]
    if annotation is bool:
        return ["true", "false"]
    return []


def options_of(parsed: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The settings among `names` that a command line gives, unchecked."""
    return {name: value for name in names if (value := getattr(parsed, name)) is not None}


def add_config(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the flag that names the file of settings; whoever runs it opens it with `named_file`."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the file of settings and cameras (default: that of ROADSIDE_CONFIG, else site.toml here, in "
        "~/.config/roadside or in /etc/roadside)",
    )


def flags_of(parsed: argparse.Namespace) -> dict[str, Any]:
    """The settings that a command line gives, unchecked; None for the others."""
    return {name: getattr(parsed, name, None) for name in Settings.model_fields}


def settings_of(parsed: argparse.Namespace) -> Settings:
    """The settings of a command line. Raises SettingsError. Warns of variables that are no settings."""
    for line in variable_warnings(known_settings(), os.environ):
        print(f"roadside: {line}", file=sys.stderr)
    return load_settings(flags_of(parsed))
