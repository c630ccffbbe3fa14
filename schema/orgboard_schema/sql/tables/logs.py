"""What event files say: runs, the files they come from, and their points."""

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
    UniqueConstraint,
)

from orgboard_schema.sql.tables.types import Id, Name, Sha256, schema

__all__ = [
    "blob",
    "blob_ref",
    "block",
    "gap",
    "lease",
    "logdir",
    "metadata",
    "restart",
    "run",
    "run_head",
    "segment",
    "source_file",
    "tag",
    "tag_set",
    "thinned",
]

logdir: Final = Table(
    "logdir",
    schema,
    Column("logdir_id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("project.project_id"), nullable=False),
    # Resolved, absolute. A run's identity is (project, logdir, relative path).
    Column("path", Name, nullable=False),
    Column("path_sha256", Sha256, nullable=False),
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
    Column("logdir_id", Id, ForeignKey("logdir.logdir_id"), primary_key=True, autoincrement=False),
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
    Column("run_id", Id, primary_key=True),
    # The run's own for ever. What people attach to a run (notes, stars, shares) refers to this
    # and never to run_id. Opaque, in URLs: says nothing about how many runs there are.
    Column("uid", String(16), nullable=False, unique=True),
    Column("project_id", Id, ForeignKey("project.project_id"), nullable=False),
    Column("logdir_id", Id, ForeignKey("logdir.logdir_id"), nullable=False),
    # Directory relative to the logdir, "/" between parts, "." for the logdir itself.
    Column("name", Name, nullable=False),
    Column("name_sha256", Sha256, nullable=False),
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
    Column("tag_set_id", Id, ForeignKey("tag_set.tag_set_id")),
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
    Column("display_name", Name),
    Column("starred", SmallInteger, nullable=False, server_default="0"),
    # "#rrggbb", chosen by somebody instead of its place in the palette.
    Column("chosen_color", String(7)),
    # Counts up by one with each change that people made: of these columns, tags and note.
    Column("edits", BigInteger, nullable=False, server_default="0"),
    # Where it ran and whose it is, as the newest writer told; the host else by a file's name.
    Column("host", Name),
    Column("username", Name),
    # The name_sha256 of the run whose settings this one holds (orgboard_schema.sql.beside).
    Column("settings_of", Sha256),
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
Index(
    "ix_run_settings_of",
    *(run.c.logdir_id, run.c.settings_of),
    sqlite_where=run.c.settings_of.is_not(None),
    postgresql_where=run.c.settings_of.is_not(None),
)

run_head: Final = Table(
    "run_head",
    schema,
    Column("run_id", Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    # orgboard_schema.blocks.heads: one packed entry a series (tag, kind).
    Column("payload", LargeBinary, nullable=False),
)


tag: Final = Table(
    "tag",
    schema,
    Column("tag_id", Id, primary_key=True),
    Column("name", Name, nullable=False),
    Column("name_sha256", Sha256, nullable=False, unique=True),
)

tag_set: Final = Table(
    "tag_set",
    schema,
    Column("tag_set_id", Id, primary_key=True),
    Column("sha256", Sha256, nullable=False, unique=True),
    # Sorted (kind, tag_id) pairs, packed: orgboard_schema.blocks.heads.
    Column("payload", LargeBinary, nullable=False),
)

metadata: Final = Table(
    "metadata",
    schema,
    Column("metadata_id", Id, primary_key=True),
    Column("sha256", Sha256, nullable=False, unique=True),
    Column("plugin", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("data_class", SmallInteger, nullable=False),
)

source_file: Final = Table(
    "source_file",
    schema,
    Column("file_id", Id, primary_key=True),
    Column("run_id", Id, ForeignKey("run.run_id"), nullable=False),
    # File name inside the run's directory.
    Column("name", Name, nullable=False),
    Column("name_sha256", Sha256, nullable=False),
    # Counts up when the file shrank or its first bytes changed: another file of the same name.
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("head_sha256", Sha256, nullable=False),
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
    Column("run_id", Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("file_id", Id, ForeignKey("source_file.file_id"), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("found_at", Float(53), nullable=False),
)

restart: Final = Table(
    "restart",
    schema,
    Column("run_id", Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    # Points of earlier attempts at `step` or after it are superseded ...
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    # ... in this series, or in every series of the run where tag_id is 0 and kind -1.
    Column("tag_id", Id, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("step", BigInteger, nullable=False),
)

segment: Final = Table(
    "segment",
    schema,
    Column("run_id", Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

block: Final = Table(
    "block",
    schema,
    Column("run_id", Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("tag_id", Id, primary_key=True, autoincrement=False),
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

thinned: Final = Table(
    "thinned",
    schema,
    # What was taken away of a series and an attempt, on purpose (orgboard_schema.sql.thinning).
    Column("run_id", Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("tag_id", Id, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    # Seconds, when; and by which rule: every how many points were kept, of runs that had not
    # grown for how many days.
    Column("at", Float(53), nullable=False),
    Column("keep_every", Integer, nullable=False),
    Column("after_days", Float(53), nullable=False),
    # 0 until the run's references to the blobs of these points are gone, too.
    Column("settled", SmallInteger, nullable=False, server_default="0"),
    Column("n", Integer, nullable=False),
    # orgboard_schema.blocks.taken: which points these were.
    Column("payload", LargeBinary, nullable=False),
)

blob: Final = Table(
    "blob",
    schema,
    Column("sha256", Sha256, primary_key=True),
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
    Column("run_id", Id, ForeignKey("run.run_id"), primary_key=True, autoincrement=False),
    Column("sha256", Sha256, ForeignKey("blob.sha256"), primary_key=True),
    # To delete a blob, both engines look for who refers to it.
    Index(None, "sha256"),
)
