"""Where encrypted pictures lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


class PictureStore(Protocol):
    """Keeps bytes under names, which are 64 hexadecimal digits. All raise StoreUnavailableError where it is away."""

    place: str
    """Where that is, for messages; no secret."""

    def put(self, name: str, data: bytes) -> None:
        """Keep `data` under `name`, whole or not at all, in place of what was there."""
        ...

    def get(self, name: str) -> bytes:
        """What lies under `name`. Raises NotFoundError."""
        ...

    def remove(self, name: str) -> None:
        """Erase it; it may be gone already."""
        ...

    def names(self, older_than_ns: int) -> AbstractSet[str]:
        """The names of all that was written before a time, in UTC nanoseconds since 1970."""
        ...

    def holds_any(self) -> bool:
        """Whether anything lies there."""
        ...

    def free_bytes(self) -> int | None:
        """The room that is left; None where there is no limit that is known."""
        ...
