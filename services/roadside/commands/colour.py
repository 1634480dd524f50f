"""Colours for people at a terminal: none in pipes and files, none where NO_COLOR is set (https://no-color.org)."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_RED, _GREEN, _YELLOW, _BLUE = 31, 32, 33, 36
VERDICTS = {"UNPAID": _RED, "REVIEW": _YELLOW, "PAID": _GREEN, "EXEMPT": _GREEN, "UNKNOWN": _BLUE}
STATES = {"fault": _RED, "note": _YELLOW, "ok": _GREEN}


def has_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether what is written to `stream` may have colours."""
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return bool(environment.get("FORCE_COLOR")) or stream.isatty()


def painted(text: str, words: Mapping[str, int] = VERDICTS) -> str:
    """`text` for the standard output, its whole `words` in their colours where it shows them."""
    if not has_colour(sys.stdout, os.environ):
        return text
    return re.sub(rf"\b({'|'.join(words)})\b", lambda word: f"\x1b[{words[word[0]]}m{word[0]}\x1b[0m", text)
