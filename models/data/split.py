"""Which photographs are held out: one rule for training and evaluation, so that no figure flatters."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from roadside.core.plates import fold

if TYPE_CHECKING:
    from collections.abc import Collection

DETECTOR_BUCKETS = 7
"""One in seven pictures of oi_gplates is never trained on."""
READER_BUCKETS = {"UK": 4}
"""One in four UK texts, because there are few; one in ten of the others."""
OTHER_READER_BUCKETS = 10


def bucket(name: str, buckets: int) -> int:
    """A number from 0 to `buckets` - 1 that depends on `name` alone, on every machine."""
    return int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(), 16) % buckets


def detector_held_out(source: str, path: str, texts: Collection[str]) -> bool:
    """Whether a picture is kept from the detector's training; pictures of one plate go together."""
    if source != "oi_gplates":
        return False
    return bucket(min(texts) if texts else path, DETECTOR_BUCKETS) == 0


def reader_held_out(text: str, region: str) -> bool:
    """Whether the crops of a plate of a training source are kept from the readers' training."""
    return bool(text) and bucket(fold(text), READER_BUCKETS.get(region, OTHER_READER_BUCKETS)) == 0
