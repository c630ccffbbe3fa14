"""Release 0.2: runs that are not shown, who reads a logdir, compressed files."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision: Final = "v0_2"
down_revision: Final = "v0_1"

_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SECONDS: Final = sa.Float(precision=53)

_RUN: Final = ("standing", "shadow_of", "archived_at", "gone_at", "opened")
_FILE: Final = ("encoding", "read_at", "file_version")


def upgrade() -> None:
    op.add_column(
        "run", sa.Column("standing", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column("run", sa.Column("shadow_of", sa.BigInteger()))
    op.add_column("run", sa.Column("archived_at", _SECONDS))
    op.add_column("run", sa.Column("gone_at", _SECONDS))
    op.add_column("run", sa.Column("opened", sa.SmallInteger(), server_default="0", nullable=False))
    not_shown = sa.text("standing != 0")
    op.create_index(
        "ix_run_standing", "run", ["standing"], sqlite_where=not_shown, postgresql_where=not_shown
    )
    op.add_column(
        "source_file", sa.Column("encoding", sa.String(8), server_default="", nullable=False)
    )
    op.add_column("source_file", sa.Column("read_at", _SECONDS))
    op.add_column("source_file", sa.Column("file_version", _SECONDS))
    # What was read until now did not say, and no writer of this decade writes another.
    op.execute("UPDATE source_file SET file_version = 2 WHERE records > 0")
    op.create_table(
        "lease",
        sa.Column("logdir_id", _ID, autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("since", _SECONDS, nullable=False),
        sa.Column("until", _SECONDS, nullable=False),
        sa.Column("watch", sa.String(16), server_default="", nullable=False),
        sa.Column("watch_reason", sa.Text()),
        *(_count(name) for name in ("runs", "files", "unreadable_files", "pending_bytes")),
        _rate("lag_s"),
        *(_count(name) for name in ("points", "bytes")),
        *(_rate(name) for name in ("points_per_s", "bytes_per_s")),
        sa.ForeignKeyConstraint(["logdir_id"], ["logdir.logdir_id"], name="fk_lease_logdir_id"),
        sa.PrimaryKeyConstraint("logdir_id", "owner", name="pk_lease"),
    )


def downgrade() -> None:
    op.drop_table("lease")
    for column in _FILE:
        op.drop_column("source_file", column)
    op.drop_index("ix_run_standing", "run")
    for column in _RUN:
        op.drop_column("run", column)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _rate(name: str) -> sa.Column[float]:
    return sa.Column(name, _SECONDS, server_default="0", nullable=False)
