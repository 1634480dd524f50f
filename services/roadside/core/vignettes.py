"""Who paid and who need not: what a registry holds and answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vignette:
    """One line of the registry: a plate that was paid for, for a time."""

    plate: str
    """As folded by `roadside.core.plates.fold`."""
    country: str
    category: str
    valid_from_ns: int
    """First nanosecond that is paid, UTC."""
    valid_to_ns: int
    """First nanosecond that is not paid any more, UTC."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """A plate, or a family of plates, that need not pay."""

    pattern: str
    """Folded; `?` stands for any one character, a closing `*` for any rest."""
    country: str
    """`*` for every country."""
    reason: str
    """electric, police, foreign..."""
    valid_from_ns: int
    valid_to_ns: int


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """Every reading that a posterior allows, as questions that a registry can answer by index."""

    keys: tuple[str, ...]
    """The most probable folded plates, best first."""
    heads: tuple[str, ...]
    """Buckets as `roadside.core.candidates.head_bucket` makes them."""
    tails: tuple[str, ...]
    """Buckets as `roadside.core.candidates.tail_bucket` makes them."""
    left_out: float
    """Probability of the readings that neither heads nor tails reach."""


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """What the registry holds within a query at a time."""

    vignettes: tuple[Vignette, ...]
    """Valid at the time asked for, the grace period included."""
    exemptions: tuple[Exemption, ...]
    lapsed: tuple[Vignette, ...] = ()
    """Of the best readings, those that are not valid at the time asked for: for the explanation."""
    asked: tuple[str, ...] | None = None
    """The folded plates that could be asked, where the registry cannot search the whole query."""
