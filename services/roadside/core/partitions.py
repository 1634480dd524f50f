"""Which partition a camera belongs to, and which of several equal workers cares for a partition."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def partition_of(camera_id: str, count: int) -> int:
    """Of `count` partitions the one that holds everything of a camera: the same in every process and version."""
    return _weight(camera_id) % count if count > 1 else 0


def caretaker(members: Iterable[str], partition: int) -> str | None:
    """The member that cares for a partition; None without members.

    Rendezvous hashing (Thaler and Ravishankar, 1998): each member draws a number for the partition and the highest
    cares for it. So where a member comes or goes, only partitions that it takes or had change hands.
    """
    return max(members, key=lambda member: (_weight(f"{partition}\n{member}"), member), default=None)


def _weight(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big")
