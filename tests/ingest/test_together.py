"""Files that are read and stored together: what is wrong with one does not touch the others."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select, update

from orgboard_ingest.intake import Advance, Intake
from orgboard_ingest.looking import Look, Read, Reader
from orgboard_ingest.roots import Folder
from orgboard_ingest.verify import differences
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import compact, tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.wire.unpacked import Marks
from support.event_files import event_file, scalar_event
from support.ingested import drain, migrated, new_intake, stored_scalars

NAME = "events.out.tfevents.1"
RUNS = ("a", "b", "c")


def _points(*steps: int) -> bytes:
    return event_file(*(scalar_event("loss", step, float(step), 100.0 + step) for step in steps))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Give a logdir with three runs of one file."""
    for run in RUNS:
        path = tmp_path / "logs" / run / NAME
        path.parent.mkdir(parents=True)
        path.write_bytes(_points(0, 1))
    return tmp_path / "logs"


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


def _damage_heads(engine: Engine, run: str) -> None:
    run_id = select(tables.run.c.run_id).where(tables.run.c.name == run).scalar_subquery()
    with begin_write(engine) as conn:
        here = tables.run_head.c.run_id == run_id
        conn.execute(update(tables.run_head).where(here).values(payload=b"damaged"))


def _looks(intake: Intake, logs: Path) -> list[Look]:
    return [
        Look(intake.runs[run], intake.runs[run].files[NAME], f"{logs}/{run}/{NAME}") for run in RUNS
    ]


@pytest.mark.parametrize("size", [1, 300_000], ids=["in turn", "by threads"])
def test_what_cannot_be_read_is_told_and_the_files_after_it_are_read(
    engine: Engine, logs: Path, size: int
) -> None:
    for run in RUNS:
        (logs / run / NAME).write_bytes(_points(*range(size // 40 + 1)))
    intake = new_intake(engine, logs)
    intake.register((run, NAME) for run in RUNS)
    first, *others = _looks(intake, logs)
    # In no logdir of ours: a defect, not an error of the system.
    looks = [Look(first.run, first.file, f"/{NAME}"), *others]

    found = list(Reader(Folder(logs), 1 << 20, 1.0, Marks()).read(looks))

    assert [type(each) for each in found] == [ValueError, Read, Read]


def test_a_run_whose_heads_are_damaged_does_not_hold_up_the_others(
    engine: Engine, logs: Path
) -> None:
    drain(new_intake(engine, logs), [(run, NAME) for run in RUNS])
    _damage_heads(engine, "b")
    for run in RUNS:
        (logs / run / NAME).write_bytes(_points(0, 1, 2))

    answers = new_intake(engine, logs).advance_all([(run, NAME) for run in RUNS])

    assert isinstance(answers[1], CorruptBlock)
    assert [each.points for each in answers if isinstance(each, Advance)] == [1, 1]


def test_a_run_whose_heads_are_damaged_does_not_keep_the_others_from_being_packed(
    engine: Engine, logs: Path
) -> None:
    for run in RUNS:
        (logs / run / NAME).write_bytes(_points(*range(2000)))
    intake = new_intake(engine, logs)
    drain(intake, [(run, NAME) for run in RUNS])
    _damage_heads(engine, "b")
    for known in intake.runs.values():
        known.settled = False

    intake.settle(intake.unsettled())

    assert intake.unsettled() == []


def test_no_more_is_held_than_two_batches_however_much_packed_files_unpack_to(
    engine: Engine, logs: Path
) -> None:
    whole = _points(*range(2000))
    for run in RUNS:
        (logs / run / NAME).write_bytes(gzip.compress(whole))
    intake = new_intake(engine, logs, batch_bytes=len(whole) // 2 + 1)
    intake.register((run, NAME) for run in RUNS)
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)

    intake.advance_all([(run, NAME) for run in RUNS])

    assert len(commits) == 2
    drain(intake, [(run, NAME) for run in RUNS])
    assert {len(points) for points in stored_scalars(engine).values()} == {2000}


def test_a_run_that_a_rival_read_first_is_looked_up_again_and_the_others_are_stored(
    any_engine: Engine, logs: Path
) -> None:
    files = [(run, NAME) for run in RUNS]
    intake = new_intake(any_engine, logs)
    intake.register(files)
    drain(new_intake(any_engine, logs), files[1:2])

    answers = intake.advance_all(files)

    assert answers[1] == Advance(again=True)
    assert [each.points for each in answers if isinstance(each, Advance)] == [2, 0, 2]
    drain(intake, files)
    assert {len(points) for points in stored_scalars(any_engine).values()} == {2}


@pytest.mark.parametrize("most", [1, 1 << 30], ids=["run by run", "all together"])
def test_rows_are_written_before_too_much_of_many_runs_lies_in_memory(
    any_engine: Engine, logs: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waited of a run may be far more than what its last flush brings."""
    monkeypatch.setattr(compact, "ROWS_BYTES", most)
    for run in RUNS:
        (logs / run / NAME).write_bytes(_points(*range(2000)))
    intake = new_intake(any_engine, logs)
    intake.register((run, NAME) for run in RUNS)
    inserts: list[str] = []
    event.listen(any_engine, "before_cursor_execute", lambda *told: inserts.append(told[2]))

    assert [answer.points for answer in _advanced(intake)] == [2000] * 3

    blocks = [statement for statement in inserts if "INTO block " in statement]
    assert len(blocks) == (3 if most == 1 else 1)
    with begin_read(any_engine) as conn:
        assert list(differences(conn, intake.logdir_id, logs)) == []


def _advanced(intake: Intake) -> list[Advance]:
    answers = intake.advance_all([(run, NAME) for run in RUNS])
    return [answer for answer in answers if isinstance(answer, Advance)]
