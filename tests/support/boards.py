"""A stored board: runs put into a database the one way that points go in, and the app on it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.sql.append import append
from orgboard_schema.sql.engine import begin_write, open_engine
from orgboard_schema.sql.flush import (
    FileCommit,
    Finished,
    Flush,
    NewChunk,
    NewGap,
    NewValues,
    Origin,
    Restart,
)
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.registry import ensure_file, ensure_logdir, ensure_project, ensure_run
from orgboard_schema.types import Kind, Metadata, Value
from support.kept_app import kept_app
from support.web_role import web_engine

__all__ = ["Board", "any_board", "board", "opened", "scalars", "values"]

OWN = {"host": "127.0.0.1:7070", "sec-fetch-site": "same-origin"}
"""What a browser says of a request of the board's own page."""


@dataclass(slots=True)
class Board:
    """A database with runs in it."""

    engine: Engine
    uids: dict[str, str] = field(default_factory=dict)
    _offsets: dict[str, int] = field(default_factory=dict)
    _web: Web | None = None
    _of_web: Engine | None = None

    def log(
        self,
        run: str,
        chunks: Sequence[NewChunk] = (),
        *,
        project: str = "default/board",
        logdir: str = "/logs",
        restarts: Sequence[Restart] = (),
        gaps: Sequence[NewGap] = (),
        metadata: Mapping[tuple[str, Kind], Metadata] | None = None,
        hparams: str | None = None,
        finished: Finished | None = None,
        origin: Origin | None = None,
        now: float | None = None,
    ) -> str:
        """Store what one flush of a run brings, and return the run's uid."""
        at = time.time() if now is None else now
        with begin_write(self.engine) as conn:
            logdir_id = ensure_logdir(conn, ensure_project(conn, project, now=at), logdir)
            row = ensure_run(conn, logdir_id, run, now=at)
            file = ensure_file(
                conn, row.run_id, "events.out.tfevents.1", head_sha256=b"\0" * 32, head_bytes=8
            )
            offset = self._offsets.get(row.uid, 0)
            self._offsets[row.uid] = offset + 100
            commit = FileCommit(
                file.file_id, 0, offset, offset + 100, offset + 100, int(at * 1e9), records=1
            )
            append(
                conn,
                Flush(
                    run_id=row.run_id,
                    file=commit,
                    now=at,
                    chunks=tuple(chunks),
                    restarts=tuple(restarts),
                    gaps=tuple(gaps),
                    metadata=metadata or {},
                    hparams=hparams,
                    finished=finished,
                    origin=origin,
                ),
            )
        self.uids[run] = row.uid
        return row.uid

    def web(self, **settings: object) -> Web:
        """Return the whole app over this database, by a role of its own where there are roles."""
        return create_app(WebConfig(**settings), self._served())  # type: ignore[arg-type]

    def kept_web(self) -> Web:
        """Return the app without settings over this database, which all boards share."""
        return kept_app(self._served())

    def _served(self) -> Engine:
        if self._of_web is None:
            self._of_web = web_engine(self.engine)
        return self._of_web

    def close(self) -> None:
        """Let go of the database."""
        for engine in (self.engine, self._of_web):
            if engine is not None:
                engine.dispose()

    def ask(
        self, method: str, path: str, *, web: Web | None = None, **request: object
    ) -> httpx.Response:
        """Send one request through the whole app, as the board's own page would."""
        self._web = web or self._web
        app = self._web or self.kept_web()

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app.gate, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:7070", headers=OWN
            ) as client:
                return await client.request(method, path, **request)  # type: ignore[arg-type]

        return anyio.run(send)


def scalars(
    tag: str,
    value: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]],
    *,
    step: Sequence[int] | None = None,
    wall: Sequence[float] | None = None,
    attempt: int = 0,
    dtype: str = "float32",
) -> NewChunk:
    """Return points of a scalar series; by default steps from 0, a second apart."""
    n = len(value)
    steps = np.arange(n, dtype=np.int64) if step is None else np.array(step, np.int64)
    walls = 1.7e9 + np.arange(n, dtype=np.float64) if wall is None else np.array(wall, np.float64)
    return NewChunk(attempt, tag, "scalar", ScalarSeries(steps, walls, np.array(value, dtype)))


def values(
    tag: str,
    kind: Kind,
    value: Sequence[Value],
    *,
    step: Sequence[int] | None = None,
    wall: Sequence[float] | None = None,
    attempt: int = 0,
) -> NewChunk:
    """Return points of another kind; by default steps from 0, a second apart."""
    n = len(value)
    steps = np.arange(n, dtype=np.int64) if step is None else np.array(step, np.int64)
    walls = 1.7e9 + np.arange(n, dtype=np.float64) if wall is None else np.array(wall, np.float64)
    return NewChunk(attempt, tag, kind, NewValues(steps, walls, tuple(value)))


@contextmanager
def opened(url: str) -> Iterator[Board]:
    """Give an empty board in the database at `url`."""
    made = Board(open_engine(url))
    upgrade(made.engine)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def board(sqlite_tables_url: str) -> Iterator[Board]:
    """Give an empty board on SQLite, for what does not depend on the engine."""
    with opened(sqlite_tables_url) as made:
        yield made


@pytest.fixture
def any_board(tables_url: str) -> Iterator[Board]:
    """Give an empty board, once on each engine."""
    with opened(tables_url) as made:
        yield made
