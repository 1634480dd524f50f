"""Sightings that wait for their place in the order of storing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_COUNTING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "arrivals",
        sa.Column("arrival_id", _COUNTING, primary_key=True, autoincrement=True),
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("camera_id", sa.Text(), nullable=False),
        sa.Column("track_id", sa.Text(), nullable=False),
        sa.Column("first_seen_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_ns", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("decided_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("country", sa.Text()),
        sa.Column("plate_key", _KEY),
        sa.Column("plate_head", sa.Text()),
        sa.Column("plate_tail", sa.Text()),
        sa.Column("plate_hash", sa.Text()),
        sa.Column("plate", sa.Text()),
        sa.Column("posterior", sa.LargeBinary()),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Text()),
        sa.Column("direction", sa.Text()),
        sa.Column("known", sa.Text()),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "arrived_evidence",
        sa.Column("arrival_id", sa.BigInteger(), nullable=False),
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("box", sa.Text()),
        sa.PrimaryKeyConstraint("arrival_id", "kind"),
    )
