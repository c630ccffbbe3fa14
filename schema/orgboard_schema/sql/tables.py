"""The tables, as they are at head. SQLite and PostgreSQL, the same names and meanings.

    team ─< project ─< logdir ─< run ─< source_file ─< gap          where from
                       logdir ─< lease                              who reads it
                                 run ─< segment, block              points (orgboard_schema.blocks)
                                 run ── run_head                    its series, packed in one row
                                 run ─< restart                     where an attempt supersedes
                                 run ─< blob_ref >─ blob            media by content
                                 run ── run_note, ─< run_tag        what people say of it, by uid
                       project ─< annotation >─ run                 remarks on a moment
                       project ─< saved_view                        what people look at it with
    tag, tag_set, metadata                                          dictionaries, append only

A point is never a row. Every table of points has a key that begins with `run_id`, so
that PostgreSQL can partition and Citus distribute by run. Text that a log controls is
stored through `orgboard_schema.sql.text`, because PostgreSQL refuses NUL and lone
surrogates; it is found by the SHA-256 of its bytes, because an index entry is limited
to 2.7 kB there. Text columns sort by code point on both engines.
"""

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
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "annotation",
    "blob",
    "blob_ref",
    "block",
    "gap",
    "lease",
    "logdir",
    "metadata",
    "project",
    "restart",
    "run",
    "run_head",
    "run_note",
    "run_tag",
    "saved_view",
    "schema",
    "segment",
    "source_file",
    "tag",
    "tag_set",
    "team",
]

# SQLite only counts a column up by itself when it is declared INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")
# Code-point order on PostgreSQL whatever the cluster's locale; SQLite compares bytes already.
_Name = Text().with_variant(Text(collation="C"), "postgresql")
_Sha256 = LargeBinary(32)

schema: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

team: Final = Table(
    "team",
    schema,
    Column("team_id", _Id, primary_key=True),
    Column("name", _Name, nullable=False, unique=True),
    Column("created_at", Float(53), nullable=False),
)

project: Final = Table(
    "project",
    schema,
    Column("project_id", _Id, primary_key=True),
    Column("team_id", _Id, ForeignKey("team.team_id"), nullable=False),
    Column("name", _Name, nullable=False),
    Column("visibility", String(16), nullable=False, server_default="team"),
    Column("created_at", Float(53), nullable=False),
    UniqueConstraint("team_id", "name"),
)

logdir: Final = Table(
    "logdir",
    schema,
    Column("logdir_id", _Id, primary_key=True),
    Column("project_id", _Id, ForeignKey("project.project_id"), nullable=False),
    # Resolved, absolute. A run's identity is (project, logdir, relative path).
    Column("path", _Name, nullable=False),
    Column("path_sha256", _Sha256, nullable=False),
    # When an ingest last looked here, how it learns of changes ("watching", "polling") and why.
    Column("seen_at", Float(53)),
    Column("watch", String(16)),
    Column("watch_reason", Text),
    UniqueConstraint("project_id", "path_sha256"),
)

lease: Final = Table(
    "lease",
    schema,
    # An ingest process at work on a logdir. Who shares it divides the runs among those whose
    # lease has not run out; the offsets alone keep that correct.
    Column("logdir_id", _Id, ForeignKey("logdir.logdir_id"), primary_key=True, autoincrement=False),
    Column("owner", String(32), primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    # Seconds by the database's clock.
    Column("since", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
    # What it told of its work when it last renewed: "watching" or "polling", and why.
    Column("watch", String(16), nullable=False, server_default=""),
    Column("watch_reason", Text),
    Column("runs", BigInteger, nullable=False, server_default="0"),
    Column("files", BigInteger, nullable=False, server_default="0"),
    Column("unreadable_files", BigInteger, nullable=False, server_default="0"),
    # Seen in the files and not stored yet, and for how many seconds the oldest of it.
    Column("pending_bytes", BigInteger, nullable=False, server_default="0"),
    Column("lag_s", Float(53), nullable=False, server_default="0"),
    # Since its start, and a second over the last minute.
    Column("points", BigInteger, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Column("points_per_s", Float(53), nullable=False, server_default="0"),
    Column("bytes_per_s", Float(53), nullable=False, server_default="0"),
)

run: Final = Table(
    "run",
    schema,
    # Another one when the run was read anew (orgboard_schema.sql.shadow): points hang on it.
    Column("run_id", _Id, primary_key=True),
    # The run's own for ever. What people attach to a run (notes, stars, shares) refers to this
    # and never to run_id. Opaque, in URLs: says nothing about how many runs there are.
    Column("uid", String(16), nullable=False, unique=True),
    Column("project_id", _Id, ForeignKey("project.project_id"), nullable=False),
    Column("logdir_id", _Id, ForeignKey("logdir.logdir_id"), nullable=False),
    # Directory relative to the logdir, "/" between parts, "." for the logdir itself.
    Column("name", _Name, nullable=False),
    Column("name_sha256", _Sha256, nullable=False),
    # Place in the palette: stable across pages and people.
    Column("color", Integer, nullable=False),
    Column("created_at", Float(53), nullable=False),
    # Counts up by one with each commit that changed the run. Whoever changes the run's
    # points or head updates this row first, and so holds its lock.
    Column("revision", BigInteger, nullable=False, server_default="0"),
    # Milliseconds of the ingest's clock at that commit; what live readers poll by.
    Column("touched_ms", BigInteger, nullable=False, server_default="0"),
    Column("started", Float(53)),
    Column("last_event", Float(53)),
    # Seconds, modification time of the newest file: what "live" is judged by.
    Column("last_write", Float(53)),
    # "stop", "hparams", "failed": why the run counts as finished; null while it does not.
    Column("finished", String(16)),
    Column("points", BigInteger, nullable=False, server_default="0"),
    Column("gaps", Integer, nullable=False, server_default="0"),
    Column("files", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("last_step", BigInteger),
    Column("tag_set_id", _Id, ForeignKey("tag_set.tag_set_id")),
    # UTF-8 JSON {name: number | bool | string}, of the newest hparams session.
    Column("hparams", Text),
    Column("next_seq", BigInteger, nullable=False, server_default="0"),
    # How many segments wait for compaction.
    Column("segments", Integer, nullable=False, server_default="0"),
    # orgboard_schema.sql.standing: shown, shadow, discarded, deleted.
    Column("standing", SmallInteger, nullable=False, server_default="0"),
    # Of a shadow: the run whose place it takes once it has been read as far.
    Column("shadow_of", BigInteger),
    # Seconds, when it was put aside; null while it is on the run table.
    Column("archived_at", Float(53)),
    # Seconds, since when none of its files is there any more; null while one is.
    Column("gone_at", Float(53)),
    # 1: a SessionLog START came before its first point, so TensorBoard takes the next one,
    # and not the next but one, for its first restart.
    Column("opened", SmallInteger, nullable=False, server_default="0"),
    # What people call it; null while they call it by its directory.
    Column("display_name", _Name),
    Column("starred", SmallInteger, nullable=False, server_default="0"),
    # "#rrggbb", chosen by somebody instead of its place in the palette.
    Column("chosen_color", String(7)),
    # Counts up by one with each change that people made: of these columns, tags and note.
    Column("edits", BigInteger, nullable=False, server_default="0"),
    # Where it ran and whose it is, as the newest writer told; the host else by a file's name.
    Column("host", _Name),
    Column("username", _Name),
    UniqueConstraint("logdir_id", "name_sha256"),
    Index(None, "project_id", "touched_ms"),
    # The next colour of a project is found without looking at its runs.
    Index(None, "project_id", "color"),
    Index(None, "project_id", "name_sha256"),
)
# Few are not shown: who looks for those reads no other.
Index(
    "ix_run_standing",
    run.c.standing,
    sqlite_where=run.c.standing != 0,
    postgresql_where=run.c.standing != 0,
)

run_head: Final = Table(
    "run_head",
    schema,
    Column("run_id", _Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    # orgboard_schema.blocks.heads: one packed entry a series (tag, kind).
    Column("payload", LargeBinary, nullable=False),
)


def _uid(*, primary_key: bool) -> Column[str]:
    """Return a column that names a run by its uid."""
    # Looked at when a transaction ends: a run that was read anew takes the uid over in two steps.
    run_uid = ForeignKey("run.uid", deferrable=True, initially="DEFERRED")
    return Column("uid", String(16), run_uid, primary_key=primary_key)


run_tag: Final = Table(
    "run_tag",
    schema,
    _uid(primary_key=True),
    Column("name", _Name, primary_key=True),
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
    Column("project_id", _Id, ForeignKey("project.project_id"), nullable=False),
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
    Column("project_id", _Id, ForeignKey("project.project_id"), nullable=False),
    # The page it was saved on: "scalars".
    Column("page", String(16), nullable=False),
    # Null: nobody named it. It stands for the rest of a link that was too long.
    Column("name", _Name),
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

tag: Final = Table(
    "tag",
    schema,
    Column("tag_id", _Id, primary_key=True),
    Column("name", _Name, nullable=False),
    Column("name_sha256", _Sha256, nullable=False, unique=True),
)

tag_set: Final = Table(
    "tag_set",
    schema,
    Column("tag_set_id", _Id, primary_key=True),
    Column("sha256", _Sha256, nullable=False, unique=True),
    # Sorted (kind, tag_id) pairs, packed: orgboard_schema.blocks.heads.
    Column("payload", LargeBinary, nullable=False),
)

metadata: Final = Table(
    "metadata",
    schema,
    Column("metadata_id", _Id, primary_key=True),
    Column("sha256", _Sha256, nullable=False, unique=True),
    Column("plugin", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("data_class", SmallInteger, nullable=False),
)

source_file: Final = Table(
    "source_file",
    schema,
    Column("file_id", _Id, primary_key=True),
    Column("run_id", _Id, ForeignKey("run.run_id"), nullable=False),
    # File name inside the run's directory.
    Column("name", _Name, nullable=False),
    Column("name_sha256", _Sha256, nullable=False),
    # Counts up when the file shrank or its first bytes changed: another file of the same name.
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("head_sha256", _Sha256, nullable=False),
    Column("head_bytes", Integer, nullable=False),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("mtime_ns", BigInteger, nullable=False, server_default="0"),
    # Everything before is stored, in the same transaction as this number.
    Column("offset", BigInteger, nullable=False, server_default="0"),
    Column("pending", Text),
    Column("records", BigInteger, nullable=False, server_default="0"),
    Column("first_wall", Float(53)),
    Column("last_wall", Float(53)),
    # The attempt that the file's first points belong to, and the one at `offset`.
    Column("first_attempt", Integer, nullable=False, server_default="0"),
    Column("last_attempt", Integer, nullable=False, server_default="0"),
    Column("source_writer", Text),
    # "" or why the file cannot be read at the moment.
    Column("error", Text, nullable=False, server_default=""),
    # "" or "gzip", "zlib": the whole file is one compressed stream, and offset, head and gaps
    # count bytes of what it unpacks to; `size` is the file's own all the same.
    Column("encoding", String(8), nullable=False, server_default=""),
    # Seconds, when bytes of it were last stored.
    Column("read_at", Float(53)),
    # 2.0 of "brain.Event:2", as the file says of itself; null while it has not.
    Column("file_version", Float(53)),
    UniqueConstraint("run_id", "name_sha256"),
)

gap: Final = Table(
    "gap",
    schema,
    Column("run_id", _Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("file_id", _Id, ForeignKey("source_file.file_id"), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("found_at", Float(53), nullable=False),
)

restart: Final = Table(
    "restart",
    schema,
    Column("run_id", _Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    # Points of earlier attempts at `step` or after it are superseded ...
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    # ... in this series, or in every series of the run where tag_id is 0 and kind -1.
    Column("tag_id", _Id, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("step", BigInteger, nullable=False),
)

segment: Final = Table(
    "segment",
    schema,
    Column("run_id", _Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

block: Final = Table(
    "block",
    schema,
    Column("run_id", _Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("tag_id", _Id, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    # 0: the points themselves. Above: reduced for display (packed pyramid).
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("step_min", BigInteger, nullable=False),
    Column("step_max", BigInteger, nullable=False),
    # Of the finite ones; null where there is none.
    Column("wall_min", Float(53)),
    Column("wall_max", Float(53)),
    # Scalars only; of the finite values.
    Column("value_first", Float(53)),
    Column("value_last", Float(53)),
    Column("value_min", Float(53)),
    Column("value_max", Float(53)),
    Column("value_sum", Float(53)),
    Column("non_finite", Integer, nullable=False, server_default="0"),
    Column("payload", LargeBinary, nullable=False),
)

blob: Final = Table(
    "blob",
    schema,
    Column("sha256", _Sha256, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    # Inside the database when small, else at `uri`.
    Column("data", LargeBinary),
    Column("uri", Text),
)

blob_ref: Final = Table(
    "blob_ref",
    schema,
    # Who may see the run may see the blob; a blob without a reference may be swept.
    Column("run_id", _Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("sha256", _Sha256, ForeignKey("blob.sha256"), primary_key=True),
)
