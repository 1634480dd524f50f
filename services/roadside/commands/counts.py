"""Numbers with what they count."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """Such as "1 row" and "2 rows"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
