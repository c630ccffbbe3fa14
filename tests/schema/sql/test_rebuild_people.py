"""What a damaged file says of people goes into the new database, whatever numbers things get."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, delete, insert, select, update

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.rebuild import copy_what_people_made
from orgboard_schema.sql.registry import ensure_team
from support.boards import Board, opened, scalars
from support.people_rows import AT, add_people, add_words_of_people
from support.words import save_views, say

NAMED = {
    "team.team_id": select(tables.team.c.team_id, tables.team.c.name),
    "project.project_id": select(tables.project.c.project_id, tables.project.c.name),
    "account.account_id": select(tables.account.c.account_id, tables.account.c.name),
    "metric.metric_id": select(tables.metric.c.metric_id, tables.metric.c.name),
}
"""What stands for a number, to compare two databases by."""

BEA = {"name": "bea", "name_key": "bea", "kind": "person", "created_at": AT}

NOT_COPIED = {"session", "sign_in_delay", "identity_attempt"}
"""Who was signed in signs in again."""


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[Board]:
    """Give a board on which numbers are not as they would be given again."""
    with opened(str(tmp_path / "old.db")) as board:
        with begin_write(board.engine) as conn:
            ensure_team(conn, "gone", now=1.0)
        board.log("a", [scalars("loss", [1.0])], project="blue/secret")
        uid = board.log("b", [scalars("loss", [1.0])], project="red/open")
        with begin_write(board.engine) as conn:
            conn.execute(delete(tables.team).where(tables.team.c.name == "gone"))
            secret = tables.project.c.name == "secret"
            conn.execute(update(tables.project).where(secret).values(visibility="private"))
        add_people(board.engine)
        say(board.engine, "b")
        save_views(board.engine, "open")
        add_words_of_people(board.engine, uid, _first_view(board.engine))
        yield board


def _first_view(engine: Engine) -> str:
    with begin_read(engine) as conn:
        return conn.scalars(select(tables.saved_view.c.view_id)).first() or ""


@pytest.fixture
def new(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    upgrade(engine)
    with begin_write(engine) as conn:
        # PostgreSQL counts on: accounts get other numbers than they had.
        conn.execute(insert(tables.account), BEA)
        conn.execute(delete(tables.account))
    yield engine
    engine.dispose()


def _copy(damaged: Board, new: Engine) -> int:
    with damaged.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
    return copy_what_people_made(Path(str(damaged.engine.url.database)), new, now=2.0).accounts


def _told(engine: Engine, table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table with names for numbers, and without numbers of their own."""
    with begin_read(engine) as conn:
        names = {to: dict(map(tuple, conn.execute(query))) for to, query in NAMED.items()}
        rows = [dict(row) for row in conn.execute(select(table)).mappings()]
    for row in rows:
        for column in table.c:
            if f"{table.name}.{column.name}" in NAMED or column.name in ("rule_id", "audit_id"):
                del row[column.name]
            for foreign in column.foreign_keys:
                known = names.get(foreign.target_fullname)
                if known is not None and row[column.name] is not None:
                    row[column.name] = known[row[column.name]]
    return sorted(rows, key=repr)


def test_people_what_they_may_and_what_they_said_are_there_again(
    damaged: Board, new: Engine
) -> None:
    assert _copy(damaged, new) == 2

    from_here = [tables.account, *(t for t in tables.schema.sorted_tables if _is_of_people(t))]
    for table in from_here:
        before = _told(damaged.engine, table)
        assert before, table.name
        assert _told(new, table) == before
    for name in NOT_COPIED:
        assert _told(new, tables.schema.tables[name]) == []
    assert _visibilities(new) == {"secret": "private", "open": "team"}
    # The next one gets a number of its own.
    with begin_write(new) as conn:
        conn.execute(insert(tables.account), BEA)


def _is_of_people(table: Table) -> bool:
    targets = {foreign.target_fullname for foreign in table.foreign_keys}
    reached = {"account.account_id", "saved_view.view_id", "comment.comment_id", "metric.metric_id"}
    # A rule for a group stands for a provider that this board does not have.
    return bool(targets & reached) and table.name not in NOT_COPIED | {"group_rule"}


def _visibilities(engine: Engine) -> dict[str, str]:
    of = tables.project.c
    with begin_read(engine) as conn:
        return dict(map(tuple, conn.execute(select(of.name, of.visibility))))


def test_damage_takes_access_away_and_gives_none(damaged: Board, new: Engine) -> None:
    # Past the engine, which would let nothing refer to what is not there.
    with closing(sqlite3.connect(str(damaged.engine.url.database))) as conn:
        for statement in (
            "UPDATE token SET team_id = 77",
            "INSERT INTO group_rule (group_name, team_id, role, created_at) VALUES ('g', 77, 3, 0)",
            "UPDATE team_member SET role = 9",
            "UPDATE project SET visibility = 'everyone' WHERE name = 'open'",
            "DELETE FROM account WHERE name = 'ci'",
        ):
            conn.execute(statement)
        conn.commit()

    assert _copy(damaged, new) == 1

    for table in (tables.token, tables.group_rule, tables.team_member, tables.project_grant):
        assert _told(new, table) == [], table.name
    assert _visibilities(new) == {"secret": "private", "open": "private"}
    said = {row["comment_id"]: row["account_id"] for row in _told(new, tables.comment)}
    assert said == {"z": "Ana \u0160", "a": None, "v": None}
    assert _told(new, tables.mention) == []
