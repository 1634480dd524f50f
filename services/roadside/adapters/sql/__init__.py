"""Sightings with their evidence, the registry, reviews and audit, in SQLite or PostgreSQL."""

from roadside.adapters.sql.bulk import ImportReport, Safeguard, import_exemptions, import_vignettes
from roadside.adapters.sql.database import Database, open_database, open_embedded
from roadside.adapters.sql.registry import SqlRegistry
from roadside.adapters.sql.store import SqlSightingStore
from roadside.adapters.sql.vault import Vault

__all__ = [
    "Database",
    "ImportReport",
    "Safeguard",
    "SqlRegistry",
    "SqlSightingStore",
    "Vault",
    "import_exemptions",
    "import_vignettes",
    "open_database",
    "open_embedded",
]
