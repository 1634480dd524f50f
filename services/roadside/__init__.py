"""Roadside reads number plates with cheap cameras and tells whether each vehicle paid its vignette."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roadside._version import __version__

if TYPE_CHECKING:
    from roadside.api import ALPR, Plate, Plates, Sighting

__all__ = ["ALPR", "Plate", "Plates", "Sighting", "__version__"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute can be anything
    """The Python API, imported when it is first asked for: the commands and services do without."""
    if name not in __all__:
        raise AttributeError(f"module 'roadside' has no attribute {name!r}")
    from roadside import api  # noqa: PLC0415 - the reason of this function

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
