"""Asks the registry again about what it could not answer, and settles what a person has read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from roadside.core.plates import fold, normalise, resolve
from roadside.core.types import Hypothesis, SightingQuery, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.core.types import FusedPlate, Sighting, SightingPage, Verdict
    from roadside.registry.judge import Judge

_PAGE = 200


class Decidable(Protocol):
    """A store whose verdicts can be decided anew."""

    def find(self, query: SightingQuery) -> SightingPage:
        """As in SightingStore."""
        ...

    def decide(self, sighting_id: str, verdict: Verdict, author: str, corrected: FusedPlate | None = None) -> Sighting:
        """Put a verdict in place of the one before, and `corrected` in place of the plate."""
        ...


def recheck(store: Decidable, judge: Judge, author: str) -> Iterator[Sighting]:
    """Every UNKNOWN sighting as it stands after the registry was asked again, newest first.

    What the registry still cannot answer is left as it is and not given.
    """
    query = SightingQuery(limit=_PAGE, verdict=VerdictKind.UNKNOWN)
    while True:
        page = store.find(query)
        for sighting in page.sightings:
            if sighting.plate is None:
                continue
            verdict = judge.judge(sighting.plate, sighting.last_seen_ns)
            if verdict.kind is not VerdictKind.UNKNOWN:
                yield store.decide(sighting.sighting_id, verdict, author)
        if not page.next_page_token:
            return
        query = replace(query, page_token=page.next_page_token)


def as_read_by_person(plate: FusedPlate, text: str, country: str | None) -> FusedPlate:
    """`plate` with the text that a person read on the picture; its raw text and posterior stay."""
    known = next((form.country for _, form in resolve(normalise(text), country)), country)
    chosen = Hypothesis(normalise(text), known, 0.0)
    others = tuple(h for h in plate.alternatives if fold(h.text) != fold(text))
    return replace(plate, text=chosen.text, country=known, confidence=1.0, alternatives=(chosen, *others))
