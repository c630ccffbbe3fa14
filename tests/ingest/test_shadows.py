"""A run is read anew beside itself: people see it whole at every instant, as it was or as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, func, select, update

from orgboard_ingest.catalog import KnownRun
from orgboard_ingest.intake import Intake
from orgboard_ingest.rereading import awaited
from orgboard_ingest.tending import tend
from orgboard_ingest.verify import differences
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.standing import DELETED, DISCARDED, SHADOW, SHOWN
from orgboard_schema.wire.event_pb2 import Event
from support.event_files import event_file, scalar_event
from support.ingested import drain, migrated, new_intake, stored_scalars, version_event
from support.words import said, say

NAMES = [f"events.out.tfevents.{number}" for number in range(3)]
FILES = [("run", name) for name in NAMES]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Give the folder of a run."""
    folder = tmp_path / "logs" / "run"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def engine(tables_url: str) -> Iterator[Engine]:
    """Give an empty database, once on each engine."""
    made = migrated(tables_url)
    yield made
    made.dispose()


def _points(tag: str, steps: range, began: float) -> list[Event]:
    return [scalar_event(tag, step, float(step), began + n) for n, step in enumerate(steps)]


def _write(path: Path, *events: Event, add: bool = False) -> None:
    with path.open("ab" if add else "wb") as file:
        file.write(event_file(*events))


def _contradict(run: Path, engine: Engine, *, batch_bytes: int = 1 << 20) -> Intake:
    """Ingest two lives of a run, then let the first turn out to have gone on beside the second."""
    _write(run / NAMES[0], version_event(99.0), *_points("a", range(8), 100.0))
    _write(run / NAMES[1], version_event(199.0), *_points("a", range(5, 9), 200.0))
    intake = new_intake(engine, run.parent, batch_bytes=batch_bytes)
    drain(intake, FILES[:2])
    assert _attempts(engine) == [0] * 8 + [1] * 4
    _write(run / NAMES[0], *_points("a", range(8, 12), 300.0), add=True)
    return intake


def _attempts(engine: Engine) -> list[int]:
    return [point.attempt for point in stored_scalars(engine)["run", "a"]]


def _rows(engine: Engine) -> dict[int, Row[Any]]:
    """Return the rows of all runs by standing; a test has one of each at most."""
    with begin_read(engine) as conn:
        return {row.standing: row for row in conn.execute(select(tables.run))}


def _ids(engine: Engine) -> set[int]:
    with begin_read(engine) as conn:
        return set(conn.execute(select(tables.run.c.run_id)).scalars())


def test_what_was_shown_stays_whole_until_the_new_reading_has_caught_up(
    run: Path, engine: Engine
) -> None:
    intake = _contradict(run, engine, batch_bytes=60)
    before = stored_scalars(engine)
    with begin_write(engine) as conn:
        conn.execute(update(tables.run).values(settings_of=b"s" * 32))
    steps = 0

    while SHADOW not in _rows(engine):
        intake.advance(*FILES[0])
    while SHADOW in _rows(engine):
        assert stored_scalars(engine) == before
        for file in FILES[:2]:
            intake.advance(*file)
        steps += 1

    assert steps > 3
    assert len(_attempts(engine)) > 12
    assert bytes(_rows(engine)[SHOWN].settings_of) == b"s" * 32
    drain(intake, FILES[:2])
    assert _attempts(engine) == [0] * 16
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []


@pytest.mark.parametrize("known", [1, 2], ids=["by one file", "by both files"])
@pytest.mark.parametrize("begun", [False, True], ids=["of the run", "of the new reading"])
def test_whoever_finds_that_a_rival_began_anew_reads_all_files_again(
    run: Path, engine: Engine, known: int, begun: bool
) -> None:
    """The rival may be gone, and nobody else looks for what was read before."""
    intake = _contradict(run, engine, batch_bytes=60)
    other = new_intake(engine, run.parent, batch_bytes=60)
    if begun:
        while SHADOW not in _rows(engine):
            intake.advance(*FILES[0])
        other.load()
        drain(other, FILES[:1])
    for file in FILES[known:2]:
        other.runs["run"].files.pop(file[1])
    _write(run / NAMES[1], *_points("a", range(9, 12), 400.0), add=True)
    intake.load()
    intake.read_anew(intake.runs["run"])

    drain(other, [FILES[1]])

    assert len(_attempts(engine)) == 19
    with begin_read(engine) as conn:
        assert list(differences(conn, other.logdir_id, run.parent)) == []


def test_a_run_keeps_what_people_know_it_by(run: Path, engine: Engine) -> None:
    intake = _contradict(run, engine)
    before = _rows(engine)[SHOWN]

    drain(intake, FILES[:2])

    after = _rows(engine)[SHOWN]
    same = ("uid", "name", "name_sha256", "color", "created_at", "archived_at", "logdir_id")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert after.run_id != before.run_id
    assert after.revision > before.revision
    assert after.touched_ms >= before.touched_ms
    assert (after.points, after.files) == (16, 2)


def test_what_people_say_of_a_run_outlives_its_being_read_anew(run: Path, engine: Engine) -> None:
    intake = _contradict(run, engine)
    say(engine, "run")
    before, old = said(engine), _rows(engine)[SHOWN].run_id

    drain(intake, FILES[:2])
    while tend(intake):
        pass

    assert [len(rows) for rows in before.values()] == [1, 2, 1, 1, 2, 2]
    assert said(engine) == before
    assert _rows(engine)[SHOWN].run_id != old
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []


def test_what_people_say_while_a_run_is_read_anew_is_kept_too(run: Path, engine: Engine) -> None:
    intake = _contradict(run, engine, batch_bytes=60)
    while SHADOW not in _rows(engine):
        intake.advance(*FILES[0])
    say(engine, "run")
    before = said(engine)

    while SHADOW in _rows(engine):
        for file in FILES[:2]:
            intake.advance(*file)

    assert len(before["run"]) == 1
    assert said(engine) == before


def test_what_was_replaced_is_removed_and_its_number_not_given_again(
    run: Path, engine: Engine
) -> None:
    intake = _contradict(run, engine)
    drain(intake, FILES[:2])
    old = _rows(engine)[DISCARDED].run_id

    while tend(intake):
        pass

    assert old not in _ids(engine)
    with begin_read(engine) as conn:
        for table in (tables.source_file, tables.segment, tables.block, tables.run_head):
            left = select(func.count()).select_from(table).where(table.c.run_id == old)
            assert conn.execute(left).scalar_one() == 0
    assert _attempts(engine) == [0] * 16


def test_a_shadow_left_half_read_is_gone_on_with(run: Path, engine: Engine) -> None:
    intake = _contradict(run, engine, batch_bytes=60)
    while SHADOW not in _rows(engine) or not _rows(engine)[SHADOW].points:
        intake.advance(*FILES[0])
    half = _rows(engine)[SHADOW]

    drain(new_intake(engine, run.parent), FILES[:2])

    assert _rows(engine)[SHOWN].run_id == half.run_id
    assert _attempts(engine) == [0] * 16


class _KilledBeforeTheSwap(Intake):
    def finish(self, run: KnownRun) -> bool:
        if not any(awaited(run, file) for file in run.files.values()):
            raise KeyboardInterrupt
        return False


def test_a_shadow_that_was_read_but_not_swapped_in_is_swapped_in_by_the_next_process(
    run: Path, engine: Engine
) -> None:
    intake = _contradict(run, engine)
    while SHADOW not in _rows(engine):
        intake.advance(*FILES[0])
    killed = _KilledBeforeTheSwap(engine, intake.root, intake.logdir_id, batch_bytes=1 << 20)
    killed.load()
    drain(killed, FILES[:1])
    with pytest.raises(KeyboardInterrupt):
        drain(killed, FILES[1:2])
    assert SHADOW in _rows(engine)

    again = new_intake(engine, run.parent)
    tend(again)

    assert SHADOW not in _rows(engine)
    drain(again, FILES[:2])
    assert _attempts(engine) == [0] * 16


def test_rivals_share_one_shadow(run: Path, engine: Engine) -> None:
    one = _contradict(run, engine, batch_bytes=60)
    two = new_intake(engine, run.parent, batch_bytes=60)
    made = set()

    for _ in range(60):
        for intake in (one, two):
            for file in FILES[:2]:
                intake.advance(*file)
                rows = _rows(engine)
                made |= {rows[SHADOW].run_id} if SHADOW in rows else set()

    assert len(made) == 1
    assert _attempts(engine) == [0] * 16


def test_a_file_that_goes_away_meanwhile_costs_no_point(run: Path, engine: Engine) -> None:
    intake = _contradict(run, engine, batch_bytes=60)
    before = stored_scalars(engine)
    while SHADOW not in _rows(engine):
        intake.advance(*FILES[0])

    (run / NAMES[1]).unlink()
    tend(intake)

    assert SHADOW not in _rows(engine)
    assert stored_scalars(engine) == before
    drain(intake, FILES[:1])
    assert len(_attempts(engine)) == 16


def test_a_run_deleted_meanwhile_stays_deleted(run: Path, engine: Engine) -> None:
    intake = _contradict(run, engine, batch_bytes=60)
    while SHADOW not in _rows(engine):
        intake.advance(*FILES[0])
    with begin_write(engine) as conn:
        conn.execute(
            update(tables.run).where(tables.run.c.standing == SHOWN).values(standing=DELETED)
        )

    for _ in range(60):
        for file in FILES[:2]:
            intake.advance(*file)
    while tend(intake):
        pass

    rows = _rows(engine)
    assert (DELETED in rows, SHOWN in rows, SHADOW in rows) == (True, False, False)


def _rewrite(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _in_place(path: Path, data: bytes) -> None:
    """As `rsync --inplace` and `cp` do: the same inode, written over, then cut to its length."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


def _renamed(path: Path, data: bytes) -> None:
    """As rsync does: a temporary file beside, then a rename."""
    beside = path.with_name(f".{path.name}.Xy12ab")
    beside.write_bytes(data)
    beside.replace(path)


def _removed(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


WAYS = [_rewrite, _in_place, _renamed, _removed]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [3, 40], ids=["shorter", "longer"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_file_replaced_in_any_way_takes_the_place_of_the_old_one_at_once(
    run: Path, engine: Engine, way: Any, count: int, restarted: bool
) -> None:
    path, other = run / NAMES[0], run / NAMES[1]
    _write(path, version_event(99.0), *_points("a", range(20), 100.0))
    _write(other, version_event(100.5), *_points("b", range(9), 101.0))
    intake = new_intake(engine, run.parent, batch_bytes=70)
    drain(intake, FILES[:2])
    old = stored_scalars(engine)

    way(path, event_file(version_event(500.0), *_points("a", range(100, 100 + count), 501.0)))
    if restarted:
        intake = new_intake(engine, run.parent, batch_bytes=70)
    shown = []
    for _ in range(200):
        for file in FILES[:2]:
            intake.advance(*file)
        shown.append(stored_scalars(engine))

    states = [state for n, state in enumerate(shown) if n == 0 or state != shown[n - 1]]
    new = [point.step for point in shown[-1]["run", "a"]]
    assert new == list(range(100, 100 + count))
    assert len(shown[-1]["run", "b"]) == 9
    assert states in ([old, shown[-1]], [shown[-1]])
    with begin_read(engine) as conn:
        assert list(differences(conn, intake.logdir_id, run.parent)) == []


def test_a_file_emptied_and_not_written_yet_costs_no_point(run: Path, engine: Engine) -> None:
    path = run / NAMES[0]
    _write(path, version_event(99.0), *_points("a", range(20), 100.0))
    intake = new_intake(engine, run.parent)
    drain(intake, FILES[:1])

    os.truncate(path, 0)
    drain(intake, FILES[:1])

    assert len(_attempts(engine)) == 20
    assert "stays" in intake.runs["run"].files[NAMES[0]].row.error

    _write(path, version_event(500.0), *_points("a", range(3), 501.0))
    drain(intake, FILES[:1])
    assert len(_attempts(engine)) == 3
    assert intake.runs["run"].files[NAMES[0]].row.error == ""


def test_a_replaced_file_that_is_replaced_again_while_it_is_read(run: Path, engine: Engine) -> None:
    path = run / NAMES[0]
    _write(path, version_event(99.0), *_points("a", range(20), 100.0))
    intake = new_intake(engine, run.parent, batch_bytes=70)
    drain(intake, FILES[:1])
    _renamed(path, event_file(version_event(300.0), *_points("a", range(40, 60), 301.0)))
    for _ in range(5):
        intake.advance(*FILES[0])
    assert SHADOW in _rows(engine)

    _renamed(path, event_file(version_event(500.0), *_points("a", range(70, 80), 501.0)))
    drain(intake, FILES[:1])

    assert [point.step for point in stored_scalars(engine)["run", "a"]] == list(range(70, 80))
    assert SHADOW not in _rows(engine)
