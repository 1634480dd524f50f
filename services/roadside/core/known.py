"""Known plates: how probable it is that a vehicle is one of a list, and what that is enough for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from roadside.core.candidates import score, soften
from roadside.core.lettering import plate_key
from roadside.core.vignettes import NEVER_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roadside.core.confusions import Confusions
    from roadside.core.reads import FusedPlate


class Action(StrEnum):
    """What a list is for."""

    OPEN = "open"
    """A gate opens."""
    ALERT = "alert"
    """Somebody is told."""
    IGNORE = "ignore"
    """The vehicle is named, and nothing is done."""


@dataclass(frozen=True, slots=True)
class KnownPlate:
    """One plate of a list, as it was entered."""

    list_name: str
    action: Action
    plate: str
    country: str = ""
    """As in `Read`; empty: any, which is better where the reader may take one country for another."""
    name: str = ""
    """Whose it is."""
    group: str = ""
    valid_from_ns: int = 0
    valid_to_ns: int = NEVER_NS
    """The first moment that is not valid any more; UTC, in nanoseconds since 1970, as the other."""

    @property
    def key(self) -> str:
        """The plate as plates are compared: folded. Raises ValueError for what is no plate."""
        return plate_key(self.plate, self.country)

    def is_valid(self, at_ns: int) -> bool:
        """Whether it counts at that time."""
        return self.valid_from_ns <= at_ns < self.valid_to_ns


@dataclass(frozen=True, slots=True)
class KnownMatch:
    """A vehicle may be one of a list."""

    list_name: str
    action: Action
    name: str
    group: str
    plate: str
    """As it was entered."""
    probability: float
    """That it is, 0 to 1."""
    opens: bool = False
    """Whether that is enough to open a gate, and the list is for that."""


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """What is enough for what; docs/known-plates.md explains each."""

    open_at: float = 0.999
    """A gate opens only where the vehicle is the known one with at least this probability."""
    alert_at: float = 0.5
    """A vehicle that is a known one with less is not named."""
    least_looks: int = 2
    """Independent looks that must agree before a gate opens."""
    weight: float = 100.0
    """How much more often a known plate drives past than any one that is not known."""
    floor: float = 0.1
    persistence: float = 0.5
    """As of `roadside.core.verdict.Policy`: what the reader's belief is worth."""
    other_country: float = 0.2
    """Probability that a plate is of another country than the reader says."""


def probabilities(plate: FusedPlate, keys: Sequence[str], confusions: Confusions, policy: KnownPolicy) -> list[float]:
    """Of each known plate (folded, each once) the probability that the vehicle has it, by Bayes.

    Two known plates that are alike share their part: of both no one is sure where the picture does not tell them apart.
    What is left is for plates that nobody knows. The sum is 1 at most.
    """
    return shared(scores(plate, keys, confusions, policy), policy)


def scores(plate: FusedPlate, keys: Sequence[str], confusions: Confusions, policy: KnownPolicy) -> list[float]:
    """Of each plate (folded) how probable it is by the pictures alone, were all plates equally frequent."""
    belief = soften(plate, confusions, floor=policy.floor, persistence=policy.persistence)
    return [float(p) for p in score(belief, keys)]


def shared(scored: Sequence[float], policy: KnownPolicy) -> list[float]:
    """`probabilities` of the known plates that have these `scores`."""
    shares = [policy.weight * p for p in scored]
    known = sum(shares) / policy.weight
    whole = sum(shares) + max(0.0, 1.0 - known)
    return [share / whole for share in shares]


def matches(
    plate: FusedPlate, known: Iterable[KnownPlate], at_ns: int, confusions: Confusions, policy: KnownPolicy
) -> tuple[KnownMatch, ...]:
    """The known plates that the vehicle may have, the most probable first.

    None opens but where its pictures were examined and nothing speaks against the whole plate having been seen.
    """
    valid = [each for each in known if each.is_valid(at_ns)]
    keys = tuple(dict.fromkeys(each.key for each in valid))
    if not keys or len(plate.posterior) == 0:
        return ()
    p_of = dict(zip(keys, probabilities(plate, keys, confusions, policy), strict=True))
    found = []
    for each in valid:
        p = p_of[each.key] * _of_country(plate, each.country, policy)
        if p >= policy.alert_at:
            opens = each.action is Action.OPEN and p >= policy.open_at and is_unspoilt(plate, policy)
            found.append(KnownMatch(each.list_name, each.action, each.name, each.group, each.plate, p, opens))
    return tuple(sorted(found, key=lambda match: (-match.probability, match.list_name, match.name)))


def is_unspoilt(plate: FusedPlate, policy: KnownPolicy) -> bool:
    """Whether the plate was seen whole, and often enough, to open a gate for it."""
    return plate.doubts == () and plate.looks >= policy.least_looks


def _of_country(plate: FusedPlate, country: str, policy: KnownPolicy) -> float:
    if not country or plate.country is None or plate.country == country:
        return 1.0
    return max(policy.other_country, dict(plate.countries).get(country, 0.0))
