"""Where files are that have no setting of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.kit.config import data_folder

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.registry.config import KeepingSection


def beside(settings: KeepingSection, what: str) -> Path:
    """Of the SQLite file roadside.db it is roadside.keys.json beside it; of another database, in the data folder."""
    if settings.database_url is None:
        return settings.db.with_name(f"{settings.db.stem}.{what}")
    return data_folder() / what
