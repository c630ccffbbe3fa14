"""Give found runs and files their places in SQL, many in one transaction and few statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection

from orgboard_ingest.catalog import KnownRun, add_files, load_named
from orgboard_schema.sql.registry import ensure_files, ensure_runs
from orgboard_schema.wire.paths import host_in_name

__all__ = ["RUNS_AT_ONCE", "register"]

RUNS_AT_ONCE: Final = 500
"""Registered in one transaction: some tenths of a second, so that no rival waits for long."""


def register(
    conn: Connection, logdir_id: int, wanted: Mapping[str, Collection[str]], *, now: float
) -> list[KnownRun]:
    """Return the runs of these names with all their files, those named among them.

    New files stand at offset 0. A deleted run gets none, nor does one that a rival has just
    discarded.
    """
    named = {
        run: next(filter(None, map(host_in_name, files)), None) for run, files in wanted.items()
    }
    hosts = {run: host for run, host in named.items() if host is not None}
    ensure_runs(conn, logdir_id, wanted.keys(), now=now, hosts=hosts)
    found = load_named(conn, logdir_id, wanted.keys())
    ensure_files(conn, {run.run_id: wanted[run.name] for run in found if not run.deleted})
    add_files(conn, {run.run_id: run for run in found})
    return found
