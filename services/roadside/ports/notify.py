"""What carries notices to their receivers, and what keeps them until they have arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roadside.core.notices import Draft, Notice, OutboxCounts
    from roadside.core.sightings import PictureKind, Sighting

    Compose = Callable[[Sighting], Sequence[Draft]]
    PictureOf = Callable[[str, PictureKind], bytes | None]
    """The picture of a sighting by its id, as a PNG or JPEG file; None where none is kept."""


class Channel(Protocol):
    """Brings notices to one receiver; used by one thread at a time."""

    def send(self, body: str) -> None:
        """Deliver `body`, a JSON object. Raises UnavailableError where it did not arrive, as far as is known."""
        ...

    def close(self) -> None:
        """Let go of connections; `send` opens them anew. May be called twice."""
        ...


@runtime_checkable
class CameraChannel(Channel, Protocol):
    """A channel whose receivers want to know whether cameras give pictures."""

    def camera(self, camera_id: str, *, online: bool) -> None:
        """Tell whether a camera gives pictures, where that is not told yet. Raises UnavailableError."""
        ...


class Outbox(Protocol):
    """Keeps notices from the moment they are due until they have arrived or are given up.

    Every method raises StoreUnavailableError where the store does not answer; nothing has changed then.
    """

    def collect(self, compose: Compose, now_ns: int) -> int:
        """Write notices for all that was stored, or decided anew, since the last call; how many.

        `compose` tells what to write of a sighting as it stands now. Each sighting is looked at once for being
        stored, where nothing is written for a channel that has a notice of it already, and once for each change of
        its verdict, whatever is killed in between. The notices are due at `now_ns`.
        """
        ...

    def start_here(self) -> None:
        """Pass over what is stored already, where nothing was ever collected: nobody wants a notice of last year."""
        ...

    def include_past(self) -> None:
        """Have the next `collect` tell of all that is stored of which a channel was told nothing yet."""
        ...

    def due(self, now_ns: int, limit: int = 50) -> Sequence[Notice]:
        """At most `limit` of those to be sent at `now_ns`, oldest first."""
        ...

    def claim(self, notice: Notice, now_ns: int, until_ns: int) -> bool:
        """Take a notice that is due for oneself until a time; False where another has it, or it is done."""
        ...

    def dead(self) -> Sequence[Notice]:
        """Those given up, oldest first."""
        ...

    def delivered(self, notice: Notice) -> None:
        """Note that `notice` arrived, and delete its body. Nothing happens where it is gone."""
        ...

    def failed(self, notice: Notice, fault: str, next_at_ns: int | None) -> None:
        """Note that `notice` did not arrive; it is due again at `next_at_ns`, or given up where that is None."""
        ...

    def revive(self, now_ns: int) -> int:
        """Make those given up due at `now_ns`, as if they had never been sent; how many."""
        ...

    def counts(self) -> OutboxCounts:
        """How many notices have not arrived."""
        ...
