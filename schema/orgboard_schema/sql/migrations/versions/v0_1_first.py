"""Release 0.1: the first tables."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision: Final = "v0_1"
down_revision: Final = None

_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SHA256: Final = sa.LargeBinary(length=32)
_SECONDS: Final = sa.Float(precision=53)

_PACKED: Final = ("block.payload", "segment.payload", "run_head.payload", "blob.data")
"""Compressed already: PostgreSQL keeps them as they are, outside the row."""

_POINTS: Final = ("blob_ref", "block", "segment", "restart", "run_head")
_FILES: Final = ("gap", "source_file")
_PROJECTS: Final = ("logdir", "project", "team")
_DICTIONARIES: Final = ("blob", "metadata", "tag_set", "tag")


def upgrade() -> None:
    _create_dictionaries()
    _create_projects()
    _create_runs()
    _create_files()
    _create_points()
    if op.get_bind().dialect.name == "postgresql":
        for packed in _PACKED:
            table, column = packed.split(".")
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table in (*_POINTS, *_FILES, "run", *_PROJECTS, *_DICTIONARIES):
        op.drop_table(table)


def _create_dictionaries() -> None:
    op.create_table(
        "tag",
        sa.Column("tag_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("name_sha256", _SHA256, nullable=False),
        sa.PrimaryKeyConstraint("tag_id", name="pk_tag"),
        sa.UniqueConstraint("name_sha256", name="uq_tag_name_sha256"),
    )
    op.create_table(
        "tag_set",
        sa.Column("tag_set_id", _ID, nullable=False),
        sa.Column("sha256", _SHA256, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tag_set_id", name="pk_tag_set"),
        sa.UniqueConstraint("sha256", name="uq_tag_set_sha256"),
    )
    op.create_table(
        "metadata",
        sa.Column("metadata_id", _ID, nullable=False),
        sa.Column("sha256", _SHA256, nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("data_class", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("metadata_id", name="pk_metadata"),
        sa.UniqueConstraint("sha256", name="uq_metadata_sha256"),
    )
    op.create_table(
        "blob",
        sa.Column("sha256", _SHA256, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob"),
    )


def _create_projects() -> None:
    op.create_table(
        "team",
        sa.Column("team_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("created_at", _SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("team_id", name="pk_team"),
        sa.UniqueConstraint("name", name="uq_team_name"),
    )
    op.create_table(
        "project",
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("team_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("visibility", sa.String(length=16), server_default="team", nullable=False),
        sa.Column("created_at", _SECONDS, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.team_id"], name="fk_project_team_id"),
        sa.PrimaryKeyConstraint("project_id", name="pk_project"),
        sa.UniqueConstraint("team_id", "name", name="uq_project_team_id_name"),
    )
    op.create_table(
        "logdir",
        sa.Column("logdir_id", _ID, nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("path", _NAME, nullable=False),
        sa.Column("path_sha256", _SHA256, nullable=False),
        sa.Column("seen_at", _SECONDS, nullable=True),
        sa.Column("watch", sa.String(length=16), nullable=True),
        sa.Column("watch_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.project_id"], name="fk_logdir_project_id"
        ),
        sa.PrimaryKeyConstraint("logdir_id", name="pk_logdir"),
        sa.UniqueConstraint("project_id", "path_sha256", name="uq_logdir_project_id_path_sha256"),
    )


def _create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("uid", sa.String(length=16), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("logdir_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("name_sha256", _SHA256, nullable=False),
        sa.Column("color", sa.Integer(), nullable=False),
        sa.Column("created_at", _SECONDS, nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("touched_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started", _SECONDS, nullable=True),
        sa.Column("last_event", _SECONDS, nullable=True),
        sa.Column("last_write", _SECONDS, nullable=True),
        sa.Column("finished", sa.String(length=16), nullable=True),
        sa.Column("points", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("gaps", sa.Integer(), server_default="0", nullable=False),
        sa.Column("files", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("tag_set_id", _ID, nullable=True),
        sa.Column("hparams", sa.Text(), nullable=True),
        sa.Column("next_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("segments", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["logdir_id"], ["logdir.logdir_id"], name="fk_run_logdir_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.project_id"], name="fk_run_project_id"),
        sa.ForeignKeyConstraint(["tag_set_id"], ["tag_set.tag_set_id"], name="fk_run_tag_set_id"),
        sa.PrimaryKeyConstraint("run_id", name="pk_run"),
        sa.UniqueConstraint("logdir_id", "name_sha256", name="uq_run_logdir_id_name_sha256"),
        sa.UniqueConstraint("uid", name="uq_run_uid"),
    )
    op.create_index("ix_run_project_id_color", "run", ["project_id", "color"], unique=False)
    op.create_index(
        "ix_run_project_id_name_sha256", "run", ["project_id", "name_sha256"], unique=False
    )
    op.create_index(
        "ix_run_project_id_touched_ms", "run", ["project_id", "touched_ms"], unique=False
    )


def _create_files() -> None:
    op.create_table(
        "source_file",
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("name_sha256", _SHA256, nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("head_sha256", _SHA256, nullable=False),
        sa.Column("head_bytes", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_wall", _SECONDS, nullable=True),
        sa.Column("last_wall", _SECONDS, nullable=True),
        sa.Column("first_attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("source_writer", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_source_file_run_id"),
        sa.PrimaryKeyConstraint("file_id", name="pk_source_file"),
        sa.UniqueConstraint("run_id", "name_sha256", name="uq_source_file_run_id_name_sha256"),
    )
    op.create_table(
        "gap",
        sa.Column("run_id", _ID, autoincrement=False, nullable=False),
        sa.Column("file_id", _ID, nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("found_at", _SECONDS, nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["source_file.file_id"], name="fk_gap_file_id"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_gap_run_id"),
        sa.PrimaryKeyConstraint("run_id", "file_id", "generation", "offset", name="pk_gap"),
    )


def _create_points() -> None:
    op.create_table(
        "run_head",
        sa.Column("run_id", _ID, autoincrement=False, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_run_head_run_id"),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_head"),
    )
    op.create_table(
        "restart",
        sa.Column("run_id", _ID, autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag_id", _ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_restart_run_id"),
        sa.PrimaryKeyConstraint("run_id", "attempt", "tag_id", "kind", name="pk_restart"),
    )
    op.create_table(
        "segment",
        sa.Column("run_id", _ID, autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_segment_run_id"),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_segment"),
    )
    op.create_table(
        "block",
        sa.Column("run_id", _ID, autoincrement=False, nullable=False),
        sa.Column("tag_id", _ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("step_min", sa.BigInteger(), nullable=False),
        sa.Column("step_max", sa.BigInteger(), nullable=False),
        sa.Column("wall_min", _SECONDS, nullable=True),
        sa.Column("wall_max", _SECONDS, nullable=True),
        sa.Column("value_first", _SECONDS, nullable=True),
        sa.Column("value_last", _SECONDS, nullable=True),
        sa.Column("value_min", _SECONDS, nullable=True),
        sa.Column("value_max", _SECONDS, nullable=True),
        sa.Column("value_sum", _SECONDS, nullable=True),
        sa.Column("non_finite", sa.Integer(), server_default="0", nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_block_run_id"),
        sa.PrimaryKeyConstraint("run_id", "tag_id", "kind", "level", "seq", name="pk_block"),
    )
    op.create_table(
        "blob_ref",
        sa.Column("run_id", _ID, autoincrement=False, nullable=False),
        sa.Column("sha256", _SHA256, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_blob_ref_run_id"),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_blob_ref_sha256"),
        sa.PrimaryKeyConstraint("run_id", "sha256", name="pk_blob_ref"),
    )
