"""Everything that the console's pages ask, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from roadside.console.access import Access
    from roadside.console.config import ConsoleSection
    from roadside.console.feed import Feed
    from roadside.console.ports import (
        CameraDesk,
        IdentityProvider,
        KnownDesk,
        Ledger,
        RegistryDesk,
        ReviewDesk,
        Sightings,
        TrainingDesk,
    )
    from roadside.ports.system import Clock


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page may ask."""

    sightings: Sightings
    reviews: ReviewDesk
    registry: RegistryDesk
    known: KnownDesk
    ledger: Ledger
    training: TrainingDesk
    two_reviewers: bool
    """Whether an answer counts once a second person has given the same one."""
    cameras: CameraDesk
    access: Access
    feed: Feed
    clock: Clock
    zone: tzinfo
    """Of the dates that people see."""
    settings: ConsoleSection
    version: str
    provider: IdentityProvider | None = None
    """Through which people may sign in as well."""
