"""What `--out` may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def refuse_overwriting(out: Path, given: Path) -> None:
    """Raises InputError where writing `out` would destroy `given`, what is to be read."""
    try:
        same = out.samefile(given)
    except (OSError, ValueError):
        return  # one of them is not there, or no file at all
    if same:
        raise InputError(f"--out {out}: is what is to be read, and would be overwritten; choose another")
