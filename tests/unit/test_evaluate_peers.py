"""Other readers beside ours: who cannot be run is named, and counts are counted alike."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from models.evaluate import peers
from models.evaluate.end_to_end import SETS
from models.evaluate.peers import Told
from roadside.errors import ModelError


def told(*texts: tuple[str, float]) -> Told:
    return Told(texts, 10.0, 5.0)


def test_a_reader_without_its_environment_is_named() -> None:
    with pytest.raises(ModelError, match=r"simplelpr \(no .venv-peers"):
        peers.read_with(None, "simplelpr", [])


def test_a_reader_that_fails_tells_its_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"fast-alpr \(ModuleNotFoundError: No module named"):
        peers.read_with(Path(sys.executable), "fast-alpr", [tmp_path / "none.jpg"])


def test_right_wrong_and_alarms_are_counted() -> None:
    groups, truths = [SETS[0], SETS[0], SETS[1]], [{"AB12CDE"}, {"K0123"}, {"XY34ZZZ"}]
    said = [
        told(("AB12CDE", 0.5), ("ADVERT1", 0.95)),
        told(("KO123", 0.99)),
        told(),
        told(("SIGN1", 0.3), ("SIGN2", 0.91)),
    ]
    row = peers._figures(groups, truths, said)  # noqa: SLF001 - the count is what the table rests on
    assert row[0] == "1.000"
    assert row[1] == "0.000"
    assert row[5:8] == ("2 of 3", "1", "2 / 1")
