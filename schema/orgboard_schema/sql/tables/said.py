"""What people say of runs, and what they look at them with. Ingest writes none of it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Table,
    Text,
)

from orgboard_schema.sql.tables.types import Id, Name, schema

__all__ = ["annotation", "run_note", "run_tag", "saved_view"]


def _uid(*, primary_key: bool) -> Column[str]:
    """Return a column that names a run by its uid."""
    # Looked at when a transaction ends: a run that was read anew takes the uid over in two steps.
    run_uid = ForeignKey("run.uid", deferrable=True, initially="DEFERRED")
    return Column("uid", String(16), run_uid, primary_key=primary_key)


run_tag: Final = Table(
    "run_tag",
    schema,
    _uid(primary_key=True),
    Column("name", Name, primary_key=True),
    Index(None, "name"),
)

run_note: Final = Table(
    "run_note",
    schema,
    _uid(primary_key=True),
    # Markdown.
    Column("text", Text, nullable=False),
    # Who wrote it last; "" when that is not known.
    Column("author", Text, nullable=False),
    Column("written_at", Float(53), nullable=False),
)

annotation: Final = Table(
    "annotation",
    schema,
    # As a run's uid: opaque, in URLs.
    Column("annotation_id", String(16), primary_key=True),
    Column("project_id", Id, ForeignKey("project.project_id"), nullable=False),
    # Null: it is about every run of the project.
    _uid(primary_key=False),
    # The moment it is about, on either axis; both null: about the whole.
    Column("step", BigInteger),
    Column("wall", Float(53)),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("written_at", Float(53), nullable=False),
    Index(None, "project_id", "uid"),
)

saved_view: Final = Table(
    "saved_view",
    schema,
    # As a run's uid: opaque, in URLs.
    Column("view_id", String(16), primary_key=True),
    Column("project_id", Id, ForeignKey("project.project_id"), nullable=False),
    # The page it was saved on: "scalars".
    Column("page", String(16), nullable=False),
    # Null: nobody named it. It stands for the rest of a link that was too long.
    Column("name", Name),
    # Who made it; "" when that is not known.
    Column("owner", Text, nullable=False),
    # 0: only its owner sees it.
    Column("for_team", SmallInteger, nullable=False),
    # 1: whoever opens the project without a view gets this one.
    Column("is_default", SmallInteger, nullable=False, server_default="0"),
    # The query part of the page's address. Runs in it may be gone: it refers to nothing.
    Column("state", Text, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("changed_at", Float(53), nullable=False),
    Index(None, "project_id"),
)
# One of a project, whoever asks for two at once.
Index(
    "ix_saved_view_default",
    saved_view.c.project_id,
    unique=True,
    sqlite_where=saved_view.c.is_default == 1,
    postgresql_where=saved_view.c.is_default == 1,
)
