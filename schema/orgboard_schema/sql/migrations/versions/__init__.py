"""Alembic's one line of revisions, named by release. Run through `orgboard_schema.sql.migrate`."""
