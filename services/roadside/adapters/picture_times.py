"""The times of photographs, handed on to pictures that are made of them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from roadside.adapters.sources.pictures import read_bytes
from roadside.errors import SourceError
from roadside.wire.decoding import pillow_faults

if TYPE_CHECKING:
    from pathlib import Path

CHANGED = 0x0132
EXIF = 0x8769
TIMES = (0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9291)
"""DateTimeOriginal, DateTimeDigitized and what belongs to them; CIPA DC-008, 4.6.5."""
_MOST_BYTES = 65_533


def with_times(jpeg: bytes, original: Path) -> bytes:
    """`jpeg`, which says when it was taken as `original` does; as it is where that says nothing."""
    kept = Image.Exif()
    try:
        with pillow_faults(), Image.open(BytesIO(read_bytes(original))) as photograph:
            said = photograph.getexif()
            own = said.get_ifd(EXIF)
    except (SourceError, ValueError):
        return jpeg
    if CHANGED in said:
        kept[CHANGED] = said[CHANGED]
    times = {tag: own[tag] for tag in TIMES if tag in own}
    kept.get_ifd(EXIF).update(times)
    payload = kept.tobytes()
    if (not times and CHANGED not in said) or len(payload) > _MOST_BYTES:
        return jpeg
    return jpeg[:2] + b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload + jpeg[2:]
