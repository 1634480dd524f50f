"""When a vignette is valid: dates of a country's own time, and summer time at both its ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from roadside.errors import SettingsError
from roadside.registry.validity import end_ns, start_ns, zone

PRAGUE = zone("Europe/Prague")
LONDON = zone("Europe/London")
HOUR_NS = 3600 * 10**9


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize("text", ["2026-01-31", "31.1.2026", "31/01/2026", "20260131", " 2026-01-31 "])
def test_a_date_is_valid_from_its_first_moment_to_its_last(text: str) -> None:
    assert start_ns(text, PRAGUE) == at("2026-01-30T23:00")
    assert end_ns(text, PRAGUE) == at("2026-01-31T23:00")


def test_a_day_has_23_or_25_hours_where_the_clock_changes() -> None:
    assert end_ns("2026-03-29", PRAGUE) - start_ns("2026-03-29", PRAGUE) == 23 * HOUR_NS
    assert end_ns("2026-10-25", PRAGUE) - start_ns("2026-10-25", PRAGUE) == 25 * HOUR_NS
    assert end_ns("2026-07-01", LONDON) == at("2026-07-01T23:00")


def test_a_time_that_comes_twice_is_taken_for_the_driver() -> None:
    """On 25 October 2026 the clock of Prague shows 02:30 at 00:30 and at 01:30 UTC."""
    assert start_ns("2026-10-25T02:30", PRAGUE) == at("2026-10-25T00:30")
    assert end_ns("2026-10-25T02:30", PRAGUE) == at("2026-10-25T01:31")


def test_a_time_that_never_comes_is_no_error() -> None:
    """On 29 March 2026 the clock of Prague goes from 02:00 to 03:00."""
    assert start_ns("2026-03-29T02:30", PRAGUE) <= end_ns("2026-03-29T02:30", PRAGUE)


def test_a_time_with_an_offset_is_what_it_says() -> None:
    assert start_ns("2026-06-01T12:00+02:00", LONDON) == at("2026-06-01T10:00")
    assert end_ns("2026-06-01T12:00:30Z", LONDON) == at("2026-06-01T12:00:31")


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "31-31-2026", "2026-01-01T25:00"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        start_ns(text, PRAGUE)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(SettingsError, match="Europe/Prague"):
        zone("Europe/Atlantis")
