"""Asks the registry again about what it could not answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.core.witness import heard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.core.sightings import Sighting
    from roadside.ports.store import VerdictStore
    from roadside.registry.judge import Judge

_PAGE = 32
"""Each is some 20 kB while it is judged."""


def recheck(store: VerdictStore, judge: Judge, author: str) -> Iterator[Sighting]:
    """Every UNKNOWN sighting as it stands after the registry was asked again, newest first.

    What the registry still cannot answer is left as it is and not given, nor is what somebody else has decided.
    """
    query = SightingQuery(limit=_PAGE, verdict=VerdictKind.UNKNOWN)
    while True:
        page = store.find(query)
        for sighting in page.sightings:
            if sighting.plate is None:
                continue
            verdict = heard(judge.judge(sighting.plate, sighting.passage), sighting.verdict.witness)
            if verdict.kind in {VerdictKind.UNKNOWN, VerdictKind.NONE}:
                continue  # NONE: there is no list any more; what a list could not answer then, none answers now
            decided = store.decide_unknown(sighting.sighting_id, verdict, author)
            if decided is not None:
                yield decided
        if not page.next_page_token:
            return
        query = replace(query, page_token=page.next_page_token)
