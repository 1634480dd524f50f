"""What an office's answer says of the plates that it was asked about, however strange the answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.countries import country_code
from roadside.core.lettering import spellings
from roadside.core.vignettes import NEVER_NS, Exemption, Vignette
from roadside.registry.validity import end_ns, is_endless, start_ns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from roadside.adapters.http.options import HttpOptions

_MOST_ENTRIES = 1000
_LONGEST_LABEL = 200


def entries_of(
    answer: object, keys: Sequence[str], options: HttpOptions, where: tzinfo
) -> dict[str, list[Vignette | Exemption]]:
    """What the answer holds of each of `keys`. Raises ValueError where a part of it cannot be understood."""
    found: dict[str, list[Vignette | Exemption]] = {key: [] for key in keys}
    if answer is None:
        return found
    entries = _at(answer, options.entries) if options.entries else answer
    if not isinstance(entries, list):
        raise ValueError(f"the answer holds no list at {options.entries!r}")  # noqa: TRY004 - their answer is wrong
    if len(entries) > _MOST_ENTRIES + len(keys):
        raise ValueError(f"the answer holds {len(entries)} entries")
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError("the answer holds an entry that is no object")  # noqa: TRY004 - as above
        country = _country(_text(entry, options.country))
        plate = _text(entry, options.plate)
        key = _plate(plate, country, keys) if plate else keys[0] if len(keys) == 1 else ""
        if key not in found:
            continue
        begins, ends = _text(entry, options.valid_from), _text(entry, options.valid_to)
        start = start_ns(begins, where) if begins else 0
        end = NEVER_NS if is_endless(ends) else end_ns(ends, where)
        reason = _at(entry, options.exempt)
        if reason:
            found[key].append(Exemption(key, country or "*", _label(str(reason)), start, end))
        else:
            found[key].append(Vignette(key, country, _label(_text(entry, options.category)), start, end))
    return found


def _plate(text: str, country: str, keys: Sequence[str]) -> str:
    """The one of `keys` that `text` means, else the plate that it is. Raises ValueError where it is none."""
    spelt = spellings(text, country or None)
    return next((key for key in spelt if key in keys), spelt[0])


def _text(entry: object, path: str) -> str:
    """The text or number at `path`; empty where there is none. Raises ValueError where it is something else."""
    value = _at(entry, path)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"the answer holds no text at {path!r}")  # noqa: TRY004 - their answer is wrong
    return str(value).strip()


def _country(text: str) -> str:
    """The project's code; a country that is none says nothing, and costs nobody a vignette."""
    try:
        return country_code(text)
    except ValueError:
        return ""


def _label(text: str) -> str:
    """A text that every database and every JSON can hold."""
    return "".join(c for c in text if c.isprintable())[:_LONGEST_LABEL]


def _at(value: object, path: str) -> object:
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
