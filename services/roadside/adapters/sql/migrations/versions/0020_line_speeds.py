"""How fast a vehicle was between the two lines of its camera."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, empty, and the index of those that were measured."""
    for table in ("sightings", "arrivals"):
        for column in ("speed_kmh", "speed_lowest_kmh", "speed_highest_kmh"):
            op.add_column(table, sa.Column(column, sa.Double()))
    measured = sa.text("speed_lowest_kmh IS NOT NULL")
    op.create_index(
        op.f("ix_sightings_last_seen_ns_sequence_speed_lowest_kmh"),
        "sightings",
        ["last_seen_ns", "sequence", "speed_lowest_kmh"],
        sqlite_where=measured,
        postgresql_where=measured,
    )
