"""The registry's side: vignettes that were paid, exemptions, and the question whether a plate has either."""

from __future__ import annotations

from dataclasses import dataclass

NEVER_NS = 2**62
"""Later than any passage, in February 2116: the end of what has none."""


@dataclass(frozen=True, slots=True)
class Vignette:
    """One line of the registry: a plate for which the road was paid, from one time to another."""

    plate: str
    """Folded (O and Q as 0, I as 1): see `roadside.core.plates.fold`."""
    country: str
    """The code of its country, as in `Read.country`."""
    category: str
    """The registry's name for the kind of vehicle or vignette; it is shown and not judged."""
    valid_from_ns: int
    """The first moment that is paid: UTC, in nanoseconds since 1970."""
    valid_to_ns: int
    """The first moment that is not paid any more: UTC, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """A plate, or all plates of a pattern, that do not have to pay."""

    pattern: str
    """A folded plate; `?` in it stands for any one character, a `*` at its end for any rest."""
    country: str
    """The code of a country, or `*` for every country."""
    reason: str
    """Why, in a word of the registry's: electric, police, foreign..."""
    valid_from_ns: int
    """The first moment at which it holds: UTC, in nanoseconds since 1970."""
    valid_to_ns: int
    """The first moment at which it does not hold any more: UTC, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """All texts that a plate may have, as keys that a registry can look up in an index."""

    keys: tuple[str, ...]
    """The most probable folded plates, best first."""
    heads: tuple[str, ...]
    """The likely first halves of the plate, as buckets of `roadside.core.candidates.head_bucket`."""
    tails: tuple[str, ...]
    """The likely second halves of the plate, as buckets of `roadside.core.candidates.tail_bucket`."""
    left_out: float
    """The probability, 0 to 1, that the plate is none that these heads and tails find."""
    near: tuple[str, ...] = ()
    """Folded plates of which everything with a relation (`roadside.core.nearness`) and everything at most two errors
    away is wanted, be it never so improbable."""


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """What the registry holds for the plates of a query, at the time of the passage."""

    vignettes: tuple[Vignette, ...]
    """Those that are valid at any moment of it, or begin within the grace period after it."""
    exemptions: tuple[Exemption, ...]
    """Those that hold at any moment of it."""
    lapsed: tuple[Vignette, ...] = ()
    """Those of the most probable plates that are valid at no moment of it; they explain a verdict, nothing else."""
    asked: tuple[str, ...] | None = None
    """For a registry that can be asked for single plates only: the folded ones that it was asked for. None if it
    searched the whole query."""
    stale: bool = False
    """Whether the list is older than it may be: it can still tell who paid, and not any more who did not."""
    begins_ns: int = 0
    """The first moment for which anybody is known to have paid: of passages before it the list knows nothing."""
    unread: tuple[str, ...] = ()
    """Folded plates of rows of the list that could not be read; an empty one where not even the plate could be."""
    imported_ns: int = 0
    """When the newest list was taken in, by the clock of whoever did: UTC, in nanoseconds since 1970; 0: not known."""
    version: str = ""
    """Which list answered, for the evidence: its number, date and SHA-256, or how else it is known."""
