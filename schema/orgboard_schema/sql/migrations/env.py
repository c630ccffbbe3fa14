"""Run revisions on the connection that `orgboard_schema.sql.migrate` hands over."""

from __future__ import annotations

from alembic import context

from orgboard_schema.sql.tables import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
