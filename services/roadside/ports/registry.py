"""Who paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from roadside.core.vignettes import CandidateQuery, RegistryAnswer


class Registry(Protocol):
    """Knows who paid and who need not."""

    def search(self, query: CandidateQuery, at_ns: int) -> RegistryAnswer:
        """Everything within `query` that counts for a passage at `at_ns` (UTC).

        Raises RegistryUnavailableError where it cannot answer now.
        """
        ...
