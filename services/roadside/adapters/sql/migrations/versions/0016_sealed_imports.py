"""What an import left in the registry, and a seal over all imports up to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; imports that were made before have neither."""
    op.add_column("registry_imports", sa.Column("contents", sa.Text()))
    op.add_column("registry_imports", sa.Column("seal", sa.Text()))
