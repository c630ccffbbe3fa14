"""What people say of runs, and what they look at them with. Ingest writes none of it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from orgboard_schema.sql.tables.types import Id, Name, Sha256, schema

__all__ = [
    "annotation",
    "comment",
    "graph_upload",
    "mention",
    "metric",
    "metric_alias",
    "run_note",
    "run_note_before",
    "run_tag",
    "saved_view",
    "watch",
    "watch_seen",
]


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
    Index(None, "written_at"),
)

run_note_before: Final = Table(
    "run_note_before",
    schema,
    _uid(primary_key=True),
    # 1, 2, …: as it was before it was written anew for the first, the second time.
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
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

graph_upload: Final = Table(
    "graph_upload",
    schema,
    # As a run's uid: opaque, in URLs.
    Column("upload_id", String(16), primary_key=True),
    Column("project_id", Id, ForeignKey("project.project_id"), nullable=False),
    # What the file was called on its owner's disk, and what it was: "onnx", "graph_text".
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    # The file's own size.
    Column("file_size", BigInteger, nullable=False),
    # The graph without the numbers of its weights, as runs log graphs: its hash, its size, and
    # itself (orgboard_schema.blocks.frame).
    Column("sha256", Sha256, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    # Null: who has the host, or a board without accounts.
    Column("account_id", Id, ForeignKey("account.account_id")),
    # As it was called then.
    Column("author", Text, nullable=False),
    Column("uploaded_at", Float(53), nullable=False),
    Index(None, "project_id"),
)

comment: Final = Table(
    "comment",
    schema,
    # As a run's uid: opaque, in URLs.
    Column("comment_id", String(16), primary_key=True),
    # What it is about, one of the two: who may see that may read it.
    _uid(primary_key=False),
    Column("view_id", String(16), ForeignKey("saved_view.view_id")),
    # The one that it answers, which answers none itself.
    Column("answers", String(16), ForeignKey("comment.comment_id")),
    # Markdown. "" when it was taken back and has answers.
    Column("text", Text, nullable=False),
    # Null: who has the host, or a board without accounts.
    Column("account_id", Id, ForeignKey("account.account_id")),
    # As it was called then.
    Column("author", Text, nullable=False),
    Column("written_at", Float(53), nullable=False),
    Column("changed_at", Float(53)),
    Column("removed_at", Float(53)),
    Index(None, "uid"),
    Index(None, "view_id"),
    Index(None, "answers"),
    # What a team said lately is found without looking at what it ever said.
    Index(None, "written_at"),
)

mention: Final = Table(
    "mention",
    schema,
    Column("comment_id", String(16), ForeignKey("comment.comment_id"), primary_key=True),
    Column(
        "account_id", Id, ForeignKey("account.account_id"), primary_key=True, autoincrement=False
    ),
    # When the one who is named saw it; null: not yet.
    Column("seen_at", Float(53)),
    Index(None, "account_id"),
)

watch: Final = Table(
    "watch",
    schema,
    # Who wants to be told of a run. What there is to tell is looked up when it is asked for: how
    # the run stands beside how it stood when the watcher last saw it.
    Column(
        "account_id", Id, ForeignKey("account.account_id"), primary_key=True, autoincrement=False
    ),
    _uid(primary_key=True),
    Column("since", Float(53), nullable=False),
    # How it stood then (`orgboard_dashboard.news.standing_key`), and when the watcher was told
    # that it did; null: it stood so already when the watching began.
    Column("seen_standing", String(64), nullable=False),
    Column("standing_seen_at", Float(53)),
    # Its gaps then, when the newest of them was found, and when the watcher was told of them.
    Column("seen_gaps", Integer, nullable=False),
    Column("seen_gap_at", Float(53), nullable=False),
    Column("gaps_seen_at", Float(53)),
    Index(None, "uid"),
)

watch_seen: Final = Table(
    "watch_seen",
    schema,
    # A comment on a run that one watches, and has seen. It goes with the comment, whoever takes
    # that back: others may not know who saw it.
    Column(
        "comment_id",
        String(16),
        ForeignKey("comment.comment_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column(
        "account_id", Id, ForeignKey("account.account_id"), primary_key=True, autoincrement=False
    ),
    Column("seen_at", Float(53), nullable=False),
    Index(None, "account_id"),
)

metric: Final = Table(
    "metric",
    schema,
    Column("metric_id", Id, primary_key=True),
    # What the organisation calls it: "accuracy".
    Column("name", Name, nullable=False, unique=True),
    Column("unit", Text, nullable=False),
    # "min" or "max": which is better; "" when neither is.
    Column("direction", String(8), nullable=False),
    Column("description", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("changed_at", Float(53), nullable=False),
)

metric_alias: Final = Table(
    "metric_alias",
    schema,
    # A tag that means the metric, wherever it is logged.
    Column("tag", Name, nullable=False),
    Column("tag_sha256", Sha256, primary_key=True),
    Column("metric_id", Id, ForeignKey("metric.metric_id"), nullable=False),
    # What its values are multiplied by to be in the metric's unit: 0.01 for percent.
    Column("scale", Float(53), nullable=False, server_default="1"),
    Index(None, "metric_id"),
)
