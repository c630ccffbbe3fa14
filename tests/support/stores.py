"""A run in a store, and an ingest of the simplest kind to fill it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import Engine

from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.sql.append import append
from orgboard_schema.sql.dictionary import tag_ids
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.flush import FileCommit, Flush, NewChunk, NewValues, Restart
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.read import SeriesData, SeriesKey, series
from orgboard_schema.sql.registry import ensure_file, ensure_logdir, ensure_project, ensure_run
from orgboard_schema.types import Kind, Value

__all__ = ["NOW", "Feed", "new_feed", "read_all", "restart", "scalars", "sqlite_store", "values"]

NOW = 1_700_000_000.0
"""The clock of every test."""

RECORD_BYTES = 10
"""What a flush moves the offset by; any number but 0 does."""


@contextmanager
def sqlite_store() -> Iterator[Engine]:
    """Give an empty database of its own, where a fixture's would be shared by many examples."""
    with TemporaryDirectory() as folder:
        engine = open_engine(str(Path(folder) / "board.db"))
        try:
            upgrade(engine)
            yield engine
        finally:
            engine.dispose()


@dataclass
class Feed:
    """One file of one run, fed flush by flush."""

    engine: Engine
    run_id: int
    file_id: int
    offset: int = 0
    generation: int = 0
    tags: dict[str, int] = field(default_factory=dict)

    def flush(self, chunks: Sequence[NewChunk] = (), **more: object) -> Flush:
        """Return the next flush, without storing it."""
        new_offset = self.offset + RECORD_BYTES
        file = FileCommit(
            file_id=self.file_id,
            generation=self.generation,
            old_offset=self.offset,
            new_offset=new_offset,
            size=new_offset,
            mtime_ns=int(NOW * 1e9),
            records=1,
        )
        return Flush(self.run_id, file, NOW, tuple(chunks), **more)  # type: ignore[arg-type]

    def store(self, chunks: Sequence[NewChunk] = (), **more: object) -> None:
        """Store the next flush."""
        with begin_write(self.engine) as conn:
            append(conn, self.flush(chunks, **more))
        self.offset += RECORD_BYTES

    def tag(self, name: str) -> int:
        """Return the id of a tag."""
        if name not in self.tags:
            with begin_write(self.engine) as conn:
                self.tags |= tag_ids(conn, [name])
        return self.tags[name]

    def read(self, tag: str, kind: Kind = "scalar") -> SeriesData | None:
        """Return a series of the run."""
        key = (self.tag(tag), kind)
        return read_all(self.engine, self.run_id, [key]).get(key)


def new_feed(engine: Engine, *, run: str = "run", file: str = "events.out.tfevents.1") -> Feed:
    """Return a feed into a run of that name, made when it is not there."""
    with begin_write(engine) as conn:
        project = ensure_project(conn, "team/project", now=NOW)
        logdir = ensure_logdir(conn, project, "/logs")
        row = ensure_run(conn, logdir, run, now=NOW)
        stored = ensure_file(conn, row.run_id, file, head_sha256=bytes(32), head_bytes=0)
    return Feed(engine, row.run_id, stored.file_id, stored.offset, stored.generation)


def scalars(
    tag: str,
    steps: Sequence[int],
    values: Sequence[float] | None = None,
    *,
    attempt: int = 0,
    dtype: str = "float32",
) -> NewChunk:
    """Return new scalars; their values are their steps when none are given."""
    step = np.array(steps, np.int64)
    value = np.array(steps if values is None else values, dtype)
    return NewChunk(attempt, tag, "scalar", ScalarSeries(step, NOW + step.astype(float), value))


def values(tag: str, kind: Kind, given: Sequence[Value], *, attempt: int = 0) -> NewChunk:
    """Return new values at steps 0, 1, …"""
    step = np.arange(len(given), dtype=np.int64)
    return NewChunk(attempt, tag, kind, NewValues(step, NOW + step.astype(float), tuple(given)))


def restart(attempt: int, step: int, tag: str | None = None, kind: Kind | None = None) -> Restart:
    """Return a restart, of every series unless one is named."""
    return Restart(attempt, tag, kind, step)


def read_all(engine: Engine, run_id: int, keys: Sequence[SeriesKey]) -> dict[SeriesKey, SeriesData]:
    """Return these series in one snapshot."""
    with begin_read(engine) as conn:
        return series(conn, run_id, keys)
