"""Who paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from roadside.core.moments import PassageTime
    from roadside.core.vignettes import CandidateQuery, RegistryAnswer


class Registry(Protocol):
    """Knows who paid and who need not."""

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """Everything within `query` that counts at any moment of `passage`.

        Raises RegistryUnavailableError where it cannot answer now.
        """
        ...
