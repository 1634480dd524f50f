"""Clips of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def undated(clip: Path, folder: Path) -> Path:
    """A copy in `folder` of an MP4 that does not say when it was taken."""
    data = bytearray(clip.read_bytes())
    at = data.rindex(b"mvhd")
    assert data[at + 4] == 0, "version 0 has 32 bits for each time"
    data[at + 8 : at + 16] = bytes(8)
    copy = folder / "undated.mp4"
    copy.write_bytes(data)
    return copy
