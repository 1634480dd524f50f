"""What people type into the search, as a question to the store."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from roadside.core.countries import country_code
from roadside.core.frames import CameraId
from roadside.core.outline import Direction
from roadside.core.plates import fold, normalise
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from starlette.requests import Request

A_PAGE = 50
MOST_PLATE = 16
MOST_KMH = 1000
MOST_DIGITS = 19
"""So many may be too many for 64 bits."""
FIELDS = ("plate", "how", "since", "until", "camera", "country", "verdict", "direction", "over", "known", "page")


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the search as they were typed."""

    plate: str = ""
    how: str = "like"
    """`like`: up to one character away; `starts`: begins with."""
    since: str = ""
    until: str = ""
    camera: str = ""
    country: str = ""
    verdict: str = ""
    direction: str = ""
    over: str = ""
    """Kilometres an hour."""
    known: str = ""
    """A list of known plates."""
    page: str = ""

    def link(self, page: str = "") -> str:
        """The query string of the same search, at another page."""
        kept = {name: getattr(self, name) for name in FIELDS if name != "page" and getattr(self, name)}
        return urlencode({**kept, **({"page": page} if page else {})})

    @property
    def said(self) -> str:
        """The search in a few words, for the audit: without the plate."""
        names = [name for name in FIELDS if name not in ("plate", "how", "page") and getattr(self, name)]
        return ", ".join(f"{name} {getattr(self, name)}" for name in names)


def asked(values: Mapping[str, str]) -> Asked:
    """The fields of a search; of each no more than a field can hold."""
    return Asked(**{name: values[name].strip()[:200] for name in FIELDS if values.get(name)})


def known_to(request: Request) -> int | None:
    """The sequence after which sightings are to be told: of a connection's last event, or of the page's drawing.

    None where neither is given, or is no number.
    """
    for text in (request.headers.get("last-event-id", ""), request.query_params.get("after", "")):
        if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS:
            return int(text)
    return None


def query_of(said: Asked, zone: tzinfo, limit: int = A_PAGE) -> SightingQuery:
    """The question to the store. Raises InputError, which names the field."""
    query = SightingQuery(
        limit=limit,
        page_token=said.page,
        since_ns=_moment(said.since, zone, "from") if said.since else None,
        until_ns=_moment(said.until, zone, "until", after=True) if said.until else None,
        camera_id=CameraId(said.camera[:64]) if said.camera else None,
        country=_country(said.country),
        verdict=_verdict(said.verdict),
        direction=_direction(said.direction),
        over_kmh=_over(said.over),
        known_list=said.known or None,
    )
    plate = normalise(said.plate)
    if not said.plate:
        return query
    if not fold(plate) or len(plate) > MOST_PLATE:
        raise InputError(f"plate: letters and digits, at most {MOST_PLATE}")
    return replace(query, plate_prefix=plate) if said.how == "starts" else replace(query, plate_like=plate)


def _country(text: str) -> str | None:
    try:
        return (country_code(text) or None) if text else None
    except ValueError as error:
        raise InputError(f"country: {error}") from error


def _verdict(text: str) -> VerdictKind | None:
    try:
        return VerdictKind(text) if text else None
    except ValueError as error:
        raise InputError(f"verdict: one of {', '.join(VerdictKind)}") from error


def _direction(text: str) -> Direction | None:
    try:
        return Direction(text) if text else None
    except ValueError as error:
        raise InputError(f"direction: one of {', '.join(Direction)}") from error


def _over(text: str) -> float | None:
    try:
        kmh = float(text.replace(",", ".")) if text else None
    except ValueError:
        kmh = math.nan
    if kmh is not None and not 0 <= kmh <= MOST_KMH:
        raise InputError(f"speed: kilometres an hour, from 0 to {MOST_KMH}")
    return kmh


def _moment(text: str, zone: tzinfo, field: str, *, after: bool = False) -> int:
    """A day or a minute in `zone` as nanoseconds; with `after` the end of that day."""
    try:
        if len(text) == len("2026-01-31"):
            day = date.fromisoformat(text) + timedelta(days=int(after))
            moment = datetime.combine(day, time(), zone)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        at_ns = int(moment.timestamp() * 1e9)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{field}: a day such as 2026-01-31, or a time such as 2026-01-31T12:00") from error
    if not 0 <= at_ns < 2**63:
        raise InputError(f"{field}: a day between 1970 and 2262")
    return at_ns
