"""Release 0.3: what people say of runs: names, tags, notes, stars, colours; where they ran."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from orgboard_schema.wire.paths import host_in_name

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision: Final = "v0_3"
down_revision: Final = "v0_2"

_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SECONDS: Final = sa.Float(precision=53)

_RUN: Final = ("display_name", "starred", "chosen_color", "edits", "host", "username")


def upgrade() -> None:
    op.add_column("run", sa.Column("display_name", _NAME))
    op.add_column(
        "run", sa.Column("starred", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column("run", sa.Column("chosen_color", sa.String(7)))
    op.add_column("run", sa.Column("edits", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("run", sa.Column("host", _NAME))
    op.add_column("run", sa.Column("username", _NAME))
    _name_hosts(op.get_bind())
    op.create_table(
        "run_tag",
        sa.Column("uid", sa.String(16), nullable=False),
        sa.Column("name", _NAME, nullable=False),
        _of_run("run_tag"),
        sa.PrimaryKeyConstraint("uid", "name", name="pk_run_tag"),
    )
    op.create_index("ix_run_tag_name", "run_tag", ["name"])
    op.create_table(
        "run_note",
        sa.Column("uid", sa.String(16), nullable=False),
        *_written(),
        _of_run("run_note"),
        sa.PrimaryKeyConstraint("uid", name="pk_run_note"),
    )
    op.create_table(
        "annotation",
        sa.Column("annotation_id", sa.String(16), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("uid", sa.String(16)),
        sa.Column("step", sa.BigInteger()),
        sa.Column("wall", _SECONDS),
        *_written(),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.project_id"], name="fk_annotation_project_id"
        ),
        _of_run("annotation"),
        sa.PrimaryKeyConstraint("annotation_id", name="pk_annotation"),
    )
    op.create_index("ix_annotation_project_id_uid", "annotation", ["project_id", "uid"])


def downgrade() -> None:
    for table in ("annotation", "run_note", "run_tag"):
        op.drop_table(table)
    for column in _RUN:
        op.drop_column("run", column)


def _name_hosts(conn: sa.Connection) -> None:
    """Give every run the host that the name of its first file has. Users are in no name."""
    run = sa.table("run", sa.column("run_id"), sa.column("host"))
    file = sa.table("source_file", sa.column("run_id"), sa.column("name"))
    firsts = conn.execute(
        sa.select(file.c.run_id, sa.func.min(file.c.name)).group_by(file.c.run_id)
    )
    named = [(run_id, host_in_name(name)) for run_id, name in firsts.all()]
    rows = [{"of": run_id, "named": host} for run_id, host in named if host is not None]
    if rows:
        named_host = sa.bindparam("named", type_=_NAME)
        conn.execute(
            sa.update(run).where(run.c.run_id == sa.bindparam("of")).values(host=named_host), rows
        )


def _of_run(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["uid"], ["run.uid"], name=f"fk_{table}_uid", deferrable=True, initially="DEFERRED"
    )


def _written() -> tuple[sa.Column[str], sa.Column[str], sa.Column[float]]:
    return (
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("written_at", _SECONDS, nullable=False),
    )
