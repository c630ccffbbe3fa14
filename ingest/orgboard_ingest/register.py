"""Give found runs and files their places in SQL, many in one transaction and few statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, func, select, update

from orgboard_ingest.catalog import KnownRun, add_files, load_named
from orgboard_ingest.tail import NO_HEAD
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import ensure_runs, files
from orgboard_schema.sql.standing import SHADOW, SHOWN
from orgboard_schema.sql.text import sha256, to_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = ["RUNS_AT_ONCE", "register"]

RUNS_AT_ONCE = 100
"""Registered in one transaction: few commits, and no rival waits for long."""


def register(
    conn: Connection, logdir_id: int, wanted: Mapping[str, Collection[str]], *, now: float
) -> list[KnownRun]:
    """Return the runs of these names with all their files, those named among them.

    New files stand at offset 0. A deleted run gets none, nor does one that a rival has just
    discarded.
    """
    ensure_runs(conn, logdir_id, wanted.keys(), now=now)
    found = load_named(conn, logdir_id, wanted.keys())
    by_id = {run.run_id: run for run in found if not run.deleted}
    _ensure_files(conn, {number: wanted[run.name] for number, run in by_id.items()})
    add_files(conn, {run.run_id: run for run in found})
    return found


def _ensure_files(conn: Connection, wanted: Mapping[int, Collection[str]]) -> None:
    columns, file = tables.run.c, tables.source_file.c
    # The runs' locks first, in order: of two daemons that find the same files, one counts them.
    locked = (
        select(columns.run_id)
        .where(columns.run_id.in_(sorted(wanted)), columns.standing.in_((SHOWN, SHADOW)))
        .order_by(columns.run_id)
        .with_for_update()
    )
    free = list(conn.execute(locked).scalars())
    known = {(row.run_id, row.name) for row in files(conn, free)}
    new = sorted({(run_id, name) for run_id in free for name in wanted[run_id]} - known)
    if new:
        insert_new(conn, tables.source_file, [_new_row(run_id, name) for run_id, name in new])
        grown = sorted({run_id for run_id, _ in new})
        count = select(func.count()).where(file.run_id == columns.run_id).scalar_subquery()
        conn.execute(update(tables.run).where(columns.run_id.in_(grown)).values(files=count))


def _new_row(run_id: int, name: str) -> dict[str, object]:
    row: dict[str, object] = {"run_id": run_id, "name": to_sql(name), "name_sha256": sha256(name)}
    return row | {"head_sha256": NO_HEAD.sha256, "head_bytes": NO_HEAD.size}
