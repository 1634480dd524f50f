"""What a database of the registry holds, and taking in the lists that its doors receive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from roadside.adapters.sql.schema import EXEMPTIONS, IMPORTS, VIGNETTES
from roadside.assembly.lists import ListImporter
from roadside.ports.registry import ListImport, ListState

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.adapters.sql import Database
    from roadside.assembly.lists import Taken
    from roadside.registry.config import RegistrySection
    from roadside.registry.servicer import ListOrder

IMPORTS_SHOWN = 20


def held_lists(database: Database, max_age_days: float) -> ListState:
    """How much is held, and the newest imports. Raises StoreUnavailableError."""
    newest = select(IMPORTS).order_by(IMPORTS.c.import_id.desc()).limit(IMPORTS_SHOWN)
    listed = select(func.max(IMPORTS.c.at_ns)).where(IMPORTS.c.content == "vignettes")
    with database.read() as connection:
        vignettes = connection.execute(select(func.count()).select_from(VIGNETTES)).scalar_one()
        exemptions = connection.execute(select(func.count()).select_from(EXEMPTIONS)).scalar_one()
        imported = connection.execute(listed).scalar_one()
        rows = connection.execute(newest).all()
    imports = [ListImport(r.at_ns, r.content, r.source, r.added, r.removed, r.kept, r.rejected) for r in rows]
    return ListState(vignettes, exemptions, imported, max_age_days, imports)


def take_in(database: Database, settings: RegistrySection, path: Path, order: ListOrder, at_ns: int) -> Taken:
    """Import a list as it was ordered. Raises RegistryFileError, ImportRefusedError, StoreUnavailableError."""
    if order.date_order is not None:
        settings = settings.model_copy(update={"registry_date_order": order.date_order})
    importer = ListImporter(database, settings, order.reading)
    if order.look:
        return importer.look(path, order.source, at_ns, exemptions=order.exemptions, replace=order.replace)
    if order.exemptions:
        return importer.exemptions(path, order.source, at_ns, force=order.force, dry_run=order.dry_run)
    return importer.vignettes(
        path, order.source, at_ns, replace=order.replace, force=order.force, dry_run=order.dry_run
    )
