"""Exempted plates are found by their halves, as vignettes are; countries are the project's two letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from roadside.core.candidates import head_bucket, tail_bucket
from roadside.core.countries import country_code

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ANY_COUNTRY = "*"


def upgrade() -> None:
    """Add the buckets, fill them, and write countries as imports do now."""
    op.add_column("exemptions", sa.Column("head", sa.Text()))
    op.add_column("exemptions", sa.Column("tail", sa.Text()))
    op.create_index(op.f("ix_exemptions_head"), "exemptions", ["head"])
    op.create_index(op.f("ix_exemptions_tail"), "exemptions", ["tail"])
    connection = op.get_bind()
    _fill(connection)
    for table in ("vignettes", "exemptions"):
        _normalise(connection, table)


def _fill(connection: sa.Connection) -> None:
    exemptions = sa.table("exemptions", *map(sa.column, ("exemption_id", "pattern", "wild", "head", "tail")))
    singles = connection.execute(
        sa.select(exemptions.c.exemption_id, exemptions.c.pattern).where(exemptions.c.wild == 0)
    ).all()
    for row in singles:
        connection.execute(
            exemptions.update()
            .where(exemptions.c.exemption_id == row.exemption_id)
            .values(head=head_bucket(row.pattern), tail=tail_bucket(row.pattern))
        )


def _normalise(connection: sa.Connection, name: str) -> None:
    """A country that is none stays as it is: a row that pays for somebody is never removed."""
    table = sa.table(name, *map(sa.column, ("plate", "country", "category", "valid_from_ns", "valid_to_ns")))
    for old in connection.execute(sa.select(table.c.country).distinct()).scalars().all():
        try:
            new = old if old == ANY_COUNTRY else country_code(old)
        except ValueError:
            continue
        if new == old:
            continue
        if name == "vignettes":  # the same vignette may be there under both
            other = table.alias("other")
            same = [other.c[key] == table.c[key] for key in ("plate", "category", "valid_from_ns", "valid_to_ns")]
            twin = sa.exists().where(other.c.country == new, *same)
            connection.execute(table.delete().where(table.c.country == old, twin))
        connection.execute(table.update().where(table.c.country == old).values(country=new))
