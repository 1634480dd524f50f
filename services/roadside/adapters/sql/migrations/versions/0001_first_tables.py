"""Sightings with their evidence, vignettes, reviews, and the records of who did what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNTING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make every table of the first version."""
    op.create_table(
        "audit",
        sa.Column("entry_id", COUNTING, autoincrement=True, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at_ns"), "audit", ["at_ns"], unique=False)
    op.create_table(
        "corrections",
        sa.Column("correction_id", COUNTING, autoincrement=True, nullable=False),
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("read_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("correction_id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_sighting_id"), "corrections", ["sighting_id"], unique=False)
    op.create_table(
        "evidence_chain",
        sa.Column("sequence", COUNTING, autoincrement=False, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_evidence_chain")),
    )
    op.create_index(op.f("ix_evidence_chain_sighting_id"), "evidence_chain", ["sighting_id"], unique=False)
    op.create_table(
        "exemptions",
        sa.Column("exemption_id", COUNTING, autoincrement=True, nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("valid_from_ns", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_ns", sa.BigInteger(), nullable=False),
        sa.Column("wild", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("exemption_id", name=op.f("pk_exemptions")),
    )
    op.create_index(op.f("ix_exemptions_pattern"), "exemptions", ["pattern"], unique=False)
    op.create_index(op.f("ix_exemptions_wild"), "exemptions", ["wild"], unique=False)
    op.create_table(
        "notifications",
        sa.Column("notification_id", COUNTING, autoincrement=True, nullable=False),
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notifications")),
    )
    op.create_index(op.f("ix_notifications_sighting_id"), "notifications", ["sighting_id"], unique=False)
    op.create_index(op.f("ix_notifications_state_next_at_ns"), "notifications", ["state", "next_at_ns"], unique=False)
    op.create_table(
        "registry_imports",
        sa.Column("import_id", COUNTING, autoincrement=True, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_registry_imports")),
    )
    op.create_table(
        "sightings",
        sa.Column("sequence", COUNTING, autoincrement=True, nullable=False),
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("camera_id", sa.Text(), nullable=False),
        sa.Column("track_id", sa.Text(), nullable=False),
        sa.Column("first_seen_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_ns", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("decided_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("plate_key", KEY, nullable=True),
        sa.Column("plate_head", sa.Text(), nullable=True),
        sa.Column("plate_tail", sa.Text(), nullable=True),
        sa.Column("plate_hash", sa.Text(), nullable=True),
        sa.Column("plate", sa.Text(), nullable=True),
        sa.Column("posterior", sa.LargeBinary(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_sightings")),
        sa.UniqueConstraint("sighting_id", name=op.f("uq_sightings_sighting_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_sightings_camera_id_last_seen_ns_sequence"),
        "sightings",
        ["camera_id", "last_seen_ns", "sequence"],
        unique=False,
    )
    op.create_index(
        op.f("ix_sightings_country_last_seen_ns_sequence"),
        "sightings",
        ["country", "last_seen_ns", "sequence"],
        unique=False,
    )
    op.create_index(op.f("ix_sightings_last_seen_ns_sequence"), "sightings", ["last_seen_ns", "sequence"], unique=False)
    op.create_index(op.f("ix_sightings_plate_hash"), "sightings", ["plate_hash"], unique=False)
    op.create_index(op.f("ix_sightings_plate_head"), "sightings", ["plate_head"], unique=False)
    op.create_index(
        op.f("ix_sightings_plate_key_last_seen_ns"), "sightings", ["plate_key", "last_seen_ns"], unique=False
    )
    op.create_index(op.f("ix_sightings_plate_tail"), "sightings", ["plate_tail"], unique=False)
    op.create_index(
        op.f("ix_sightings_verdict_last_seen_ns_sequence"),
        "sightings",
        ["verdict", "last_seen_ns", "sequence"],
        unique=False,
    )
    op.create_table(
        "verdict_changes",
        sa.Column("change_id", COUNTING, autoincrement=True, nullable=False),
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_verdict_changes")),
    )
    op.create_index(op.f("ix_verdict_changes_sighting_id"), "verdict_changes", ["sighting_id"], unique=False)
    op.create_table(
        "vignettes",
        sa.Column("plate", KEY, nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("valid_from_ns", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_ns", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("tail", sa.Text(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "plate", "country", "category", "valid_from_ns", "valid_to_ns", name=op.f("pk_vignettes")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_vignettes_head"), "vignettes", ["head"], unique=False)
    op.create_index(op.f("ix_vignettes_tail"), "vignettes", ["tail"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("sighting_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("box", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sighting_id"], ["sightings.sighting_id"], name=op.f("fk_evidence_sighting_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sighting_id", "kind", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_sha256"), "evidence", ["sha256"], unique=False)
