"""Ingest in this process, step by step, and what it left in the database, point by point."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from sqlalchemy import Engine, select

from orgboard_ingest.intake import Intake
from orgboard_ingest.projects import settle_logdir
from orgboard_ingest.roots import root_of
from orgboard_schema.blocks import head_rows
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.text import from_sql
from orgboard_schema.wire.event_pb2 import Event, SessionLog

__all__ = [
    "Scalars",
    "StoredPoint",
    "drain",
    "mark",
    "migrated",
    "new_intake",
    "stored_scalars",
    "version_event",
]

Scalars: TypeAlias = dict[tuple[str, str], list["StoredPoint"]]
"""Scalar points by run and tag, in stored order."""


MOST_STEPS = 5_000
"""Batches that the files of any test here need, many times over."""


class StoredPoint(NamedTuple):
    """A scalar as the database has it."""

    attempt: int
    superseded: bool
    step: int
    value: float


def migrated(url: str) -> Engine:
    """Open the database at `url` with its tables made."""
    engine = open_engine(url)
    upgrade(engine)
    return engine


def new_intake(engine: Engine, root: Path, *, batch_bytes: int = 1 << 23) -> Intake:
    """Give an intake of `root` that knows what the database knows."""
    with begin_write(engine) as conn:
        logdir_id = settle_logdir(conn, root, "tests/ingest", now=1.0)
    intake = Intake(engine, root_of(root), logdir_id, batch_bytes=batch_bytes, clock=lambda: 1.0)
    intake.load()
    return intake


def drain(intake: Intake, files: Iterable[tuple[str, str]]) -> None:
    """Read these files, (run, name), and all that has to be read again, to their ends."""
    waiting = sorted(files)
    for _ in range(MOST_STEPS):
        if not waiting:
            return
        run, name = waiting[0]
        advance = intake.advance(run, name)
        if advance.reread:
            waiting = sorted({*waiting, *((run, other) for other in intake.runs[run].files)})
        elif not advance.again:
            waiting = waiting[1:]
    raise AssertionError(f"{waiting[0]} is read again and again")


def stored_scalars(engine: Engine) -> Scalars:
    """Read every scalar that people see."""
    found: Scalars = {}
    with begin_read(engine) as conn:
        columns = tables.run.c
        query = select(columns.run_id, columns.name).where(columns.standing == SHOWN)
        runs = conn.execute(query).all()
        for run_id, name in runs:
            heads = head_rows(read.heads(conn, [run_id])[run_id])
            names = tag_names(conn, {head.tag_id for head in heads})
            keys: list[read.SeriesKey] = [
                (head.tag_id, head.kind) for head in heads if head.kind == "scalar"
            ]
            for (tag_id, _), data in read.series(conn, run_id, keys).items():
                read_columns = (data.attempt, data.superseded, data.step, data.value)
                points = zip(*(column.tolist() for column in read_columns), strict=True)
                found[from_sql(name), names[tag_id]] = [StoredPoint(*point) for point in points]
    return found


def mark(status: SessionLog.SessionStatus, step: int, wall: float) -> Event:
    """Make the event of a SessionLog: `SessionLog.START` and its like."""
    return Event(wall_time=wall, step=step, session_log=SessionLog(status=status))


def version_event(wall: float) -> Event:
    """Make the event that begins every file."""
    return Event(wall_time=wall, file_version=b"brain.Event:2")
