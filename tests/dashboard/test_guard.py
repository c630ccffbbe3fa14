"""The second look at statements: what forgets its viewer, or reads ways in, is not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text, update

from orgboard_dashboard.queries.guard import KEPT, WAYS_IN, Unguarded, reading, watch_over, writing
from orgboard_dashboard.queries.people.accounts import list_accounts, list_sessions
from orgboard_dashboard.queries.people.ways_in import viewer_of_session
from orgboard_dashboard.queries.projects import list_projects
from orgboard_dashboard.queries.runs import RunQuery, list_runs
from orgboard_dashboard.queries.visible import find_project, visible_projects, visible_runs
from orgboard_dashboard.viewer import LOCAL_VIEWER, SystemViewer, Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, open_engine
from support.boards import Board, opened, scalars

ANA = Viewer("account", "ana", can_edit=True, account_id=1, via="session")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path: Path = tmp_path_factory.mktemp("guard") / "board.db"
    with opened(str(path)) as board:
        board.log("run", [scalars("loss", [1.0])])
        watched = open_engine(str(path))
        watch_over(watched, strict=True)
        yield watched
        watched.dispose()


FORGETFUL: list[Callable[[Connection], object]] = [
    lambda conn: conn.execute(select(tables.run.c.uid)),
    lambda conn: conn.execute(select(tables.run.alias("r"))),
    lambda conn: conn.execute(select(select(tables.run.c.uid).subquery())),
    lambda conn: conn.execute(select(tables.tag.c.name).join(tables.run, text("1 = 1"))),
    lambda conn: conn.execute(text("SELECT name FROM run")),
    lambda conn: conn.execute(text('select count(*) from "run"')),
    lambda conn: conn.execute(text("SELECT 1 FROM tag, run")),
    lambda conn: conn.exec_driver_sql("SELECT payload FROM block"),
    *(
        lambda conn, table=table: conn.execute(select(tables.schema.tables[table]))
        for table in sorted(KEPT)
    ),
]


@pytest.mark.parametrize("query", FORGETFUL)
def test_a_statement_that_forgets_who_asks_is_not_sent(
    engine: Engine, query: Callable[[Connection], object]
) -> None:
    for viewer in (ANA, LOCAL_VIEWER, None):
        with reading(engine, viewer) as conn, pytest.raises(Unguarded):
            query(conn)


def test_what_begins_from_what_the_viewer_may_see_is_sent(engine: Engine) -> None:
    with reading(engine, LOCAL_VIEWER) as conn:
        assert list_runs(LOCAL_VIEWER, conn, "default", "board", RunQuery(), 0.0).total == 1
    with reading(engine, ANA) as conn:
        assert list_projects(ANA, conn, 0.0) == ()
        assert conn.execute(select(tables.run.c.uid).where(visible_runs(ANA))).all() == []


@pytest.mark.parametrize("make", [visible_runs, visible_projects])
def test_a_condition_for_another_one_does_not_count(
    engine: Engine, make: Callable[[Viewer], object]
) -> None:
    for other in (SystemViewer(), LOCAL_VIEWER, Viewer("account", "ben", account_id=2)):
        with reading(engine, ANA) as conn:
            make(other)
            with pytest.raises(Unguarded):
                conn.execute(select(tables.run.c.uid))


def test_a_condition_of_an_earlier_question_does_not_count(engine: Engine) -> None:
    with reading(engine, LOCAL_VIEWER) as conn:
        find_project(LOCAL_VIEWER, conn, "default", "board")
    with reading(engine, LOCAL_VIEWER) as conn, pytest.raises(Unguarded):
        conn.execute(select(tables.run.c.uid))


@pytest.mark.parametrize("name", sorted(WAYS_IN))
def test_ways_in_are_read_where_people_are_and_nowhere_else(engine: Engine, name: str) -> None:
    table = tables.schema.tables[name]
    for viewer in (ANA, SystemViewer(), None):
        with reading(engine, viewer) as conn:
            if viewer is not None:
                visible_runs(viewer)
            with pytest.raises(Unguarded):
                conn.execute(select(table))
            with pytest.raises(Unguarded):
                conn.execute(select(tables.account.c.name).join(table, text("1 = 1")))


def test_what_is_there_for_people_reads_them(engine: Engine) -> None:
    with reading(engine, None) as conn:
        assert viewer_of_session(conn, "none", 0.0, address="", can_edit=True) is None
    with reading(engine, LOCAL_VIEWER) as conn:
        assert list_accounts(LOCAL_VIEWER, conn) == ()
    with reading(engine, ANA) as conn:
        assert list_sessions(ANA, conn) == ()


def test_a_question_changes_nothing(engine: Engine) -> None:
    change = update(tables.run).where(visible_runs(LOCAL_VIEWER)).values(starred=1)
    with reading(engine, LOCAL_VIEWER) as conn:
        find_project(LOCAL_VIEWER, conn, "default", "board")
        for statement in (change, text("  delete from tag"), text("DROP TABLE tag")):
            with pytest.raises(Unguarded, match="change"):
                conn.execute(statement)
        with pytest.raises(Unguarded, match="change"):
            conn.exec_driver_sql("WITH a AS (SELECT 1) INSERT INTO tag SELECT * FROM a")
    with writing(engine, LOCAL_VIEWER) as conn:
        find_project(LOCAL_VIEWER, conn, "default", "board")
        assert conn.execute(change).rowcount == 1


def test_what_nobody_stands_behind_is_not_sent_by_a_web_process(engine: Engine) -> None:
    with begin_read(engine) as conn:
        for statement in (select(tables.run), select(tables.session), text("DELETE FROM tag")):
            with pytest.raises(Unguarded, match="nobody"):
                conn.execute(statement)
        assert conn.execute(select(tables.tag.c.name)).scalars().all() == ["loss"]


def test_a_mark_does_not_stay_with_the_connection(engine: Engine) -> None:
    with reading(engine, LOCAL_VIEWER) as conn:
        find_project(LOCAL_VIEWER, conn, "default", "board")
        info = conn.info
    assert "orgboard_guard" not in info


def test_each_table_is_of_a_sort(board: Board) -> None:
    assert {"run", "block", "segment", "run_head", "annotation", "saved_view", "project"} <= KEPT
    assert frozenset(tables.schema.tables) >= WAYS_IN
    columns = {
        (table.name, column.name) for table in tables.schema.tables.values() for column in table.c
    }
    secret = {table for table, column in columns if column in ("secret_sha256", "hash")}
    assert secret <= WAYS_IN
    # What says which run or project it is of, is kept from who may not see that one.
    of_runs = {table for table, column in columns if column in ("run_id", "uid")}
    assert of_runs <= KEPT
