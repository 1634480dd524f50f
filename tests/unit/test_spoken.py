"""Commands speak the language of their environment, and keep the names of verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from roadside.commands.spoken import VARIABLES, headings, rule_said, spoken
from roadside.commands.table import sighting_line, sighting_table
from roadside.core.rules import words_of
from roadside.core.sightings import VerdictKind
from tests.consoles import seen_sighting

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_to(**variables: str) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_to


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "cs_CZ"}, "cs"),
        ({"LANG": "sk_SK.UTF-8"}, "cs"),
        ({"LANG": "ja_JP.UTF-8"}, "en"),
        ({"LANG": "de_DE", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE", "LC_MESSAGES": "cs_CZ"}, "cs"),
        ({"LANG": "../../x"}, "en"),
    ],
)
def test_the_language_is_that_of_the_environment(
    speak: Callable[..., None], variables: dict[str, str], language: str
) -> None:
    speak(**variables)
    assert spoken() == language


def test_rules_and_headings_are_said_in_it(speak: Callable[..., None]) -> None:
    sighting, _ = seen_sighting("AB12CDE", VerdictKind.REVIEW, rule="one-look", name="s")
    speak(LANG="de_DE.UTF-8")
    assert "zu selten gesehen" in sighting_line(sighting)
    table = sighting_table([sighting])
    assert "kennzeichen" in table
    assert "REVIEW" in table
    assert headings(("time", "other")) == ("zeit", "other")
    assert rule_said("special-series-army").brief == "eine besondere Serie: army"
    speak(LANG="C")
    assert rule_said("one-look") == words_of("one-look")
    assert "seen too few times" in sighting_line(sighting)
