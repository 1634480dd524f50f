"""What the console's pages say, in which language, and what they load."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest

from roadside.console.app import STATIC
from roadside.console.languages import CATALOGS, LANGUAGES, SOURCE, Wording, preferred
from roadside.console.queries import Asked, asked, query_of
from roadside.console.terms import ANSWERS, ROLES, VERDICTS, rule_sentence, rule_word
from roadside.core.reviews import ReviewAction
from roadside.core.sightings import VerdictKind
from roadside.errors import InputError

PRAGUE = ZoneInfo("Europe/Prague")
_SPEC = importlib.util.spec_from_file_location("catalogs", Path(".ci/catalogs.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
catalogs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(catalogs)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != SOURCE])
def test_nothing_is_untranslated(language: str) -> None:
    assert catalogs.missing(language) == []
    assert (CATALOGS / f"{language}.po").is_file()


def test_everything_that_can_be_said_has_a_word() -> None:
    assert set(VERDICTS) == set(VerdictKind)
    assert set(ANSWERS) == set(ReviewAction)
    assert set(ROLES) == {"viewer", "checker", "reviewer", "admin"}
    czech = Wording("cs", PRAGUE)
    assert rule_word(czech, "special-series-diplomatic") == "zvláštní řada: diplomatic"
    assert "some-new-rule" in rule_sentence(czech, "some-new-rule")


@pytest.mark.parametrize(
    ("header", "chosen", "language"),
    [
        ("", "", "en"),
        ("cs", "", "cs"),
        ("de-AT, en;q=0.5", "", "de"),
        ("pl, en;q=0.5", "", "en"),
        ("sk-SK, en;q=0.5", "", "cs"),
        ("en, cs;q=0.9", "", "en"),
        ("en", "cs", "cs"),
        ("en", "xx", "en"),
        ("cs;q=nonsense, ,;;,en;q=0.1", "", "en"),
        (",".join(["xx"] * 10_000), "", "en"),
    ],
)
def test_the_language_that_a_browser_wants(header: str, chosen: str, language: str) -> None:
    assert preferred(header, chosen) == language


def test_times_are_those_of_the_registry_s_zone() -> None:
    assert Wording("en", PRAGUE).clock(1_790_000_000 * 10**9) == "16:13:20"
    assert Wording("cs", PRAGUE).moment(1_790_000_000 * 10**9) == "21. 9. 2026 16:13:20"


def test_small_probabilities_keep_their_digits() -> None:
    words = Wording("en", PRAGUE)
    assert [words.share(p) for p in (0.0, 1e-6, 0.0312, 1.0)] == ["0%", "under 1 in 100,000", "3.1%", "100%"]


def test_plural_forms() -> None:
    czech = Wording("cs", PRAGUE)
    said = [czech.count("%(num)d frame", "%(num)d frames", number) for number in (1, 3, 5)]
    assert said == ["1 snímek", "3 snímky", "5 snímků"]
    german = Wording("de", PRAGUE)
    assert [german.count("%(num)d frame", "%(num)d frames", number) for number in (1, 5)] == ["1 Bild", "5 Bilder"]
    assert german.number(1234.5) == "1.234,5"


def test_a_day_ends_at_its_midnight_there() -> None:
    query = query_of(Asked(since="2026-03-29", until="2026-03-29"), PRAGUE)
    assert query.since_ns is not None
    assert query.until_ns is not None
    assert query.until_ns - query.since_ns == 23 * 3600 * 10**9  # summer time begins


@pytest.mark.parametrize(
    "fields",
    [{"since": "x"}, {"until": "9999-12-31"}, {"since": "1900-01-01"}, {"verdict": "GUILTY"}, {"country": "Atlantis"},
     {"plate": "?!"}, {"plate": "A" * 17}, {"since": "0001-01-01T00:00"}],
)  # fmt: skip
def test_searches_that_are_none(fields: dict[str, str]) -> None:
    with pytest.raises(InputError, match=next(iter(fields)).replace("since", "from")):
        query_of(asked(fields), PRAGUE)


def test_a_link_keeps_the_search() -> None:
    said = asked({"plate": "AB 12", "how": "starts", "camera": "a&b=c", "other": "x"})
    assert dict(parse_qsl(said.link("next"))) == {"plate": "AB 12", "how": "starts", "camera": "a&b=c", "page": "next"}


def test_what_pages_load_is_what_was_pinned() -> None:
    vendor = STATIC / "vendor"
    listed = dict(reversed(line.split("  ")) for line in (vendor / "SHA256SUMS").read_text().splitlines())
    files = {path.name for path in vendor.iterdir()} - {"SHA256SUMS", "package.json", "package-lock.json"}
    assert set(listed) == files
    for name, digest in listed.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest, name
