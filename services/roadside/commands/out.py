"""What `--out` may be."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from roadside.errors import InputError


def refuse_overwriting(out: Path, given: Path) -> None:
    """Raises InputError where writing `out` would destroy `given`, what is to be read."""
    try:
        same = out.samefile(given)
    except (OSError, ValueError):
        return  # one of them is not there, or no file at all
    if same:
        raise InputError(f"--out {out}: is what is to be read, and would be overwritten; choose another")


def refuse_unwritable(out: Path, flag: str = "--out ") -> None:
    """Raises InputError where `out` cannot be written, before anything is read: at the end it would be too late.

    `flag` is what names it on the command line.
    """
    there = next((path for path in (out, *out.parents) if path.exists()), Path())
    if out.is_dir() and out.suffix:
        raise InputError(f"{flag}{out}: is a folder; name a file")
    if there != out and not there.is_dir():
        raise InputError(f"{flag}{out}: {there} is no folder; choose another")
    if not os.access(there, os.W_OK) or (there.is_dir() and not _takes_files(there)):
        raise InputError(f"{flag}{out}: cannot be written there; choose another, or change its permissions")


def _takes_files(folder: Path) -> bool:
    """Whether a file can be made in a folder: what permissions say does not hold on a disk that is read-only."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
