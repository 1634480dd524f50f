r"""The one way in which a record is written before it is sealed, so that whoever reads it later gets the same bytes.

The rule, for those who verify a chain with a program of their own: JSON (RFC 8259) of objects, arrays, strings,
integers, true, false and null; no number has a fraction or an exponent (a measured value is written as text); the
names of an object stand in the order of their Unicode code points, each once; no space or line end stands outside of
a string; in strings `"` and `\` are escaped by a backslash, line feed, carriage return, tab, backspace and form feed
as \n \r \t \b \f, and every other character outside of the printable ASCII range as \u and four hexadecimal digits in
small letters, two such for characters beyond U+FFFF. The text is then encoded as ASCII.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Plain: TypeAlias = "str | int | Sequence[Plain] | Mapping[str, Plain] | None"
    """What can be written: no floats, for programs disagree about their digits."""


def canonical(value: Plain) -> str:
    """`value` as text. Raises TypeError for what cannot be written."""
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _check(value: object) -> None:
    if value is None or isinstance(value, str | int):
        return
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise TypeError("a name in a record is no text")
        _check(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            _check(each)
    else:
        raise TypeError(f"a record cannot hold a {type(value).__name__}")
