"""The chain seals whole records, and lists are known by the SHA-256 of their file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COUNTING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Entries that are there are of version 1: each seals a picture. They stay as they are."""
    op.add_column("evidence_chain", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "sealed_records",
        sa.Column("sequence", COUNTING, autoincrement=False, nullable=False),
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_sealed_records")),
    )
    op.create_index(op.f("ix_sealed_records_sighting_id"), "sealed_records", ["sighting_id"], unique=False)
    op.add_column("sightings", sa.Column("provenance", sa.Text()))
    op.add_column("registry_imports", sa.Column("sha256", sa.Text()))
