"""Compressed files, and damage at the end of idle ones, through ingest into SQL."""

from __future__ import annotations

import gzip
import os
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from orgboard_ingest.commands import verify
from orgboard_ingest.damage import damages
from orgboard_ingest.intake import Intake
from orgboard_ingest.tail import SETTLED_AFTER_S
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from support.event_files import event_file, scalar_event
from support.ingested import drain, migrated, new_intake, stored_scalars

NAME = "events.out.tfevents.1"
FILE = ("run", NAME)
WHOLE = event_file(*(scalar_event("loss", n, random.Random(n).random()) for n in range(300)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a run's only file; the folder is there."""
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    return run / NAME


@pytest.fixture
def engine(tables_url: str) -> Iterator[Engine]:
    """Give an empty database, once on each engine."""
    made = migrated(tables_url)
    yield made
    made.dispose()


def _steps(engine: Engine, run: str = "run") -> list[int]:
    return [point.step for point in stored_scalars(engine).get((run, "loss"), [])]


def _file_row(engine: Engine) -> tuple[str, int, str | None]:
    columns = tables.source_file.c
    with begin_read(engine) as conn:
        row = conn.execute(select(columns.encoding, columns.offset, columns.pending)).one()
    return row.encoding, row.offset, row.pending


def _is_settled(intake: Intake, path: Path) -> bool:
    status = path.stat()
    return intake.is_settled(*FILE, status.st_size, status.st_mtime_ns)


def test_the_packed_files_of_the_corpus_give_their_points(corpus: Path, engine: Engine) -> None:
    logs = corpus / "hostile" / "gzip_records" / "logs"
    files = [(path.parent.name, path.name) for path in logs.rglob("*tfevents*")]

    drain(new_intake(engine, logs), files)

    assert {run: len(points) for (run, _), points in stored_scalars(engine).items()} == {
        "good": 3,
        "gz_named": 10,
        "gz_plain_name": 10,
    }


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zlib", zlib.compress)])
def test_a_packed_file_that_grows_is_read_as_it_comes(
    encoding: str, pack: Callable[[bytes], bytes], path: Path, engine: Engine
) -> None:
    packed = pack(WHOLE)
    for end in (len(packed) // 3, len(packed) // 2, len(packed)):
        path.write_bytes(packed[:end])
        # A daemon started anew knows of no mark.
        intake = new_intake(engine, path.parents[1], batch_bytes=1000)
        drain(intake, [FILE])
        assert _is_settled(intake, path)

    assert _steps(engine) == list(range(300))
    assert _file_row(engine) == (encoding, len(WHOLE), "end of packed data")


def test_a_member_appended_is_read_and_verified(path: Path, tables_url: str) -> None:
    engine = migrated(tables_url)
    path.write_bytes(gzip.compress(WHOLE[: len(WHOLE) // 2]))
    intake = new_intake(engine, path.parents[1])
    drain(intake, [FILE])
    with path.open("ab") as file:
        file.write(gzip.compress(WHOLE[len(WHOLE) // 2 :]))

    assert not _is_settled(intake, path)
    drain(intake, [FILE])

    assert _steps(engine) == list(range(300))
    engine.dispose()
    assert verify([str(path.parents[1]), "--db", tables_url]) == 0


def test_a_packed_file_that_was_replaced_is_read_anew(path: Path, engine: Engine) -> None:
    path.write_bytes(gzip.compress(WHOLE))
    intake = new_intake(engine, path.parents[1])
    drain(intake, [FILE])

    path.write_bytes(gzip.compress(event_file(scalar_event("loss", 7, 1.0))))
    drain(intake, [FILE])

    assert _steps(engine) == [7]


def _intake_at(engine: Engine, path: Path, now: float) -> Intake:
    known = new_intake(engine, path.parents[1])
    intake = Intake(engine, known.root, known.logdir_id, batch_bytes=1 << 20, clock=lambda: now)
    intake.load()
    return intake


@pytest.mark.parametrize("case", ["declared_8gib", "garbage_tail"])
def test_damage_at_the_end_of_a_file_is_given_up_once_it_is_idle(
    case: str, corpus: Path, path: Path, engine: Engine
) -> None:
    (source,) = (corpus / "hostile" / case / "logs").iterdir()
    data = source.read_bytes()
    path.write_bytes(data)
    os.utime(path, (1000.0, 1000.0))
    live = _intake_at(engine, path, 1000.0 + SETTLED_AFTER_S)
    drain(live, [FILE])
    steps, waiting = _steps(engine), _file_row(engine)
    assert _is_settled(live, path)

    idle = _intake_at(engine, path, 1001.0 + SETTLED_AFTER_S)
    assert not _is_settled(idle, path)
    drain(idle, [FILE])

    assert _is_settled(idle, path)
    assert waiting[2] is not None
    assert waiting[1] < _file_row(engine)[1] <= len(data)
    assert _steps(engine) == steps
    # A writer that goes on after all is read on.
    with path.open("ab") as file:
        file.write(event_file(scalar_event("loss", 99, 1.0)))
    drain(idle, [FILE])
    assert _steps(engine) == [*steps, 99]
    with begin_read(engine) as conn:
        assert damages(conn, [idle.logdir_id])


@pytest.mark.parametrize("tail", [WHOLE[:20], bytes(500)])
def test_what_is_only_not_written_yet_waits_for_ever(
    tail: bytes, path: Path, engine: Engine
) -> None:
    path.write_bytes(WHOLE + tail)
    os.utime(path, (1000.0, 1000.0))
    intake = _intake_at(engine, path, 1e9)

    drain(intake, [FILE])

    assert _file_row(engine)[1] == len(WHOLE)
    assert _is_settled(intake, path)
