"""A logdir and its database, followed step by step by processes that are new each time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Engine, select

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.damage import Damage, damages
from orgboard_ingest.hints import Hints
from orgboard_ingest.run import make_daemon
from orgboard_ingest.verify import differences
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from support.event_files import event_file, scalar_event
from support.ingested import Scalars, migrated, stored_scalars, version_event

__all__ = ["WITHIN_S", "Side", "Step", "following", "points", "put"]

WITHIN_S = 20.0

Step: TypeAlias = Mapping[str, bytes | None]
"""Files that are put, by name; None: removed."""


def points(*steps: int, value: float = 1.0, wall: float = 100.0) -> bytes:
    """Make a file of scalars at these steps."""
    events = (scalar_event("loss", step, value + step, wall + step) for step in steps)
    return event_file(version_event(wall), *events)


@dataclass
class Side:
    """A logdir, its database, and a new process that reads it after each step."""

    where: Path | str
    url: str
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = migrated(self.url)

    def read(self) -> None:
        """Read all there is."""
        config = IngestConfig(
            (self.where,), self.url, "tests/ingest", once=True, batch_bytes=50_000
        )
        make_daemon(config, self.engine, Hints()).run_once(lambda _: None)

    def seen(self) -> tuple[Scalars, list[Damage], list[str]]:
        """Return what is stored, what was damaged, and how that differs from the files."""
        with begin_read(self.engine) as conn:
            return (
                stored_scalars(self.engine),
                damages(conn, [1]),
                list(differences(conn, 1, self.where)),
            )

    def runs(self) -> dict[str, tuple[str, bool]]:
        """Return each run's uid, and whether it is known to have no files."""
        with begin_read(self.engine) as conn:
            columns = tables.run.c
            query = select(columns.name, columns.uid, columns.gone_at)
            return {name: (uid, at is not None) for name, uid, at in conn.execute(query)}


@contextmanager
def following(side: Side, **more: Any) -> Iterator[None]:
    """Follow the logdir in a thread while the block runs."""
    config = IngestConfig((side.where,), side.url, "tests/ingest", rescan_polling_s=0.02, **more)
    daemon = make_daemon(config, side.engine, Hints())
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield
    finally:
        daemon.stop()
        thread.join(WITHIN_S)
    assert not thread.is_alive()


def put(folder: Path, files: Any, step: Step) -> None:
    """Bring these files into a folder and a store alike."""
    for name, data in step.items():
        path = folder / name
        if data is None:
            path.unlink()
            path.parent.rmdir()
            files.rm_file(f"/logs/{name}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files.pipe_file(f"/logs/{name}", data)
