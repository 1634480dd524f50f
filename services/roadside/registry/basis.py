"""What a verdict rests on, by name: the policy, what is known of the reader's errors, the list that was asked."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roadside.core.confusions import Confusions
    from roadside.core.moments import PassageTime
    from roadside.core.sightings import Facts
    from roadside.core.verdict import Policy
    from roadside.core.vignettes import CandidateQuery, RegistryAnswer
    from roadside.ports.registry import Registry


def policy_facts(policy: Policy, confusions: Confusions, grace_s: float) -> Facts:
    """Every number of the policy, and the SHA-256 of the statistics of the reader's errors."""
    numbers = [(f"policy.{field.name}", repr(getattr(policy, field.name))) for field in fields(policy)]
    return (*numbers, ("policy.grace_s", repr(grace_s)), ("confusions", f"sha256 {_digest(confusions)}"))


class TracedRegistry:
    """A registry that remembers, for each thread, which lists have answered it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._local = threading.local()

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        answer = self._registry.search(query, passage)
        seen: dict[str, None] = getattr(self._local, "seen", {})
        self._local.seen = {**seen, answer.version: None} if answer.version else seen
        self._local.imported_ns = answer.imported_ns
        return answer

    def forget(self) -> None:
        """What this thread asks from here on is for another verdict."""
        self._local.seen = {}
        self._local.imported_ns = 0

    def imported_ns(self) -> int:
        """When the list that last answered this thread was taken in; 0 where it is not known."""
        known: int = getattr(self._local, "imported_ns", 0)
        return known

    def facts(self) -> Facts:
        """The lists that have answered this thread."""
        seen: dict[str, None] = getattr(self._local, "seen", {})
        return tuple(("registry", version) for version in seen)


def _digest(confusions: Confusions) -> str:
    numbers = confusions.truth_given_read.astype("<f8").tobytes()
    digest = hashlib.sha256(numbers)
    digest.update(f"{confusions.missed!r} {confusions.invented!r}".encode())
    if confusions.joint is not None:
        digest.update(confusions.joint.read_given_truth.astype("<f8").tobytes())
        digest.update(f"{confusions.joint.right!r} {sorted(confusions.joint.kinds.items())!r}".encode())
    return digest.hexdigest()
