"""The second reader, which is asked about a plate before anybody is accused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from roadside.core.frames import Crop
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Statement


class Witness(Protocol):
    """A reader that is built otherwise than the one that read the plate first."""

    def testify(self, crop: Crop, plate: FusedPlate) -> Statement | None:
        """What it says of `plate`, shown by `crop`; None where it cannot be asked now. Never an error."""
        ...
