"""How a query for sightings is asked: its conditions, and the tokens of its pages."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, false, select, tuple_

from roadside.adapters.sql.codec import HASHED
from roadside.adapters.sql.schema import KNOWN_MATCHES, SIGHTINGS
from roadside.core.plates import fold
from roadside.core.reads import FOLDED_ALPHABET
from roadside.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Select

    from roadside.core.sightings import Sighting, SightingQuery

MOST_PLATE_CHARACTERS = 32
"""What is like a longer text is not searched for: every character makes some seventy strings to look up."""
_AFTER_ALL = "\U0010ffff"
_POSITION = re.compile(r"(-?[0-9]{1,19})\.([0-9]{1,19})")
_LARGEST = 2**63 - 1
"""Both databases count in 64 bits."""


def newest_of(query: SightingQuery) -> ColumnElement[int]:
    """What to sort by: for a query of what is like a plate, an expression that no index is ordered by.

    With the index PostgreSQL read ten million sightings in order (1.7 s) to find the few that match.
    """
    return SIGHTINGS.c.last_seen_ns + 0 if query.plate_like else SIGHTINGS.c.last_seen_ns


def asked(query: SightingQuery) -> Select[Any]:
    """The sightings of a query, newest first. Raises InputError for a page token that is not ours, or a long plate.

    Those of a list are read in the order of its own index: however many others there are, they are not looked at.
    """
    s, k = SIGHTINGS.c, KNOWN_MATCHES.c
    if query.known_list is None:
        order: tuple[ColumnElement[int], ...] = (newest_of(query), s.sequence)
        found = select(SIGHTINGS).where(*conditions(query, s.last_seen_ns, s.sequence))
    else:
        order = (k.last_seen_ns, k.sequence)
        joined = SIGHTINGS.join(KNOWN_MATCHES, k.sequence == s.sequence)
        found = select(SIGHTINGS).select_from(joined).where(k.list == query.known_list, *conditions(query, *order))
    if query.verdict in HASHED and (query.country or query.plate_prefix or query.plate_like or query.known_list):
        found = found.where(false())  # of these nothing is kept: an index would be read to its end in vain
    return found.order_by(*(column.desc() for column in order))


def conditions(
    query: SightingQuery, seen_ns: ColumnElement[int], sequence: ColumnElement[int]
) -> list[ColumnElement[bool]]:
    """What a sighting must meet; `seen_ns` and `sequence` are the columns in whose order it stands. Raises as above."""
    if max(len(query.plate_like or ""), len(query.plate_prefix or "")) > MOST_PLATE_CHARACTERS:
        raise InputError(f"a plate has at most {MOST_PLATE_CHARACTERS} characters")
    s = SIGHTINGS.c
    found: list[ColumnElement[bool]] = []
    if query.page_token:
        found.append(tuple_(seen_ns, sequence) < tuple_(*position_of(query.page_token)))
    if query.since_ns is not None:
        found.append(seen_ns >= query.since_ns)
    if query.until_ns is not None:
        found.append(seen_ns < query.until_ns)
    if query.camera_id is not None:
        found.append(s.camera_id == query.camera_id)
    for column, value in ((s.country, query.country), (s.verdict, query.verdict), (s.direction, query.direction)):
        if value is not None:
            found.append(column == str(value))
    if query.plate_prefix:
        prefix = fold(query.plate_prefix)
        found.append(and_(s.plate_key >= prefix, s.plate_key < prefix + _AFTER_ALL))
    if query.plate_like:
        found.append(s.plate_key.in_(_neighbours(fold(query.plate_like))))
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
