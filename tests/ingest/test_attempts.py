"""Restarts: which attempt a point belongs to, and what it hides, whenever it was read."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgboard_ingest.verify import differences
from orgboard_schema.sql.engine import begin_read, open_engine
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.frames import encode_frame
from orgboard_schema.wire.summary_pb2 import Summary
from orgboard_schema.wire.tensor_pb2 import TensorProto
from support.event_files import event_file, scalar_event, value_event
from support.ingested import (
    Scalars,
    StoredPoint,
    drain,
    mark,
    migrated,
    new_intake,
    stored_scalars,
    version_event,
)

START = SessionLog.START


def _life(tag: str, steps: range | list[int], began: float) -> list[Event]:
    events = (scalar_event(tag, step, float(step), began + n) for n, step in enumerate(steps))
    return [version_event(began - 0.5), *events]


def _restart(step: int, began: float) -> Event:
    return mark(START, step, began - 0.25)


def _ingested(tmp_path: Path, files: list[list[Event]]) -> Scalars:
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    names = [f"events.out.tfevents.{number}" for number in range(len(files))]
    for name, events in zip(names, files, strict=True):
        (run / name).write_bytes(event_file(*events))
    engine = migrated(str(tmp_path / "board.db"))
    drain(new_intake(engine, tmp_path / "logs"), [("run", name) for name in names])
    stored = stored_scalars(engine)
    engine.dispose()
    return stored


def _shown(stored: Scalars, tag: str) -> list[int]:
    return [point.step for point in stored["run", tag] if not point.superseded]


def _attempts(stored: Scalars, tag: str) -> list[int]:
    return [point.attempt for point in stored["run", tag]]


def test_a_later_file_that_goes_back_supersedes_from_its_own_first_step(tmp_path: Path) -> None:
    first, second = _life("a", range(10), 100.0), _life("a", [5, 6], 200.0)

    stored = _ingested(tmp_path, [first, second])

    assert _shown(stored, "a") == [0, 1, 2, 3, 4, 5, 6]
    assert _attempts(stored, "a") == [0] * 10 + [1] * 2


def test_a_start_in_a_later_file_supersedes_every_series_from_its_step(tmp_path: Path) -> None:
    first = [version_event(99.0), _restart(0, 100.0), *_life("a", range(10), 100.0)[1:]]
    second = [version_event(199.0), _restart(5, 200.0), scalar_event("b", 7, 1.0, 200.0)]

    stored = _ingested(tmp_path, [first, second])

    assert _shown(stored, "a") == [0, 1, 2, 3, 4]
    assert _shown(stored, "b") == [7]


def test_the_first_start_of_a_run_without_points_is_no_restart(tmp_path: Path) -> None:
    events = [version_event(99.0), _restart(3, 100.0), *_life("a", range(6), 100.0)]

    stored = _ingested(tmp_path, [events])

    assert _attempts(stored, "a") == [0] * 6


def test_a_start_later_in_the_same_file_begins_the_next_attempt(tmp_path: Path) -> None:
    events = [*_life("a", range(4), 100.0), _restart(2, 110.0), *_life("a", [2, 3], 110.0)[1:]]

    stored = _ingested(tmp_path, [events])

    assert _attempts(stored, "a") == [0, 0, 0, 0, 1, 1]
    assert _shown(stored, "a") == [0, 1, 2, 3]


def test_a_series_that_does_not_come_again_is_not_cut_without_a_start(tmp_path: Path) -> None:
    first = [*_life("a", range(4), 100.0), *_life("b", range(4), 100.0)[1:]]

    stored = _ingested(tmp_path, [first, _life("a", [2], 200.0)])

    assert _shown(stored, "a") == [0, 1, 2]
    assert _shown(stored, "b") == [0, 1, 2, 3]


def test_files_that_overlap_in_time_are_one_attempt(tmp_path: Path) -> None:
    rank_0, rank_1 = _life("a", range(5), 100.0), _life("a", range(5), 101.0)

    stored = _ingested(tmp_path, [rank_0, rank_1])

    assert _attempts(stored, "a") == [0] * 10
    assert len(_shown(stored, "a")) == 10


def test_a_file_that_goes_on_where_the_last_one_ended_is_no_restart(tmp_path: Path) -> None:
    files = [_life("a", range(n * 3, n * 3 + 3), 100.0 * (n + 1)) for n in range(4)]

    stored = _ingested(tmp_path, files)

    assert _attempts(stored, "a") == [0] * 12


def test_records_of_our_own_that_each_file_brings_anew_are_no_restart(tmp_path: Path) -> None:
    def life(first: int, began: float) -> list[Event]:
        tensor = TensorProto(dtype="DT_STRING", string_val=[b"{}"])
        context = Summary.Value(tag=b"orgboard/context", tensor=tensor)
        return [*_life("a", range(first, first + 3), began), value_event(context, 0, began + 0.5)]

    stored = _ingested(tmp_path, [life(n * 3, 100.0 * (n + 1)) for n in range(4)])

    assert _attempts(stored, "a") == [0] * 12


def test_late_steps_inside_one_file_are_no_restart(tmp_path: Path) -> None:
    stored = _ingested(tmp_path, [_life("a", [0, 5, 3, 3, 10, 1], 100.0)])

    assert stored["run", "a"] == [
        StoredPoint(0, False, step, float(step)) for step in (0, 5, 3, 3, 10, 1)
    ]


def test_a_rotated_life_after_a_restart_stays_one_attempt(tmp_path: Path) -> None:
    files = [
        _life("a", range(10), 100.0),
        _life("a", range(5, 8), 200.0),
        _life("a", range(8, 12), 300.0),
    ]

    stored = _ingested(tmp_path, files)

    assert _attempts(stored, "a") == [0] * 10 + [1] * 7
    assert _shown(stored, "a") == list(range(12))


@st.composite
def _runs(draw: st.DrawFn) -> list[list[Event]]:
    """Draw the files of a run: restarts, rotation, side by side, late steps, STARTs anywhere."""
    files: list[list[Event]] = []
    for _ in range(draw(st.integers(1, 4))):
        wall = float(draw(st.integers(0, 60)))
        events = [version_event(wall)]
        for _ in range(draw(st.integers(0, 8))):
            wall += draw(st.integers(0, 5))
            step = draw(st.integers(0, 6))
            if draw(st.integers(0, 5)) == 0:
                events.append(mark(START, step, wall))
            else:
                events.append(scalar_event(draw(st.sampled_from("ab")), step, wall, wall))
        files.append(events)
    return files


@settings(deadline=None, max_examples=60)
@given(_runs(), st.data())
def test_attempts_do_not_depend_on_when_the_files_were_read(
    empty_board: Path, files: list[list[Event]], data: st.DataObject
) -> None:
    """Grow the files record by record in any order, read at any time, restart ingest at will."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "logs")
        run = root / "run"
        run.mkdir(parents=True)
        engine = open_engine(str(shutil.copy(empty_board, Path(scratch, "board.db"))))
        intake = new_intake(engine, root, batch_bytes=data.draw(st.sampled_from([40, 90, 1 << 20])))
        names = [f"events.out.tfevents.{number}" for number in range(len(files))]
        left = {name: list(events) for name, events in zip(names, files, strict=True)}
        while any(left.values()):
            name = data.draw(st.sampled_from([name for name in names if left[name]]))
            take = data.draw(st.integers(1, len(left[name])))
            with (run / name).open("ab") as file:
                for event in left[name][:take]:
                    file.write(encode_frame(event.SerializeToString()))
            del left[name][:take]
            if data.draw(st.booleans()):
                drain(intake, [("run", name)])
            if data.draw(st.integers(0, 4)) == 0:
                intake = new_intake(engine, root)
        drain(intake, [("run", name) for name in names])

        with begin_read(engine) as conn:
            found = list(differences(conn, intake.logdir_id, root))
        engine.dispose()

    assert found == []


def test_a_start_read_before_the_run_had_points_becomes_a_restart(tmp_path: Path) -> None:
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    later = [version_event(200.0), _restart(2, 201.0)]
    (run / "events.out.tfevents.1").write_bytes(event_file(*later))
    engine = migrated(str(tmp_path / "board.db"))
    intake = new_intake(engine, tmp_path / "logs")
    drain(intake, [("run", "events.out.tfevents.1")])

    first = _life("a", range(4), 100.0)
    (run / "events.out.tfevents.0").write_bytes(event_file(*first))
    drain(intake, [("run", "events.out.tfevents.0")])

    stored = stored_scalars(engine)
    engine.dispose()
    assert _shown(stored, "a") == [0, 1]


@pytest.mark.parametrize("batch_bytes", [50, 1 << 20])
def test_a_restart_seen_late_renumbers_what_was_stored(tmp_path: Path, batch_bytes: int) -> None:
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    first = [*_life("a", range(5), 100.0), *_life("b", range(5), 100.0)[1:]]
    (run / "events.out.tfevents.0").write_bytes(event_file(*first))
    second = run / "events.out.tfevents.1"
    second.write_bytes(event_file(*_life("a", [5, 6], 200.0)))
    engine = migrated(str(tmp_path / "board.db"))
    files = [("run", f"events.out.tfevents.{number}") for number in range(2)]
    intake = new_intake(engine, tmp_path / "logs", batch_bytes=batch_bytes)
    drain(intake, files)
    assert _attempts(stored_scalars(engine), "a") == [0] * 7

    with second.open("ab") as file:
        file.write(event_file(scalar_event("b", 3, 3.0, 210.0)))
    drain(intake, files)

    stored = stored_scalars(engine)
    engine.dispose()
    assert _attempts(stored, "a") == [0] * 5 + [1] * 2
    assert _shown(stored, "b") == [0, 1, 2, 3]
