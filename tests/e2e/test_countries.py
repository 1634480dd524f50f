"""`roadside read` names countries by the look of plates, also those of which no net was trained on photographs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from models.data.photographs import photographs as pictures_of
from roadside.core.plates import fold

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Program


@pytest.mark.parametrize(("source", "country", "least"), [("hu_david", "HU", 35), ("hr_osijek", "HR", 47)])
def test_a_country_that_was_only_rendered_is_named(
    program: Program, photographs: Path, source: str, country: str, least: int
) -> None:
    pictures = [p for p in pictures_of(photographs) if p.source == source and p.texts]
    ran = program.run("read", "--json", *(photographs / p.path for p in pictures))
    assert ran.returncode == 0, ran.stderr
    truths = {str(photographs / p.path): set(map(fold, p.texts)) for p in pictures}
    named = [
        plate["country"]
        for said in map(json.loads, ran.stdout.splitlines())
        for plate in said["plates"]
        if fold(plate["text"]) in truths[said["source"]]
    ]
    assert len(named) >= 45
    assert named.count(country) >= least
    assert len(named) - named.count(country) - named.count(None) <= 2
