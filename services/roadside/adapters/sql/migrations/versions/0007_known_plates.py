"""Lists of known plates, and what a sighting tells of them and of its direction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the columns."""
    op.create_table(
        "known_lists",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_known_lists")),
    )
    counting = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "known_plates",
        sa.Column("entry_id", counting, autoincrement=True, nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("valid_from_ns", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_known_plates")),
    )
    op.create_index(op.f("ix_known_plates_list_key"), "known_plates", ["list", "key"], unique=True)
    op.add_column("sightings", sa.Column("direction", sa.Text()))
    op.add_column("sightings", sa.Column("known", sa.Text()))
