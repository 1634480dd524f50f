"""Reads TOML files: whatever is wrong with one is said in one line, with the line number where there is one."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from roadside.errors import SettingsError
from roadside.kit.file_faults import reading_fault

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1 << 20
"""Of a file that people write."""


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file. Raises SettingsError, naming it."""
    return parse_toml(read_text(path), path)


def read_text(path: Path) -> str:
    """The text of a file of settings. Raises SettingsError, naming it."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise SettingsError(f"{path}: is larger than {MOST_BYTES >> 20} MiB; name a file of settings")
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}: line {line} is no UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{path}: {reading_fault(error)}") from None
    except ValueError:  # a name that no file can have
        raise SettingsError(f"{str(path)!r}: no such file; correct the name") from None


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """The content of the text of the TOML file at `path`. Raises SettingsError, naming it."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SettingsError(f"{path}: brackets inside brackets without end; correct the file") from None
    except ValueError as error:  # tomllib's own, and numbers of too many digits
        reason = str(error).splitlines()[0] if str(error) else "is no TOML"
        mend = 'texts stand in quotes, name = "text"' if reason.startswith("Invalid value") else "correct the file"
        raise SettingsError(f"{path}: {reason}; {mend}") from None
