"""What the stages need of the world, as protocols; `adapters` meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.types import (
        Crop,
        Detection,
        Picture,
        PictureKind,
        Reach,
        Read,
        RegistryAnswer,
        Sighting,
        SightingPage,
        SightingQuery,
    )


class Clock(Protocol):
    """Tells the time."""

    def now_ns(self) -> int:
        """UTC, nanoseconds since 1970."""
        ...


class Detector(Protocol):
    """Finds plates in a picture."""

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """Detections of `image` ((H, W, 3) uint8, blue green red), best score first, boxes in its pixels."""
        ...


class Reader(Protocol):
    """Reads the characters of one plate."""

    def read(self, crop: Crop) -> Read:
        """What stands on the plate; a low confidence where it cannot be read, never an error."""
        ...


class Registry(Protocol):
    """Knows who paid and who need not."""

    def search(self, reach: Reach, at_ns: int) -> RegistryAnswer:
        """Everything within `reach` that counts for a passage at `at_ns` (UTC).

        Raises RegistryUnavailableError where it cannot answer now.
        """
        ...


class SightingStore(Protocol):
    """Keeps sightings, each once."""

    def save(self, sighting: Sighting, pictures: Sequence[Picture] = ()) -> Sighting:
        """Store once and return what is kept; what is there already is returned unchanged.

        PAID and EXEMPT keep a keyed hash and no picture, whatever is given.
        Raises StoreUnavailableError where nothing was stored.
        """
        ...

    def get(self, sighting_id: str) -> Sighting:
        """Raises NotFoundError."""
        ...

    def find(self, query: SightingQuery) -> SightingPage:
        """Newest first, a page at a time. Raises InputError for a page token that is not ours."""
        ...

    def after(self, sequence: int, limit: int) -> Sequence[Sighting]:
        """Those stored after the one with this `Sighting.sequence`, in the order of storing."""
        ...

    def picture(self, sighting_id: str, kind: PictureKind, viewer: str) -> bytes:
        """The decrypted picture; that `viewer` looked is written down. Raises NotFoundError."""
        ...
