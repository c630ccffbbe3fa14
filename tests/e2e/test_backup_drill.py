"""A backup taken while ingest writes, restored, and ingest going on: nothing lost or doubled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from orgboard_ingest.commands import ingest, verify
from orgboard_schema.commands import db
from orgboard_schema.sql import tables
from orgboard_schema.sql.backup.give_back import restore_backup
from orgboard_schema.sql.backup.take import take_backup
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.wire.frames import encode_frame
from support.event_files import scalar_event
from support.ingested import migrated, version_event
from support.postgres import fresh_database
from support.programs import Start
from support.waiting import wait_until

RUNS = ("a", "b/c", "d")
GROW_EVERY_S = 0.01
SOME = 300
"""Points that ingest has stored before the backup begins, and stores while it is taken."""
WITHIN_S = 40.0


@contextmanager
def _growing(logdir: Path) -> Iterator[list[int]]:
    """Let the runs grow while the block runs; give how many points have been written."""
    written, stop = [0], threading.Event()
    files = [logdir / run / "events.out.tfevents.1" for run in RUNS]

    def grow() -> None:
        step = 0
        while not stop.wait(GROW_EVERY_S):
            for path in files:
                event = scalar_event("loss", step, step / 3, 1_700_000_000.0 + step)
                with path.open("ab") as file:
                    file.write(encode_frame(event.SerializeToString()))
                written[0] += 1
            step += 1

    for path in files:
        path.parent.mkdir(parents=True)
        path.write_bytes(encode_frame(version_event(1.0).SerializeToString()))
    thread = threading.Thread(target=grow)
    thread.start()
    try:
        yield written
    finally:
        stop.set()
        thread.join()


def _points(engine: Engine) -> int:
    with begin_read(engine) as conn:
        return int(
            conn.execute(select(func.coalesce(func.sum(tables.run.c.points), 0))).scalar_one()
        )


def _more_than(engine: Engine, points: int) -> Callable[[], bool]:
    return lambda: _points(engine) > points


@pytest.mark.slow
@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_ingest_writes_through_a_backup_and_goes_on_after_the_restore(
    tmp_path: Path,
    tables_url: str,
    target: str,
    postgres_url: str,
    start_orgboard: Start,
) -> None:
    logs, backup = tmp_path / "logs", tmp_path / "board.backup"
    engine = migrated(tables_url)
    stored_meanwhile: list[int] = []

    def tell(_what: str, _done: int, _of: int) -> None:
        # The snapshot stands: what is stored from here on is not in the backup.
        if not stored_meanwhile:
            already = _points(engine)
            wait_until(_more_than(engine, already + SOME), WITHIN_S, "points stored meanwhile")
            stored_meanwhile.append(_points(engine))

    with _growing(logs) as written, start_orgboard("ingest", logs, "--db", tables_url):
        wait_until(_more_than(engine, SOME), WITHIN_S, "the first points")
        take_backup(engine, backup, None, now=0.0, tell=tell)
    engine.dispose()

    with fresh_database(postgres_url) as other:
        url = other if target == "postgres" else str(tmp_path / "restored.db")
        restore_backup(backup, url, None)
        restored = migrated(url)
        in_backup = _points(restored)
        assert db(["check", "--db", url]) == 0
        assert ingest([str(logs), "--db", url, "--once"]) == 0
        assert verify([str(logs), "--db", url]) == 0
        assert SOME < in_backup < stored_meanwhile[0] - SOME
        assert _points(restored) == written[0]
        restored.dispose()
