"""The product's own judge, asked about simulated passages in whatever registry, some of its rules switched off."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from models.verdict.empirical import PASSED_NS, FixedClock
from models.verdict.joint import Nobody
from models.verdict.packed import pack
from roadside.core.confusions import codes
from roadside.core.moments import PassageTime
from roadside.core.nearness import Relation, relation
from roadside.core.reads import ALPHABET, FusedPlate
from roadside.core.verdict import Policy
from roadside.core.vignettes import RegistryAnswer
from roadside.registry.judge import Judge

if TYPE_CHECKING:
    from models.verdict.packed import PackedRegistry
    from roadside.core.confusions import Confusions
    from roadside.core.sightings import VerdictKind
    from roadside.core.vignettes import CandidateQuery
    from roadside.ports.registry import Registry

WHEN = PassageTime.at(PASSED_NS)


@dataclass(frozen=True, slots=True)
class Joined:
    """Two registries as one."""

    registry: Registry
    own: Registry

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        answer, mine = self.registry.search(query, passage), self.own.search(query, passage)
        return replace(answer, vignettes=tuple(dict.fromkeys((*answer.vignettes, *mine.vignettes))))


@dataclass(frozen=True, slots=True)
class Shortsighted:
    """A registry that is not asked for near plates: what the benchmark says without that rule."""

    registry: Registry

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        return RegistryAnswer((), ()) if query.near else self.registry.search(query, passage)


@dataclass(slots=True)
class Exchangeable:
    """One registry now, another one for the next passage."""

    registry: Registry = field(default_factory=Nobody)

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        return self.registry.search(query, passage)


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules are switched off, to see what they are for."""

    near: bool = True
    pictures: bool = True


class Bench:
    """Judges passages with the product's own judge, in whatever registry, under some of its rules."""

    def __init__(self, confusions: tuple[Confusions, Confusions], rules: Rules) -> None:
        self.confusions = confusions
        self.rules = rules
        self._registry = Exchangeable()
        asked: Registry = self._registry if rules.near else Shortsighted(self._registry)
        self._judges = [Judge(asked, known, Policy(), FixedClock()) for known in confusions]

    def judge(self, plate: FusedPlate, half: int, registry: Registry) -> VerdictKind:
        """What is said of a passage of a vehicle of `half`."""
        self._registry.registry = registry
        seen = plate if self.rules.pictures else replace(plate, doubts=())
        return self._judges[half].judge(seen, WHEN).kind

    def may_accuse(self, plate: FusedPlate) -> bool:
        """Whether neither its pictures nor the number of looks forbid it, whatever the registry holds."""
        return plate.looks >= Policy().least_looks and (not plate.doubts or not self.rules.pictures)

    def is_protected(self, read: str, plate: str, half: int) -> bool:
        """Whether the vignette of `plate` alone forbids to accuse `read`: two of the judge's questions, asked first."""
        how = relation(read, plate)
        if how is not None and how is not Relation.TWO_ERRORS:
            return self.rules.near
        joint, policy = self.confusions[half].joint, Policy()
        likely = joint is not None and policy.paid_weight * joint.probability(read, plate) >= policy.bound
        return self.rules.near and likely


def only(*plates: str) -> PackedRegistry:
    """A registry of these folded plates alone."""
    return pack([np.array([codes(plate)], np.uint8) for plate in plates])


def certain(text: str) -> FusedPlate:
    """`text` read for certain, by three looks, in pictures that raise no doubt."""
    rows = np.full((len(text), len(ALPHABET)), 1e-9)
    rows[np.arange(len(text)), codes(text)] = 1.0
    return FusedPlate(text, text, None, 0.99, rows.astype(np.float32), (), (), 3, ())
