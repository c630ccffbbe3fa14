"""What SQL says of a logdir's runs and files, held in memory while they are read.

A cache: all of it can be had again from SQL and the files, and is after any doubt
(`load`). Facts that attempts depend on are not in SQL; `facts` is None until they were
read, or read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import Connection, Row, select

from orgboard_ingest.attempts import NOTHING, Cut, FileFacts, Lives
from orgboard_schema.blocks import decode_heads, head_rows
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import load_metadata, tag_names
from orgboard_schema.sql.registry import FileRow, files
from orgboard_schema.sql.supersede import load_cuts as stored_cuts
from orgboard_schema.sql.text import from_sql
from orgboard_schema.types import Metadata

__all__ = ["KnownFile", "KnownRun", "is_worth_packing", "load_described", "load_run", "load_runs"]


LEAST_POINTS_A_BLOCK: Final = 64
"""Below, a block's own row outweighs its points."""


@dataclass(slots=True)
class KnownFile:
    """A file, how far it is stored, and what its bytes say about attempts."""

    row: FileRow
    facts: FileFacts | None
    """Of the bytes before `known_end`; None: not known at present."""
    known_end: int
    """Beyond the stored offset while a run is read again."""
    section: int = 0
    """Which section of `facts` the stored offset lies in."""
    stored: dict[int, int] = field(default_factory=dict)
    """Attempt of each section that has stored points, as far as known."""

    @classmethod
    def at(cls, row: FileRow) -> KnownFile:
        """Return the file as SQL knows it."""
        return cls(row, NOTHING if row.offset == 0 else None, 0)

    def forget(self) -> None:
        """Drop what can be read again."""
        if self.row.offset:
            self.facts, self.known_end, self.section, self.stored = None, 0, 0, {}


@dataclass(slots=True)
class KnownRun:
    """A run and its files by name."""

    run_id: int
    name: str
    revision: int
    attempts: int
    finished: str | None
    last_event: float | None
    end_wall: float | None
    """When it said that it had finished."""
    settled: bool
    """Whether all its points are packed in blocks."""
    files: dict[str, KnownFile] = field(default_factory=dict)
    remembered: dict[str, Metadata] | None = None
    """First metadata of each tag; None: not looked up yet."""
    cuts: dict[Cut, int] | None = None
    """The stored ones; None: not looked up yet."""
    prefix: tuple[str, Lives] | None = None
    """Lives of all files before the named one."""

    def forget(self) -> None:
        """Drop all that can be had again, to save memory."""
        self.remembered = self.cuts = self.prefix = None
        for file in self.files.values():
            file.forget()


def load_runs(conn: Connection, logdir_id: int) -> dict[str, KnownRun]:
    """Return the runs of a logdir, by name."""
    columns = tables.run.c
    query = select(tables.run).where(columns.logdir_id == logdir_id).order_by(columns.run_id)
    found = {row.run_id: _known_run(row) for row in conn.execute(query)}
    _add_files(conn, found)
    return {run.name: run for run in found.values()}


def load_run(conn: Connection, run_id: int) -> KnownRun:
    """Return one run as SQL knows it now."""
    row = conn.execute(select(tables.run).where(tables.run.c.run_id == run_id)).one()
    run = _known_run(row)
    _add_files(conn, {run_id: run})
    return run


def load_described(conn: Connection, run_id: int) -> tuple[dict[str, Metadata], dict[Cut, int]]:
    """Return the first metadata of each tag of a run, and from where on attempts supersede."""
    return _load_remembered(conn, run_id), _load_cuts(conn, run_id)


def is_worth_packing(conn: Connection, run_id: int) -> bool:
    """Tell whether a run's waiting points are better kept as a block for each series.

    A block has a row of its own; of a few points it is mostly that row, and all series
    side by side in a segment are smaller and quicker to write.
    """
    query = select(tables.run_head.c.payload).where(tables.run_head.c.run_id == run_id)
    payload = conn.execute(query).scalar_one_or_none()
    if payload is None:
        return False
    waiting = decode_heads(bytes(payload))["waiting"]
    series = int(np.count_nonzero(waiting))
    return series > 0 and int(waiting.sum()) >= LEAST_POINTS_A_BLOCK * series


def _load_remembered(conn: Connection, run_id: int) -> dict[str, Metadata]:
    query = select(tables.run_head.c.payload).where(tables.run_head.c.run_id == run_id)
    payload = conn.execute(query).scalar_one_or_none()
    if payload is None:
        return {}
    heads = [head for head in head_rows(decode_heads(bytes(payload))) if head.metadata_id]
    names = tag_names(conn, {head.tag_id for head in heads})
    metadata = load_metadata(conn, {head.metadata_id for head in heads})
    remembered: dict[str, Metadata] = {}
    for head in heads:
        remembered.setdefault(names[head.tag_id], metadata[head.metadata_id])
    return remembered


def _load_cuts(conn: Connection, run_id: int) -> dict[Cut, int]:
    found = stored_cuts(conn, [run_id])[run_id]
    names = tag_names(conn, {cut.tag_id for cut in found if cut.kind is not None})
    return {
        (cut.attempt, (names[cut.tag_id], cut.kind) if cut.kind is not None else None): cut.step
        for cut in found
    }


def _known_run(row: Row[tuple[object, ...]]) -> KnownRun:
    return KnownRun(
        run_id=row.run_id,
        name=from_sql(row.name),
        revision=row.revision,
        attempts=row.attempts,
        finished=row.finished,
        last_event=row.last_event,
        end_wall=row.last_event if row.finished else None,
        settled=row.segments == 0,
    )


def _add_files(conn: Connection, runs: dict[int, KnownRun]) -> None:
    for row in files(conn, runs.keys()):
        runs[row.run_id].files[row.name] = KnownFile.at(row)
