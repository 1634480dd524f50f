"""The last questions before somebody is accused: whether the whole plate was seen, and who paid for one like it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from roadside.core.nearness import Relation, near_family, nearness_query, relation
from roadside.core.plates import fold
from roadside.core.rules import Rule
from roadside.core.sightings import Reading, VerdictKind
from roadside.core.single_keys import covered
from roadside.core.verdict import fold_pattern, is_pattern, unanswered
from roadside.errors import RegistryUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.core.joint_errors import JointErrors
    from roadside.core.moments import PassageTime
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Verdict
    from roadside.core.vignettes import Exemption, RegistryAnswer
    from roadside.ports.registry import Registry

_RANKS = {how: rank for rank, how in enumerate(Relation)}
MOST_SHOWN = 8
"""Vignettes that a verdict names as near."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a paid plate must be to speak against an accusation where it has no `Relation`."""

    joint: JointErrors
    weight: float
    """How much more often a registered plate drives past than one that is not in the registry."""
    bound: float
    """Least probability of all that are not related, together."""


def scrutinised(
    verdict: Verdict, plate: FusedPlate, registry: Registry, passage: PassageTime, likeness: Likeness
) -> Verdict:
    """`verdict`, an UNPAID, or what it is when the pictures of `plate` or plates like it speak against it.

    A vignette counts whatever its country: a reader's guess of the country must not accuse a driver who paid.
    """
    if plate.doubts:
        return replace(verdict, kind=VerdictKind.REVIEW, rule=plate.doubts[0])
    read = fold(plate.text)
    examined = plate.doubts is not None
    try:
        answer = registry.search(nearness_query(read), passage)
    except RegistryUnavailableError:
        return unanswered(Rule.REGISTRY_UNAVAILABLE, verdict.p_paid)
    related = sorted(_related(read, answer, examined=examined)) or _misread(read, answer, likeness)
    if related:
        return _doubted(verdict, answer, related)
    if answer.asked is not None and not (examined and covered(read, answer.asked)):
        return replace(verdict, kind=VerdictKind.REVIEW, rule=Rule.PARTS_NOT_SEARCHED)
    return verdict


def _related(read: str, answer: RegistryAnswer, *, examined: bool) -> Iterator[tuple[int, str]]:
    """The registered plates that may be the one that was read, each with the rank of how."""
    for plate in _plates(answer):
        how = relation(read, plate)
        if how is not None and not (examined and how is Relation.TWO_ERRORS):
            yield _RANKS[how], plate
    for pattern in (e.pattern for e in answer.exemptions if is_pattern(e.pattern)):
        if near_family(read, fold_pattern(pattern)):
            yield _RANKS[Relation.FAMILY], pattern


def _misread(read: str, answer: RegistryAnswer, likeness: Likeness) -> list[tuple[int, str]]:
    """The registered plates that `read` may be a misreading of, likeliest first; none where they miss the bound."""
    found = sorted((-likeness.joint.probability(read, plate), plate) for plate in _plates(answer))
    if likeness.weight * -sum(p for p, _ in found) < likeness.bound:
        return []
    return [(_RANKS[Relation.JOINT], plate) for p, plate in found if p]


def _plates(answer: RegistryAnswer) -> set[str]:
    """All single plates of `answer`, folded."""
    singles = (e.pattern for e in answer.exemptions if not is_pattern(e.pattern))
    return {*(v.plate for v in answer.vignettes), *map(fold, singles)}


def _doubted(verdict: Verdict, answer: RegistryAnswer, related: list[tuple[int, str]]) -> Verdict:
    shown = [plate for _, plate in related[:MOST_SHOWN]]
    vignettes = tuple(v for v in answer.vignettes if v.plate in shown)
    exemptions = tuple(e for e in answer.exemptions if _named(e) in shown)
    paid, exempt = {v.plate for v in vignettes}, {_named(e) for e in exemptions}
    return replace(
        verdict,
        kind=VerdictKind.REVIEW,
        rule=list(Relation)[related[0][0]].value,
        readings=(
            *verdict.readings,
            *(Reading(p, 0.0, p in paid, p in exempt) for p in shown if not is_pattern(p)),
        ),
        vignettes=(*verdict.vignettes, *(v for v in vignettes if v not in verdict.vignettes)),
        exemptions=(*verdict.exemptions, *(e for e in exemptions if e not in verdict.exemptions)),
    )


def _named(exemption: Exemption) -> str:
    """The plate that it is for, or its pattern as it stands."""
    return exemption.pattern if is_pattern(exemption.pattern) else fold(exemption.pattern)
