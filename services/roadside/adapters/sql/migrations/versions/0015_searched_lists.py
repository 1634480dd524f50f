"""Sightings found by list, by direction, and by two of camera, verdict and country together."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the indices; what is stored already is entered."""
    op.create_table(
        "known_matches",
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("last_seen_ns", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sighting_id"],
            ["sightings.sighting_id"],
            name=op.f("fk_known_matches_sighting_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sighting_id", "list", name=op.f("pk_known_matches")),
    )
    op.create_index(
        op.f("ix_known_matches_list_last_seen_ns_sequence"), "known_matches", ["list", "last_seen_ns", "sequence"]
    )
    op.create_index(
        op.f("ix_sightings_camera_id_verdict_last_seen_ns_sequence"),
        "sightings",
        ["camera_id", "verdict", "last_seen_ns", "sequence"],
    )
    op.create_index(
        op.f("ix_sightings_direction_last_seen_ns_sequence"), "sightings", ["direction", "last_seen_ns", "sequence"]
    )
    for first in ("camera_id", "verdict"):
        read = sa.text("country IS NOT NULL")
        op.create_index(
            op.f(f"ix_sightings_{first}_country_last_seen_ns_sequence"),
            "sightings",
            [first, "country", "last_seen_ns", "sequence"],
            sqlite_where=read,
            postgresql_where=read,
        )
    _enter(op.get_bind())


def _enter(connection: sa.Connection) -> None:
    rows = connection.execute(
        sa.text("SELECT sighting_id, sequence, last_seen_ns, known FROM sightings WHERE known IS NOT NULL")
    ).all()
    found = [
        {"sighting_id": row.sighting_id, "list": name, "last_seen_ns": row.last_seen_ns, "sequence": row.sequence}
        for row in rows
        for name in sorted({match["list"] for match in json.loads(row.known)})
    ]
    if found:
        connection.execute(
            sa.text(
                "INSERT INTO known_matches (sighting_id, list, last_seen_ns, sequence) "
                "VALUES (:sighting_id, :list, :last_seen_ns, :sequence)"
            ),
            found,
        )
