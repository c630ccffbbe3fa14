"""Give found files a place in SQL, those of many runs in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection

from orgboard_ingest.catalog import KnownRun, load_named, reading_ids
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
    stored_in = reading_ids(conn, logdir_id, wanted.keys())
    ensure_files(conn, {run_id: wanted[name] for name, run_id in stored_in.items()})
    return load_named(conn, logdir_id, wanted.keys())
