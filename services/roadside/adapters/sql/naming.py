"""How statements name rows, so that there are few different ones to prepare and to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def named(ids: Collection[str]) -> list[str]:
    """`ids` for `IN`, the last one repeated until there are 1, 2, 4, 8... of them.

    A driver keeps a prepared statement for each number of names: a table that is looked through while it grows would
    fill its cache with statements that are used once.
    """
    listed = list(ids)
    if not listed:
        return listed
    return listed + listed[-1:] * ((1 << (len(listed) - 1).bit_length()) - len(listed))
