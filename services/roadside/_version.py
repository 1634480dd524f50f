"""The version of Roadside: the one place that says it; `python -m release.version` holds what repeats it equal."""

__version__ = "0.2.0"
