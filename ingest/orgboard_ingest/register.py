"""Give found files a place in SQL, those of many runs in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection

from orgboard_ingest.catalog import KnownRun, load_named
from orgboard_schema.sql.registry import ensure_files, ensure_runs

__all__ = ["RUNS_AT_ONCE", "register"]

RUNS_AT_ONCE: Final = 500
"""Registered in one transaction: some tenths of a second, so that no rival waits for long."""


def register(
    conn: Connection, logdir_id: int, wanted: Mapping[str, Collection[str]], *, now: float
) -> list[KnownRun]:
    """Return these runs as SQL knows them; `wanted` names the files that each is to have.

    What is missing is created, but no file of a run that somebody deleted.
    """
    ensure_runs(conn, logdir_id, wanted.keys(), now=now)
    found = load_named(conn, logdir_id, wanted.keys())
    new = {
        run.run_id: wanted[run.name]
        for run in found
        if not (run.deleted or run.files.keys() >= set(wanted[run.name]))
    }
    if not new:
        return found
    ensure_files(conn, new)
    return load_named(conn, logdir_id, wanted.keys())
