"""Plates, lists and directions found together with whatever else is asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

_SOUGHT = ("plate_key", "last_seen_ns", "sequence")
_BESIDE = ("camera_id", "verdict", "country", "direction")


def upgrade() -> None:
    """Make the indices, and enter what is stored already."""
    crossed, spelt = sa.text("direction IS NOT NULL"), sa.text("plate_key IS NOT NULL")
    for first in ("camera_id", "verdict", "country"):
        name = op.f(f"ix_sightings_{first}_direction_last_seen_ns_sequence")
        _index(name, "sightings", (first, "direction", "last_seen_ns", "sequence"), crossed)
    _index("ix_sightings_plates", "sightings", (*_SOUGHT, *_BESIDE), spelt)
    _index(
        "ix_sightings_plates_of_cameras",
        "sightings",
        ("camera_id", *_SOUGHT, "verdict", "country", "direction"),
        spelt,
    )
    op.drop_index(op.f("ix_sightings_plate_key_last_seen_ns"), "sightings")
    for column in _BESIDE:
        op.add_column("known_matches", sa.Column(column, sa.Text()))
    values = ", ".join(
        f"{column} = (SELECT s.{column} FROM sightings s WHERE s.sequence = known_matches.sequence)"  # noqa: S608 - ours
        for column in _BESIDE
    )
    op.execute(f"UPDATE known_matches SET {values}")  # noqa: S608 - as above
    op.create_index("ix_known_matches_sought", "known_matches", ["list", "last_seen_ns", "sequence", *_BESIDE])
    for column in _BESIDE:
        name = op.f(f"ix_known_matches_list_{column}_last_seen_ns_sequence")
        op.create_index(name, "known_matches", ["list", column, "last_seen_ns", "sequence"])
    op.drop_index(op.f("ix_known_matches_list_last_seen_ns_sequence"), "known_matches")


def _index(name: str, table: str, columns: tuple[str, ...], where: sa.TextClause) -> None:
    op.create_index(name, table, list(columns), sqlite_where=where, postgresql_where=where)
