"""Files into SQL: rivals, files that shrink, change, vanish or come piece by piece."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from orgboard_ingest.damage import damages
from orgboard_ingest.intake import Intake
from orgboard_ingest.stage import PointSeries, stage
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.reader import read
from support.event_files import event_file, scalar_event
from support.ingested import drain, mark, migrated, new_intake, stored_scalars

NAME = "events.out.tfevents.1"
FILE = ("run", NAME)


def _points(*steps: int, tag: str = "loss") -> bytes:
    return event_file(*(scalar_event(tag, step, float(step), 100.0 + step) for step in steps))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a run's only file; the folder is there."""
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    return run / NAME


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """Give an empty SQLite database."""
    made = migrated(sqlite_url)
    yield made
    made.dispose()


@pytest.fixture
def any_engine(tables_url: str) -> Iterator[Engine]:
    """Give an empty database, once on each engine."""
    made = migrated(tables_url)
    yield made
    made.dispose()


def _steps(engine: Engine, key: tuple[str, str] = ("run", "loss")) -> list[int]:
    return [point.step for point in stored_scalars(engine).get(key, [])]


def _open(engine: Engine, path: Path, *, batch_bytes: int = 1 << 20) -> Intake:
    return new_intake(engine, path.parents[1], batch_bytes=batch_bytes)


def test_a_file_cut_at_any_byte_is_read_on_when_the_rest_comes(path: Path, engine: Engine) -> None:
    whole = _points(0, 1, 2)
    intake = _open(engine, path)

    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        os.utime(path, ns=(end, end))
        drain(intake, [FILE])

    assert _steps(engine) == [0, 1, 2]


def test_of_two_readers_each_point_is_stored_by_one(path: Path, any_engine: Engine) -> None:
    path.write_bytes(_points(0, 1, 2, 3, 4))
    one, two = (_open(any_engine, path, batch_bytes=60) for _ in range(2))
    for intake in (one, two):
        intake.register([FILE])

    for _ in range(12):
        one.advance(*FILE)
        two.advance(*FILE)

    assert _steps(any_engine) == [0, 1, 2, 3, 4]


def test_a_file_that_shrank_is_another_file(path: Path, any_engine: Engine) -> None:
    path.write_bytes(_points(0, 1, 2, 3))
    intake = _open(any_engine, path)
    drain(intake, [FILE])

    path.write_bytes(_points(7))
    drain(intake, [FILE])

    assert _steps(any_engine) == [7]
    assert intake.runs["run"].files[NAME].row.generation == 1


def test_a_file_rewritten_in_place_is_another_file(path: Path, engine: Engine) -> None:
    path.write_bytes(_points(0, 1))
    intake = _open(engine, path)
    drain(intake, [FILE])

    path.write_bytes(_points(5, 6, 7, 8))
    drain(intake, [FILE])

    assert _steps(engine) == [5, 6, 7, 8]


def test_what_was_stored_of_a_deleted_file_stays(path: Path, engine: Engine) -> None:
    path.write_bytes(_points(0, 1))
    intake = _open(engine, path)
    drain(intake, [FILE])

    path.unlink()
    with pytest.raises(FileNotFoundError):
        intake.advance(*FILE)

    assert _steps(engine) == [0, 1]


def test_a_replaced_file_does_not_cost_the_points_of_one_that_is_gone(
    path: Path, engine: Engine
) -> None:
    other = path.with_name("events.out.tfevents.2")
    path.write_bytes(_points(0, 1))
    other.write_bytes(_points(0, 1, tag="other"))
    intake = _open(engine, path)
    drain(intake, [FILE, ("run", other.name)])

    other.unlink()
    path.write_bytes(_points(9))
    drain(intake, [FILE])

    assert _steps(engine, ("run", "other")) == [0, 1]
    assert "gone" in intake.runs["run"].files[NAME].row.error


def test_growth_goes_on_after_a_sibling_is_gone(path: Path, engine: Engine) -> None:
    other = path.with_name("events.out.tfevents.0")
    other.write_bytes(_points(0, 1))
    path.write_bytes(_points(2, 3))
    drain(_open(engine, path), [("run", other.name), FILE])

    other.unlink()
    path.write_bytes(_points(2, 3, 4))
    drain(_open(engine, path), [FILE])

    assert _steps(engine) == [0, 1, 2, 3, 4]


def test_a_settled_file_is_known_again_by_a_new_process(path: Path, engine: Engine) -> None:
    path.write_bytes(_points(0, 1) + b"torn")
    drain(_open(engine, path), [FILE])

    status = path.stat()
    known = _open(engine, path)

    assert known.is_settled(*FILE, status.st_size, status.st_mtime_ns)
    assert not known.is_settled(*FILE, status.st_size + 1, status.st_mtime_ns)


def test_a_run_left_half_read_again_is_not_settled(path: Path, engine: Engine) -> None:
    path.write_bytes(_points(*range(20)))
    intake = _open(engine, path)
    drain(intake, [FILE])
    path.write_bytes(_points(99))

    assert intake.advance(*FILE).reread
    path.write_bytes(_points(*range(20)))
    os.utime(path, ns=(1, 1))

    status = path.stat()
    assert not _open(engine, path).is_settled(*FILE, status.st_size, status.st_mtime_ns)


def test_a_stop_finishes_a_run_until_newer_points_come(path: Path, engine: Engine) -> None:
    path.write_bytes(_points(0, 1) + event_file(mark(SessionLog.STOP, 0, 102.0)))
    intake = _open(engine, path)
    drain(intake, [FILE])
    assert intake.runs["run"].finished == "stop"

    with path.open("ab") as file:
        file.write(_points(50))
    drain(intake, [FILE])

    with begin_read(engine) as conn:
        assert conn.execute(select(tables.run.c.finished)).scalar_one() is None


def test_damage_is_stored_with_its_coordinates(path: Path, engine: Engine) -> None:
    whole = bytearray(_points(0, 1, 2))
    one = len(_points(0))
    whole[one + 14] ^= 0xFF
    path.write_bytes(whole)
    intake = _open(engine, path)
    drain(intake, [FILE])

    with begin_read(engine) as conn:
        (damage,) = damages(conn, [intake.logdir_id])
        faults = list(check_store(conn))
    assert (damage.run, damage.file, damage.offset) == ("run", NAME, one)
    assert faults == []
    assert _steps(engine) == [0, 2]


def _tag(event: Event) -> str:
    return event.summary.value[0].tag.decode()


@given(st.data())
def test_staging_keeps_every_point_in_order(data: st.DataObject) -> None:
    events = [
        scalar_event(tag, step, float(step), 1.0)
        for tag, step in data.draw(
            st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5)), max_size=30)
        )
    ]
    batch = read(event_file(*events), 0, {})

    staged = stage(batch)

    for piece in staged.pieces:
        assert not isinstance(piece.series, PointSeries)
        steps = piece.series.step.tolist()
        assert steps == [event.step for event in events if _tag(event) == piece.tag]
        assert (piece.first, piece.low, piece.high) == (steps[0], min(steps), max(steps))
    assert {piece.tag for piece in staged.pieces} == set(map(_tag, events))


def test_a_batch_is_cut_at_each_start() -> None:
    events = [
        scalar_event("a", 1, 1.0),
        mark(SessionLog.START, 7, 2.0),
        scalar_event("a", 8, 1.0),
        scalar_event("b", 9, 1.0),
    ]

    staged = stage(read(event_file(*events), 0, {}))

    assert staged.starts == (7,)
    assert {(piece.section, piece.tag, piece.first) for piece in staged.pieces} == {
        (0, "a", 1),
        (1, "a", 8),
        (1, "b", 9),
    }


def test_a_run_is_not_taken_for_read_while_files_of_it_were_never_looked_at(
    path: Path, engine: Engine
) -> None:
    files = [("run", f"{NAME}.{number}") for number in range(3)]
    for _, name in files:
        path.with_name(name).write_bytes(_points(int(name[-1])))
        os.utime(path.with_name(name), ns=(1, 1))
    known = _open(engine, path)
    intake = Intake(engine, known.root, known.logdir_id, batch_bytes=1 << 20, clock=lambda: 1e9)
    intake.load()
    intake.register(files)

    settled = []
    for file in files:
        intake.advance(*file)
        settled.append(intake.runs["run"].settled)

    # Packed once, and what it said of attempts is kept until then.
    assert settled == [False, False, True]
    assert _steps(engine) == [0, 1, 2]
