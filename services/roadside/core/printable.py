"""Texts of strangers, such as names of files, as a terminal may be given them."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` on one line, with what would steer a terminal spelt out as Python would."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
