"""What happens to runs besides new points: moved, copied, gone, deleted and taken back, mended."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.intake import Intake
from orgboard_ingest.projects import settle_logdir
from orgboard_ingest.regaps import LONGEST_PAUSE_S, YOUNG_S, YoungGaps
from orgboard_ingest.roots import Folder
from orgboard_ingest.source import Source
from orgboard_ingest.tending import tend
from orgboard_ingest.verify import differences
from orgboard_schema.sql import tables
from orgboard_schema.sql.delete import restore_run
from orgboard_schema.sql.discard import remove_points
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.standing import DELETED, SHOWN
from orgboard_schema.sql.text import sha256
from support.event_files import event_file, scalar_event
from support.ingested import migrated, stored_scalars

NAME = "events.out.tfevents.1"


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Give an empty logdir."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def engine(tables_url: str) -> Iterator[Engine]:
    """Give an empty database, once on each engine."""
    made = migrated(tables_url)
    yield made
    made.dispose()


def _write(path: Path, *steps: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_bytes(path.parent.name, *steps))


def _bytes(name: str, *steps: int) -> bytes:
    # Another value in each run: two of the same bytes would be copies.
    value = float(zlib.crc32(name.encode()) % 1000)
    return event_file(*(scalar_event("a", step, value, 1.0 + step) for step in steps))


def _source(engine: Engine, logs: Path, clock: Clock, project: str = "tests/one") -> Source:
    """Be a new process."""
    with begin_write(engine) as conn:
        logdir_id = settle_logdir(conn, logs, project, now=1.0)
    intake = Intake(engine, Folder(logs), logdir_id, batch_bytes=1 << 20, clock=clock)
    intake.load()
    return Source(IngestConfig((logs,), "", once=True), intake, None)


def _look(source: Source) -> None:
    """Do what the loop does until nothing more is to be read."""
    for _ in range(100):
        source.scan()
        while tend(source.intake):
            pass
        changed = list(source.changed())
        source.intake.register((file.run, file.name) for file in changed)
        advances = [source.intake.advance(file.run, file.name) for file in changed]
        if not any(advance.again for advance in advances):
            return
    raise AssertionError("it does not come to rest")


def _uids(engine: Engine) -> dict[str, str]:
    columns = tables.run.c
    query = select(columns.name, columns.uid).where(columns.standing == SHOWN)
    with begin_read(engine) as conn:
        return {row.name: row.uid for row in conn.execute(query)}


def _steps(engine: Engine, run: str = "run") -> list[int]:
    return [point.step for point in stored_scalars(engine).get((run, "a"), [])]


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        ("p/x/one", "p/x/other", {"p/x/one": "p/x/other", "p/y": "p/y"}),
        ("p/x", "p/z/deep", {"p/x/one": "p/z/deep/one", "p/y": "p/y"}),
        ("p", "q", {"p/x/one": "q/x/one", "p/y": "q/y"}),
    ],
    ids=["the run", "its parent", "the whole tree"],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_what_is_moved_keeps_its_runs(
    engine: Engine,
    logs: Path,
    clock: Clock,
    old: str,
    new: str,
    moves: dict[str, str],
    restarted: bool,
) -> None:
    _write(logs / "p/x/one" / NAME, 0, 1)
    _write(logs / "p/y" / NAME, 0, 1, 2)
    source = _source(engine, logs, clock)
    _look(source)
    before = _uids(engine)

    (logs / new).parent.mkdir(parents=True, exist_ok=True)
    (logs / old).rename(logs / new)
    if restarted:
        source = _source(engine, logs, clock)
    _look(source)

    assert _uids(engine) == {moves[name]: uid for name, uid in before.items()}
    assert _steps(engine, moves["p/x/one"]) == [0, 1]


def test_settings_beside_a_run_are_moved_with_it(engine: Engine, logs: Path, clock: Clock) -> None:
    above = "1795394269.9034734"
    _write(logs / "p" / NAME, 0, 1)
    _write(logs / "p" / above / NAME, 0)
    source = _source(engine, logs, clock)
    _look(source)
    query = select(tables.run.c.name, tables.run.c.settings_of)

    (logs / "p").rename(logs / "q")
    _look(source)

    with begin_read(engine) as conn:
        found = {row.name: row.settings_of for row in conn.execute(query)}
    assert found == {"q": None, f"q/{above}": sha256("q")}


def test_a_copy_is_another_run(engine: Engine, logs: Path, clock: Clock) -> None:
    _write(logs / "run" / NAME, 0, 1)
    source = _source(engine, logs, clock)
    _look(source)
    before = _uids(engine)

    shutil.copytree(logs / "run", logs / "copy")
    _look(source)

    after = _uids(engine)
    assert after["run"] == before["run"]
    assert after["copy"] != before["run"]
    assert _steps(engine, "copy") == [0, 1]


def test_what_is_moved_to_another_logdir_is_a_new_run_and_the_old_one_is_gone(
    engine: Engine, tmp_path: Path, logs: Path, clock: Clock
) -> None:
    _write(logs / "run" / NAME, 0, 1)
    one = _source(engine, logs, clock)
    _look(one)
    before = _uids(engine)["run"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    (logs / "run").rename(elsewhere / "run")
    _look(one)
    _look(_source(engine, elsewhere, clock, "tests/two"))

    with begin_read(engine) as conn:
        rows = conn.execute(select(tables.run).order_by(tables.run.c.run_id)).all()
    assert [row.gone_at is not None for row in rows] == [True, False]
    assert rows[0].uid == before
    assert rows[1].uid != before
    assert [row.points for row in rows] == [2, 2]


def test_a_run_whose_files_are_gone_keeps_its_points_and_says_since_when(
    engine: Engine, logs: Path, clock: Clock
) -> None:
    _write(logs / "run" / NAME, 0, 1)
    _write(logs / "stays" / NAME, 0)
    source = _source(engine, logs, clock)
    _look(source)

    shutil.rmtree(logs / "run")
    clock.now += 5
    _look(source)
    gone = _gone(engine)
    clock.now += 5
    _look(_source(engine, logs, clock))

    assert gone == _gone(engine) == {"run": clock.now - 5, "stays": None}
    assert _steps(engine) == [0, 1]

    _write(logs / "run" / NAME, 0, 1)
    _look(source)
    assert _gone(engine) == {"run": None, "stays": None}


def _gone(engine: Engine) -> dict[str, float | None]:
    columns = tables.run.c
    with begin_read(engine) as conn:
        return {
            row.name: row.gone_at for row in conn.execute(select(columns.name, columns.gone_at))
        }


def _delete(engine: Engine) -> None:
    """Do what deleting a run does."""
    columns = tables.run.c
    with begin_write(engine) as conn:
        run_id = conn.execute(
            update(tables.run)
            .where(columns.standing == SHOWN)
            .values(standing=DELETED)
            .returning(columns.run_id)
        ).scalar_one()
        while remove_points(conn, run_id, 10):
            pass


@pytest.mark.parametrize("restarted", [False, True])
def test_a_deleted_run_is_not_read_again_until_it_is_taken_back(
    engine: Engine, logs: Path, clock: Clock, restarted: bool
) -> None:
    path = logs / "run" / NAME
    _write(path, 0, 1)
    source = _source(engine, logs, clock)
    _look(source)
    uid = _uids(engine)["run"]
    _delete(engine)

    _write(path, 0, 1, 2)
    _write(logs / "run" / "events.out.tfevents.2", 7)
    if restarted:
        source = _source(engine, logs, clock)
    _look(source)
    with begin_read(engine) as conn:
        (row,) = conn.execute(select(tables.run)).all()
        assert conn.execute(select(tables.segment)).first() is None
        assert list(differences(conn, source.intake.logdir_id, logs)) == []
    assert row.standing == DELETED

    with begin_write(engine) as conn:
        restore_run(conn, row.run_id, now=2.0)
    _look(source)
    assert _uids(engine) == {"run": uid}
    assert _steps(engine) == [0, 1, 2, 7]


def test_a_deleted_run_that_is_moved_stays_deleted(
    engine: Engine, logs: Path, clock: Clock
) -> None:
    _write(logs / "run" / NAME, 0, 1)
    source = _source(engine, logs, clock)
    _look(source)
    _delete(engine)

    (logs / "run").rename(logs / "moved")
    _look(_source(engine, logs, clock))

    with begin_read(engine) as conn:
        (row,) = conn.execute(select(tables.run)).all()
    assert (row.name, row.standing) == ("moved", DELETED)


def _holed(path: Path) -> bytes:
    """Write a file with a page of it not there yet, as another host may see it; return it whole."""
    whole = _bytes("run", *range(40))
    start, end = (len(_bytes("run", *range(count))) for count in (5, 15))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole[:start] + bytes(end - start) + whole[end:])
    return whole


@pytest.mark.parametrize("restarted", [False, True])
def test_a_hole_that_is_filled_within_a_day_is_read(
    engine: Engine, logs: Path, clock: Clock, restarted: bool
) -> None:
    path = logs / "run" / NAME
    whole = _holed(path)
    source = _source(engine, logs, clock)
    _look(source)
    holed = [*range(5), *range(15, 40)]
    assert _steps(engine) == holed
    status = path.stat()

    with path.open("r+b") as file:
        file.write(whole)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    _look(source)
    assert _steps(engine) == holed, "it is not looked at all the time"
    if restarted:
        source = _source(engine, logs, clock)
    else:
        clock.now += 11
    _look(source)

    assert _steps(engine) == list(range(40))
    assert _gaps(engine) == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_hole_that_is_filled_later_stays_a_gap(
    engine: Engine, logs: Path, clock: Clock, restarted: bool
) -> None:
    path = logs / "run" / NAME
    whole = _holed(path)
    source = _source(engine, logs, clock)
    _look(source)
    clock.now += YOUNG_S + 1
    if restarted:
        source = _source(engine, logs, clock)
    status = path.stat()
    path.write_bytes(whole)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    clock.now += LONGEST_PAUSE_S

    _look(source)

    assert len(_steps(engine)) == 30


def test_a_gap_that_stays_keeps_its_age_when_the_run_is_read_anew(
    engine: Engine, logs: Path, clock: Clock
) -> None:
    path, other = logs / "run" / NAME, logs / "run" / "events.out.tfevents.2"
    whole = _holed(path)
    other.write_bytes(_bytes("run", 0, 1) + bytes(50) + whole)
    source = _source(engine, logs, clock)
    _look(source)
    found_at = clock.now
    assert _gaps(engine) == [found_at, found_at]

    clock.now += 100
    path.write_bytes(whole)
    _look(source)

    assert _gaps(engine) == [found_at]


def _gaps(engine: Engine) -> list[float]:
    """Return when each gap that people see was found."""
    query = select(tables.gap.c.found_at).join(
        tables.run, tables.run.c.run_id == tables.gap.c.run_id
    )
    with begin_read(engine) as conn:
        return list(conn.execute(query.where(tables.run.c.standing == SHOWN)).scalars())


def test_files_with_young_gaps_are_looked_at_ever_more_rarely(clock: Clock) -> None:
    young = YoungGaps(clock)
    young.add(("run", NAME))
    looks = []
    for _ in range(int(YOUNG_S) // 5):
        clock.now += 5
        looks += [clock.now - 1_000_000.0 for _ in young.due()]

    assert looks[:5] == [10, 30, 70, 150, 310]
    assert looks[-1] - looks[-2] == LONGEST_PAUSE_S
    assert len(looks) < 40
    young.discard(("run", NAME))
    clock.now += YOUNG_S
    assert young.due() == []
