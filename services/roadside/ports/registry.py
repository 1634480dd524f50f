"""Who paid, and the lists that tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.moments import PassageTime
    from roadside.core.vignettes import CandidateQuery, RegistryAnswer


class Registry(Protocol):
    """Knows who paid and who need not."""

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """Everything within `query` that counts at any moment of `passage`.

        Raises RegistryUnavailableError where it cannot answer now.
        """
        ...


@dataclass(frozen=True, slots=True)
class ListImport:
    """An import that ended."""

    at_ns: int
    content: str
    source: str
    added: int
    removed: int
    kept: int
    rejected: int


@dataclass(frozen=True, slots=True)
class ListState:
    """What the registry holds."""

    vignettes: int
    exemptions: int
    imported_ns: int | None
    """When a list of vignettes was last taken in."""
    max_age_days: float
    """A list older than this accuses nobody; 0: however old."""
    imports: Sequence[ListImport]
    """The newest first."""
