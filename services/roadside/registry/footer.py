"""Lines of totals at the end of a list: they are nobody's vignette, and doubt nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS = (
    "total|totals|grand total|sum|count|rows|records|celkem|celkový počet|součet|počet|spolu|súčet|suma|razem|łącznie|"
    "summe|gesamt|gesamtsumme|anzahl|összesen|összeg|ukupno|skupaj|vsota|totale|totaal|totalt|yhteensä|toplam|общо|всего"
)
_TOTAL = re.compile(
    rf"(?:{_WORDS})(?: (?:of|rows|records|plates|vignettes|count))?\s*[:=]?\s*[\d\s.,'-]*", re.IGNORECASE
)
_NUMBER = re.compile(r"[\d\s.,'-]*")


def is_footer(plate: str, dates: Sequence[str], others: Sequence[str]) -> bool:
    """Whether the fields of a row can only be those of a line of totals.

    Its plate and its dates are empty, one of the `others` is a word for a total, with or without a number, and what is
    left are numbers: no field could hold a plate.
    """
    if plate.strip() or any(date.strip() for date in dates):
        return False
    said = [text.strip() for text in others if text.strip()]
    totals = [text for text in said if _TOTAL.fullmatch(text)]
    return bool(totals) and all(_NUMBER.fullmatch(text) for text in said if text not in totals)
