"""Faults of lists in words for a page: what commands call a flag is a field of the form there."""

from __future__ import annotations

_FORCE = ". Correct the list, or import it with"
_FIELDS = (
    ("import with --registry-date-order day-first or month-first", "say below which they have"),
    ("import with --registry-date-order month-first", "say so below"),
    ("import with the right --registry-date-order", "say the right order below"),
    ("--columns plate=NAME says what one is called, --country what all are of", "say below what they are called"),
    ("--encoding ", "encoding "),
    ("--columns ", "columns "),
    ("--country: ", "country: "),
    ("and import again", "and choose it again"),
)


def for_page(text: str) -> str:
    """What a command would say of a list, for who looks at a form."""
    text = text.partition(_FORCE)[0]
    for flag, field in _FIELDS:
        text = text.replace(flag, field)
    return text
