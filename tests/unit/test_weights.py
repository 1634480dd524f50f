"""The shipped weights are the ones that their checksums name, and small enough."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "models"
SUMS = sorted(MODELS.glob("*/**/SHA256SUMS"))
MOST_BYTES = 15_000_000


def test_every_folder_of_weights_has_its_checksums() -> None:
    folders = {p.parent for pattern in ("*.tflite", "*.traineddata") for p in MODELS.glob(f"*/**/{pattern}")}
    assert folders == {p.parent for p in SUMS}


@pytest.mark.parametrize("sums", SUMS, ids=lambda p: str(p.parent.relative_to(MODELS)))
def test_weights_are_those_that_were_measured(sums: Path) -> None:
    for line in sums.read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((sums.parent / name.lstrip("*")).read_bytes()).hexdigest() == digest, name


def test_the_weights_stay_under_their_limit_together() -> None:
    files = [p for pattern in ("*.tflite", "*.traineddata") for p in MODELS.glob(f"*/**/{pattern}")]
    assert sum(p.stat().st_size for p in files) < MOST_BYTES
