"""Every rule that the program can say has its words, for people who have no manual, and its line in docs/verdict.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from roadside.core.extent import Doubt
from roadside.core.moments import TimeDoubt
from roadside.core.nearness import Relation
from roadside.core.rules import Rule, has_words, words_of
from roadside.core.showing import Reserve
from roadside.core.special_series import SPECIAL

ROOT = Path(__file__).resolve().parents[2]
SERIES = sorted({kind for formats in SPECIAL.values() for kind, _ in formats})
SERIES_RULES = [f"{Rule.SPECIAL_SERIES}-{kind}" for kind in SERIES]
RULES = sorted({*Rule, *Doubt, *Relation, *Reserve, *TimeDoubt, *SERIES_RULES} - {str(Rule.SPECIAL_SERIES)})
NO_RULES = {"day-first", "month-first"}
"""Values of settings that look like rules."""
LONGEST_BRIEF = 40


def written() -> set[str]:
    """Every text in the code of core and registry that is written as rules are: small words and hyphens."""
    found: set[str] = set()
    for path in sorted((ROOT / "services" / "roadside").glob("core/*.py")) + sorted(
        (ROOT / "services" / "roadside").glob("registry/*.py")
    ):
        texts = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
        found |= {t for t in texts if isinstance(t, str) and re.fullmatch(r"[a-z]+(-[a-z]+)+", t)}
    return found - NO_RULES


def documented() -> set[str]:
    """The rules in the first column of docs/verdict.md's table, a family written as `name-first, -second`."""
    found: set[str] = set()
    for line in (ROOT / "docs" / "verdict.md").read_text().splitlines():
        cells = line.split("|")
        if len(cells) < 4 or not re.fullmatch(r"[a-z-]+(, [a-z-]+)*", cells[1].strip()):
            continue
        first, *others = cells[1].strip().split(", ")
        found |= {first, *(f"{first.rpartition('-')[0]}{o}" if o.startswith("-") else o for o in others)}
    return found


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_words_of_its_own(rule: str) -> None:
    words = words_of(rule)
    assert has_words(rule)
    assert len(words.brief) <= LONGEST_BRIEF
    assert words.sentence.endswith(".")
    assert "{" not in words.brief + words.sentence


def test_no_two_rules_have_the_same_words() -> None:
    assert (
        len({words_of(rule).brief for rule in RULES}) == len({words_of(rule).sentence for rule in RULES}) == len(RULES)
    )


def test_what_the_code_writes_as_a_rule_has_words_and_is_documented() -> None:
    said = written() | set(RULES)
    assert {rule for rule in said if not has_words(rule)} == set()
    assert said - {str(Rule.SPECIAL_SERIES)} - documented() == set()


def test_a_rule_of_another_version_keeps_its_name() -> None:
    assert words_of("seen-by-moonlight").brief == "seen-by-moonlight"
    assert not has_words("seen-by-moonlight")
