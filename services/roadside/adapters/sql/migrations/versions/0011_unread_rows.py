"""Rows of imported lists that could not be read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "unread_rows",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
    )
    op.create_index(op.f("ix_unread_rows_import_id"), "unread_rows", ["import_id"])
