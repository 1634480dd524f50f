"""When recordings were taken, as the settings say, and what is told of times that are not believed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from roadside.adapters.sources.dating import AHEAD_NS, EARLIEST_NS, Dating
from roadside.core.moments import Stamp, TimeDoubt
from roadside.core.rules import words_of
from roadside.errors import SettingsError
from roadside.registry.validity import end_ns, start_ns, zone

if TYPE_CHECKING:
    from roadside.ports.system import Clock

_MENDS = {
    TimeDoubt.TOO_EARLY: "set this computer's clock",
    TimeDoubt.UNSYNCHRONISED: "let NTP set this computer's clock, or give --clock-sync off where you set it by hand",
}
AS_PLAYED = "now"
UNDATED = (
    "this recording does not say when it was taken: it is judged as of now, and who has not paid is UNKNOWN; "
    "give --recorded-at and the time, such as 2026-06-01T12:00+02:00"
)
_WITH_ZONE = re.compile(r".*(Z|UTC|[+-]\d{2}(:?\d{2})?)", re.IGNORECASE)


def advice(doubt: TimeDoubt) -> str:
    """One line for whoever watches a source whose times are not believed."""
    if doubt is TimeDoubt.RECORDING_UNKNOWN:
        return UNDATED
    mend = f": {_MENDS[doubt]}" if doubt in _MENDS else ""
    return f"verdicts are UNKNOWN, for {words_of(doubt).brief}{mend}"


def dating_of(recorded_at: str, clock: Clock, timezone: str | None = None) -> Dating:
    """What the setting `recorded_at` says; a time without a zone is one of `timezone`.

    A day without a time, or an hour that the clock shows twice, may be any moment of it. Raises SettingsError.
    """
    text = recorded_at.strip()
    if text in ("", AS_PLAYED):
        return Dating(as_played=text == AS_PLAYED)
    if timezone is None and not _WITH_ZONE.fullmatch(text):
        raise SettingsError(f"recorded_at {text!r}: say its zone too, such as 2026-06-01T12:00+02:00")
    where = zone(timezone or "UTC")
    try:
        first_ns, after_ns = start_ns(text, where), end_ns(text, where)
    except ValueError:
        raise SettingsError(
            f"recorded_at {text!r} is no time: give one such as 2026-06-01T12:00+02:00, or {AS_PLAYED}"
        ) from None
    if first_ns < EARLIEST_NS:
        raise SettingsError(f"recorded_at {text!r}: no film is so old; give the time at which it was taken")
    if first_ns > clock.now_ns() + AHEAD_NS:
        raise SettingsError(f"recorded_at {text!r} lies in the future; give the time at which it was taken")
    return Dating(Stamp(first_ns, after_ns - first_ns))
