"""Is the store what was written? Reads everything, changes nothing, names what is damaged.

A database can be made again from the event files, so the answer to damage is to know it:
which run, which row, what is wrong. What cannot be read at all is named, and the check
goes on behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import DBAPIError

from orgboard_schema.blocks import decode_tag_set
from orgboard_schema.blocks.frame import unpack
from orgboard_schema.progress import Tell, quiet
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobs import iter_content
from orgboard_schema.sql.check_points import check_points
from orgboard_schema.sql.damage import Damage, guarded, told
from orgboard_schema.sql.engine import begin_read, unreachable
from orgboard_schema.sql.standing import DELETED, DISCARDED, SHADOW, SHOWN
from orgboard_schema.sql.supersede import EVERY_TAG
from orgboard_schema.sql.text import from_sql, sha256

__all__ = ["Damage", "check_database", "check_store", "count_all", "totals"]

MOST_ORPHANS: Final = 100
"""Rows without a run named one by one; the rest is counted."""


def check_database(engine: Engine, tell: Tell = quiet) -> Iterator[Damage]:
    """Yield all damage of the database, also where it can hardly be opened.

    Raises:
        DatabaseUnreachable: It does not answer, or it is no database.
    """
    try:
        with begin_read(engine) as conn:
            yield from check_store(conn, tell)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise unreachable(engine.url, error) from error
        yield Damage("the database", told(error))
    except UnicodeDecodeError as error:
        # SQLite tells of damage in words of which some are the damage.
        yield Damage("the database", told(error))


def check_store(conn: Connection, tell: Tell = quiet) -> Iterator[Damage]:
    """Yield all damage of the database, in one snapshot; `tell` hears how far it is."""
    if conn.dialect.name == "sqlite":
        yield from guarded(conn, "the SQLite file", lambda: _quick_check(conn))
    runs: list[int] = []
    yield from guarded(conn, "runs", lambda: _list_runs(conn, runs))
    for number, run_id in enumerate(runs):
        tell("runs", number, len(runs))
        yield from guarded(conn, f"run {run_id}", partial(_check_run, conn, run_id))
    yield from guarded(conn, "tag sets", lambda: _check_tag_sets(conn))
    yield from guarded(conn, "blobs", lambda: _check_blobs(conn, tell))
    yield from guarded(conn, "graph files", lambda: _check_uploads(conn))
    for table, column, parent in _REFERENCES:
        yield from guarded(
            conn,
            f"table {table.name}",
            partial(_check_orphans, conn, table, column, parent),
        )


def _list_runs(conn: Connection, runs: list[int]) -> Iterator[Damage]:
    # Kept as they come: what lies behind a damaged page may not be found.
    runs.extend(conn.scalars(select(tables.run.c.run_id).order_by(tables.run.c.run_id)))
    yield from ()


def _quick_check(conn: Connection) -> Iterator[Damage]:
    for (line,) in conn.exec_driver_sql("PRAGMA quick_check"):
        if line != "ok":
            yield Damage("the SQLite file", str(line))


def _check_run(conn: Connection, run_id: int) -> Iterator[Damage]:
    row = conn.execute(select(tables.run).where(tables.run.c.run_id == run_id)).one()
    place = f"run {from_sql(row.name)!r} ({row.uid})"
    yield from guarded(conn, place, lambda: _check_standing(conn, row, place))
    # Of the others, the points are being removed.
    if row.standing in (SHOWN, SHADOW):
        yield from check_points(conn, run_id, place, row.points)
        yield from guarded(conn, f"{place}, restarts", lambda: _check_restarts(conn, row, place))
    yield from guarded(conn, f"{place}, files", lambda: _check_files(conn, run_id, place))


def _check_standing(conn: Connection, row: Any, place: str) -> Iterator[Damage]:
    run = tables.run.c
    if row.standing not in (SHOWN, SHADOW, DISCARDED, DELETED):
        yield Damage(place, f"it stands in no known way ({row.standing})")
    # Ingest finds it by this; the others are out of the way on purpose.
    is_found = row.standing in (SHOWN, DELETED)
    if is_found and bytes(row.name_sha256) != sha256(from_sql(row.name)):
        yield Damage(place, "its name does not have its hash")
    if row.standing != SHADOW:
        return
    original = conn.execute(select(run.run_id).where(run.run_id == row.shadow_of)).scalar()
    if original is None:
        yield Damage(place, f"it is read in place of run {row.shadow_of}, which is not there")


def _check_restarts(conn: Connection, row: Any, place: str) -> Iterator[Damage]:
    columns, tag = tables.restart.c, tables.tag.c
    query = (
        select(columns.attempt, columns.tag_id, tag.tag_id)
        .outerjoin(tables.tag, tag.tag_id == columns.tag_id)
        .where(columns.run_id == row.run_id)
        .order_by(columns.attempt, columns.tag_id)
    )
    for attempt, tag_id, known in conn.execute(query):
        here = f"{place}, restart of attempt {attempt}"
        if not 0 < attempt < row.attempts:
            yield Damage(here, f"the run has {row.attempts} attempts")
        if tag_id != EVERY_TAG and known is None:
            yield Damage(here, f"there is no tag {tag_id}")


def _check_files(conn: Connection, run_id: int, place: str) -> Iterator[Damage]:
    columns = tables.source_file.c
    rows = conn.execute(
        select(columns.name, columns.offset, columns.size).where(
            columns.run_id == run_id,
            # The offset of a packed file counts other bytes than its size.
            columns.encoding == "",
            columns.offset > columns.size,
        )
    )
    for name, offset, size in rows:
        yield Damage(f"{place}, file {from_sql(name)!r}", f"read to {offset} of {size} bytes")


def _check_tag_sets(conn: Connection) -> Iterator[Damage]:
    for number in list(conn.scalars(select(tables.tag_set.c.tag_set_id))):
        here = f"tag set {number}"
        yield from guarded(conn, here, partial(_check_tag_set, conn, number, here))


def _check_tag_set(conn: Connection, number: int, here: str) -> Iterator[Damage]:
    columns = tables.tag_set.c
    query = select(columns.payload, columns.sha256).where(columns.tag_set_id == number)
    payload, sha256 = conn.execute(query).one()
    decode_tag_set(bytes(payload))
    if hashlib.sha256(payload).digest() != bytes(sha256):
        yield Damage(here, "its content does not have its hash")


def _check_blobs(conn: Connection, tell: Tell) -> Iterator[Damage]:
    columns = tables.blob.c
    keys = [bytes(key) for key in conn.scalars(select(columns.sha256))]
    for number, key in enumerate(keys):
        tell("blobs", number, len(keys))
        here = f"blob {key.hex()}"
        yield from guarded(conn, here, partial(_check_blob, conn, key, here))


def _check_blob(conn: Connection, key: bytes, here: str) -> Iterator[Damage]:
    digest = hashlib.sha256()
    for piece in iter_content(conn, key):
        digest.update(piece)
    if digest.digest() != key:
        yield Damage(here, "its content does not have its hash")


def _check_uploads(conn: Connection) -> Iterator[Damage]:
    for key in list(conn.scalars(select(tables.graph_upload.c.upload_id))):
        here = f"graph file {key}"
        yield from guarded(conn, here, partial(_check_upload, conn, key, here))


def _check_upload(conn: Connection, key: str, here: str) -> Iterator[Damage]:
    columns = tables.graph_upload.c
    query = select(columns.payload, columns.sha256).where(columns.upload_id == key)
    payload, sha256 = conn.execute(query).one()
    if hashlib.sha256(unpack(bytes(payload))).digest() != bytes(sha256):
        yield Damage(here, "its content does not have its hash")


_REFERENCES: Final = (
    (tables.block, "run_id", tables.run),
    (tables.segment, "run_id", tables.run),
    (tables.run_head, "run_id", tables.run),
    (tables.restart, "run_id", tables.run),
    (tables.source_file, "run_id", tables.run),
    (tables.gap, "run_id", tables.run),
    (tables.thinned, "run_id", tables.run),
    (tables.blob_ref, "run_id", tables.run),
    (tables.blob_ref, "sha256", tables.blob),
    (tables.run_note, "uid", tables.run),
    (tables.run_note_before, "uid", tables.run),
    (tables.run_tag, "uid", tables.run),
    (tables.comment, "uid", tables.run),
    (tables.comment, "view_id", tables.saved_view),
    (tables.mention, "comment_id", tables.comment),
    (tables.watch, "uid", tables.run),
    (tables.watch_seen, "comment_id", tables.comment),
    (tables.annotation, "uid", tables.run),
    (tables.annotation, "project_id", tables.project),
    (tables.saved_view, "project_id", tables.project),
    (tables.graph_upload, "project_id", tables.project),
    (tables.run, "logdir_id", tables.logdir),
    (tables.run, "project_id", tables.project),
    (tables.logdir, "project_id", tables.project),
    (tables.project, "team_id", tables.team),
)
"""What refers to what. The engines see to it; damage does not."""


def _check_orphans(conn: Connection, table: Table, column: str, parent: Table) -> Iterator[Damage]:
    mine, theirs = table.c[column], parent.c[column]
    query = (
        select(mine, func.count())
        .outerjoin(parent, theirs == mine)
        .where(theirs.is_(None), mine.is_not(None))
        .group_by(mine)
    )
    for number, (key, count) in enumerate(conn.execute(query)):
        if number >= MOST_ORPHANS:
            yield Damage(f"table {table.name}", "more rows refer to what is not there")
            return
        named = bytes(key).hex() if isinstance(key, bytes | memoryview) else key
        what = f"{count} rows refer to {parent.name} {named}, which is not there"
        yield Damage(f"table {table.name}", what)


def totals(conn: Connection) -> tuple[int, int, int]:
    """Return how many runs, points and blobs there are."""
    runs, points = conn.execute(
        select(func.count(), func.coalesce(func.sum(tables.run.c.points), 0)).where(
            tables.run.c.standing == SHOWN
        )
    ).one()
    blobs = conn.execute(select(func.count()).select_from(tables.blob)).scalar_one()
    return int(runs), int(points), int(blobs)


def count_all(engine: Engine) -> str:
    """Return for people how many runs, points and blobs there are."""
    try:
        with begin_read(engine) as conn:
            runs, points, blobs = totals(conn)
    except (DBAPIError, UnicodeDecodeError):
        return "what there is cannot be counted"
    return f"{runs} runs, {points} points, {blobs} blobs"
