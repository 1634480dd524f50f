"""How a query for sightings is asked: its conditions, and the tokens of its pages."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, exists, false, func, select, tuple_

from roadside.adapters.sql.codec import HASHED
from roadside.adapters.sql.schema import KNOWN_MATCHES, SIGHTINGS
from roadside.core.plates import fold
from roadside.core.reads import FOLDED_ALPHABET
from roadside.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from roadside.core.sightings import Sighting, SightingQuery

MOST_PLATE_CHARACTERS = 32
"""What is like a longer text is not searched for: every character makes some seventy strings to look up."""
MOST_SORTED = 50_000
"""Places that are looked at and sorted for one page."""
_AFTER_ALL = "\U0010ffff"
_POSITION = re.compile(r"(-?[0-9]{1,19})\.([0-9]{1,19})")
_LARGEST = 2**63 - 1
"""Both databases count in 64 bits."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a query is about: of the sightings, of the matches of lists, or as no index is ordered by."""

    plate_key: ColumnElement[str]
    camera_id: ColumnElement[str]
    verdict: ColumnElement[str]
    country: ColumnElement[str]
    direction: ColumnElement[str]
    last_seen_ns: ColumnElement[int]
    sequence: ColumnElement[int]

    @property
    def order(self) -> tuple[ColumnElement[int], ColumnElement[int]]:
        """Newest first."""
        return self.last_seen_ns.desc(), self.sequence.desc()


_IN_TIME = SIGHTINGS.c.plate_key.concat("")
_S, _K = SIGHTINGS.c, KNOWN_MATCHES.c
_STORED = Columns(_IN_TIME, _S.camera_id, _S.verdict, _S.country, _S.direction, _S.last_seen_ns, _S.sequence)
_LISTED = Columns(_IN_TIME, _K.camera_id, _K.verdict, _K.country, _K.direction, _K.last_seen_ns, _K.sequence)
_SPELT = Columns(
    _S.plate_key,
    _S.camera_id,
    _S.verdict.concat(""),
    _S.country.concat(""),
    _S.direction.concat(""),
    _S.last_seen_ns + 0,
    _S.sequence,
)
"""What is an expression no index is read for: here those of plates are and no other, above none of plates. Left to
choose, PostgreSQL read ten million sightings (33 s) for the few that match."""


def asked(connection: Connection, query: SightingQuery, limit: int, most_sorted: int = MOST_SORTED) -> Select[Any]:
    """The `limit` newest sightings of a query. Raises InputError for a page token that is not ours, or a long plate.

    Of a plate few are looked at, found by its index and sorted; of a beginning that many have, the newest are read
    until enough of them match. Those of a list are read in the order of its own index: however many others there are,
    they are not looked at.
    """
    s = SIGHTINGS.c
    if query.verdict in HASHED and (query.country or query.plate_prefix or query.plate_like or query.known_list):
        return select(SIGHTINGS).where(false())  # of these nothing is kept: an index would be read to its end in vain
    if query.plate_like or (query.plate_prefix and _are_few(connection, query, most_sorted)):
        places = _spelt(query).order_by(*_SPELT.order)
    elif query.known_list is not None:
        places = _listed(query).order_by(*_LISTED.order)
    else:
        return select(SIGHTINGS).where(*conditions(query, _STORED)).order_by(*_STORED.order).limit(limit)
    return select(SIGHTINGS).where(s.sequence.in_(places.limit(limit))).order_by(*_STORED.order)


def _are_few(connection: Connection, query: SightingQuery, most: int) -> bool:
    """Whether it costs less to look at all that match a query of a plate than at the newest until enough match."""
    some = _spelt(query).limit(most + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() <= most


def _spelt(query: SightingQuery) -> Select[Any]:
    """The places of those that match, by the indices of plates."""
    found = select(SIGHTINGS.c.sequence).where(*conditions(query, _SPELT))
    if query.known_list is not None:
        k = KNOWN_MATCHES.c
        found = found.where(exists().where(k.sighting_id == SIGHTINGS.c.sighting_id, k.list == query.known_list))
    return found


def _listed(query: SightingQuery) -> Select[Any]:
    """The places of those of a list that match, by its index."""
    k = KNOWN_MATCHES.c
    found = select(k.sequence).where(k.list == query.known_list, *conditions(query, _LISTED))
    if query.plate_prefix or query.over_kmh is not None:
        found = found.join(SIGHTINGS, SIGHTINGS.c.sequence == k.sequence)
    return found


def conditions(query: SightingQuery, columns: Columns) -> list[ColumnElement[bool]]:
    """What a sighting must meet, asked of these columns. Raises as above."""
    if max(len(query.plate_like or ""), len(query.plate_prefix or "")) > MOST_PLATE_CHARACTERS:
        raise InputError(f"a plate has at most {MOST_PLATE_CHARACTERS} characters")
    found: list[ColumnElement[bool]] = []
    if query.page_token:
        found.append(tuple_(columns.last_seen_ns, columns.sequence) < tuple_(*position_of(query.page_token)))
    if query.since_ns is not None:
        found.append(columns.last_seen_ns >= query.since_ns)
    if query.until_ns is not None:
        found.append(columns.last_seen_ns < query.until_ns)
    if query.over_kmh is not None:
        found.append(SIGHTINGS.c.speed_lowest_kmh > query.over_kmh)
    named = ("camera_id", "country", "verdict", "direction")
    values = [(name, getattr(query, name)) for name in named]
    found += [getattr(columns, name) == str(value) for name, value in values if value is not None]
    if query.plate_prefix:
        prefix = fold(query.plate_prefix)
        found.append(and_(columns.plate_key >= prefix, columns.plate_key < prefix + _AFTER_ALL))
    if query.plate_like:
        found.append(columns.plate_key.in_(_neighbours(fold(query.plate_like))))
    return found


def _neighbours(key: str) -> list[str]:
    """`key` and every folded plate one substitution, insertion or deletion away."""
    cuts = [(key[:place], key[place:]) for place in range(len(key) + 1)]
    found = {key}
    found |= {left + right[1:] for left, right in cuts if right}
    found |= {left + c + right[1:] for left, right in cuts if right for c in FOLDED_ALPHABET}
    found |= {left + c + right for left, right in cuts for c in FOLDED_ALPHABET}
    return sorted(found)


def page_token(sighting: Sighting) -> str:
    """The token of the page that begins after `sighting`."""
    return base64.urlsafe_b64encode(f"{sighting.last_seen_ns}.{sighting.sequence}".encode()).decode()


def position_of(token: str) -> tuple[int, int]:
    """The time and the sequence in a page token. Raises InputError."""
    try:
        found = _POSITION.fullmatch(base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode())
    except (ValueError, binascii.Error):
        found = None
    position = (int(found[1]), int(found[2])) if found else (_LARGEST + 1, 0)
    if max(map(abs, position)) > _LARGEST:
        raise InputError("page_token: was not given by this store")
    return position
