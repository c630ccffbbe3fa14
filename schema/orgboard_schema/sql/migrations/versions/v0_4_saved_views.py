"""Release 0.4: views of a project's pages that people saved: named ones, and long links."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision: Final = "v0_4"
down_revision: Final = "v0_3"

_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SECONDS: Final = sa.Float(precision=53)


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("view_id", sa.String(16), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("page", sa.String(16), nullable=False),
        sa.Column("name", _NAME),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("for_team", sa.SmallInteger(), nullable=False),
        sa.Column("is_default", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", _SECONDS, nullable=False),
        sa.Column("changed_at", _SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.project_id"], name="fk_saved_view_project_id"
        ),
        sa.PrimaryKeyConstraint("view_id", name="pk_saved_view"),
    )
    op.create_index("ix_saved_view_project_id", "saved_view", ["project_id"])
    is_default = sa.text("is_default = 1")
    op.create_index(
        "ix_saved_view_default",
        "saved_view",
        ["project_id"],
        unique=True,
        sqlite_where=is_default,
        postgresql_where=is_default,
    )


def downgrade() -> None:
    op.drop_table("saved_view")
