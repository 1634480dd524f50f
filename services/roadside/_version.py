"""The version of Roadside: the one place that says it; `python -m release.version` holds what repeats it equal."""

__version__ = "0.2.0"
RELEASED = "2026-11-26"
"""The day of the version: a clock that stands before it is wrong. `python -m release.version X.Y.Z` sets both."""
