"""How Alembic reaches the database: through the connection that `Database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from roadside.adapters.sql.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
