"""What keeps sightings, their verdicts and reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from roadside.core.reads import FusedPlate
    from roadside.core.reviews import Correction
    from roadside.core.sightings import Picture, PictureKind, Sighting, SightingPage, SightingQuery, Verdict


class SightingKeeper(Protocol):
    """Takes sightings."""

    def save(self, sighting: Sighting, pictures: Sequence[Picture] = ()) -> Sighting:
        """Store once and return what is kept; what is there already is returned unchanged.

        PAID and EXEMPT keep a keyed hash and no picture, whatever is given.
        Raises StoreUnavailableError where nothing was stored.
        """
        ...


class BatchKeeper(SightingKeeper, Protocol):
    """Takes many sightings at once."""

    def save_all(self, seen: Sequence[tuple[Sighting, Sequence[Picture]]]) -> Sequence[Sighting]:
        """As `save`, of many in one transaction: all are stored, or none; what is kept of each, in their order."""
        ...


class StoredBell(Protocol):
    """Rings when sightings were stored."""

    def wait(self, stopping: threading.Event) -> bool:
        """Wait until it is worth looking for new sightings; True where it is time to end."""
        ...

    def close(self) -> None:
        """Let its connection go."""
        ...


class SightingStore(SightingKeeper, Protocol):
    """Keeps sightings, each once, and gives them back."""

    def get(self, sighting_id: str) -> Sighting:
        """Raises NotFoundError."""
        ...

    def find(self, query: SightingQuery) -> SightingPage:
        """Newest first, a page at a time. Raises InputError for a page token that is not ours."""
        ...

    def after(self, sequence: int, limit: int) -> Sequence[Sighting]:
        """Those stored after the one with this `Sighting.sequence`, in the order of storing."""
        ...

    def newest_sequence(self) -> int:
        """The `Sighting.sequence` of the one stored last; 0 where there is none."""
        ...

    def resume_after(self, sighting_id: str) -> int:
        """The sequence after which a watch goes on that had this sighting last, though it was deleted since.

        Raises NotFoundError where there never was one of that id.
        """
        ...

    def picture(self, sighting_id: str, kind: PictureKind, viewer: str) -> bytes:
        """The decrypted picture; that `viewer` looked is written down. Raises NotFoundError."""
        ...

    def note_search(self, plate: str, viewer: str) -> None:
        """Write down that `viewer` looked for a plate or its beginning, of which a keyed hash is kept."""
        ...


class VerdictStore(Protocol):
    """A store whose verdicts can be decided anew."""

    def get(self, sighting_id: str) -> Sighting:
        """As in SightingStore."""
        ...

    def find(self, query: SightingQuery) -> SightingPage:
        """As in SightingStore."""
        ...

    def decide(self, sighting_id: str, verdict: Verdict, author: str, corrected: FusedPlate | None = None) -> Sighting:
        """Put `verdict` in place of the one before, and `corrected` in place of the plate where given.

        What becomes PAID or EXEMPT loses its plate and its pictures. Raises NotFoundError.
        """
        ...

    def decide_unknown(self, sighting_id: str, verdict: Verdict, author: str) -> Sighting | None:
        """Put `verdict` in place of UNKNOWN; None, and nothing changed, where it is that no more or is gone."""
        ...


class ReviewQueue(Protocol):
    """Sightings in REVIEW, and what people said of them."""

    def waiting(self, author: str = "", needed: int = 1) -> int:
        """How many sightings have fewer than `needed` answers, none of them of `author`."""
        ...

    def next(self, skip: Sequence[str] = (), author: str = "", needed: int = 1) -> str | None:
        """Sighting id of the oldest of these, save those in `skip`."""
        ...

    def answers_of(self, sighting_id: str) -> Sequence[Correction]:
        """What was said of a sighting, oldest first."""
        ...

    def record(self, answer: Correction, needed: int = 1) -> None:
        """Keep an answer, but not the last one that was given, once more.

        Raises InputError where `needed` are needed, more than one, and one of them is this author's.
        """
        ...
