"""The audit log: written with the change or not at all, and never changed after."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.people import members
from orgboard_dashboard.queries.people.accounts import change_account, make_account
from orgboard_dashboard.queries.people.audit import Actor, Record, list_records, note_down
from orgboard_dashboard.queries.people.links import invite, reset
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, opened, scalars
from support.signing_in import START, Clock, add_person, browser_at, door

HOST = SystemViewer()


def _changes(conn: Connection) -> None:
    make_account(HOST, conn, "new", START, kind="person")
    change_account(HOST, conn, "new", START, is_disabled=True)
    members.make_team(HOST, conn, "vision", START)
    members.make_project(HOST, conn, "vision", "cats", "private", START)
    members.set_member(HOST, conn, "vision", "ana", Role.EDITOR, START)
    members.set_grant(HOST, conn, "vision", "cats", "ana", Role.VIEWER, START)
    members.set_visibility(HOST, conn, "vision", "cats", "team", START)
    invite(HOST, conn, "secret of a link", START)
    reset(HOST, conn, "another secret", "ana", START)


ACTIONS = [
    *("account.made", "account.set", "team.made", "project.made", "member.set", "grant.set"),
    *("visibility.set", "account.invite", "password.link"),
]


def test_each_change_is_written_down_with_it(any_board: Board) -> None:
    add_person(any_board, "ana")
    add_person(any_board, "boss", is_admin=True)
    with begin_write(any_board.engine) as conn:
        _changes(conn)

    assert [record.action for record in reversed(_records(any_board))] == ACTIONS
    assert {record.actor for record in _records(any_board)} == {"host"}


def test_what_was_not_done_is_not_written_down(any_board: Board) -> None:
    add_person(any_board, "ana")
    add_person(any_board, "boss", is_admin=True)
    with begin_write(any_board.engine) as conn:
        _changes(conn)
        conn.rollback()

    assert _records(any_board) == ()


def test_a_change_that_cannot_be_written_down_is_not_done(any_board: Board) -> None:
    add_person(any_board, "boss", is_admin=True)
    with begin_write(any_board.engine) as conn:
        conn.execute(text("ALTER TABLE audit RENAME TO audit_away"))
    with pytest.raises(DBAPIError), begin_write(any_board.engine) as conn:
        members.make_team(HOST, conn, "vision", START)
    with begin_write(any_board.engine) as conn:
        conn.execute(text("ALTER TABLE audit_away RENAME TO audit"))

    with begin_read(any_board.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(tables.team)) == 0


@pytest.mark.parametrize(
    "tamper",
    [
        update(tables.audit).values(actor="nobody"),
        update(tables.audit).where(tables.audit.c.audit_id == 1).values(at=0.0),
        delete(tables.audit),
        delete(tables.audit).where(tables.audit.c.audit_id == 1),
        text("INSERT INTO audit SELECT * FROM audit"),
        text("REPLACE INTO audit SELECT * FROM audit"),
    ],
    ids=["all", "one", "delete all", "delete one", "the same again", "in place"],
)
def test_what_is_written_down_stays_as_it_is(any_board: Board, tamper: object) -> None:
    add_person(any_board, "ana")
    add_person(any_board, "boss", is_admin=True)
    with begin_write(any_board.engine) as conn:
        _changes(conn)
    before = _records(any_board)

    with pytest.raises(DBAPIError), begin_write(any_board.engine) as conn:
        conn.execute(tamper)  # type: ignore[call-overload]  # statements of several sorts

    assert _records(any_board) == before


def test_on_postgresql_the_log_is_not_emptied_at_once_either(postgres_tables_url: str) -> None:
    with opened(postgres_tables_url) as board:
        add_person(board, "boss", is_admin=True)
        with begin_write(board.engine) as conn:
            members.make_team(HOST, conn, "vision", START)
        with pytest.raises(DBAPIError, match="only appended"), begin_write(board.engine) as conn:
            conn.execute(text("TRUNCATE audit"))
        assert len(_records(board)) == 1


def test_who_signs_in_and_who_fails_to_is_written_down_and_what_was_typed_is_not(
    any_board: Board,
) -> None:
    add_person(any_board, "ana")
    ana = browser_at(door(any_board, Clock()))

    async def come_and_go() -> None:
        await ana.sign_in("ana", "a password that is wrong")
        await ana.sign_in("my password typed as a name", "ana")
        await ana.sign_in("ana")
        await ana.ask("POST", "/sign-out")

    asyncio.run(come_and_go())
    told = [(r.action, r.actor, r.outcome, r.address) for r in reversed(_records(any_board))]

    assert told == [
        ("sign-in", "ana", "refused", "10.0.0.7"),
        ("sign-in", "", "refused", "10.0.0.7"),
        ("sign-in", "ana", "done", "10.0.0.7"),
        ("sign-out", "ana", "done", "10.0.0.7"),
    ]
    assert "typed as a name" not in repr(_records(any_board))


def test_the_log_is_for_who_runs_the_board_and_for_no_token(board: Board) -> None:
    board.log("run", [scalars("loss", [1.0])])
    viewers = [
        Viewer("account", "ana", can_edit=True, account_id=1),
        Viewer("token", "boss", can_edit=True, account_id=1, is_admin=True),
        Viewer("share", "guest"),
    ]
    for viewer in viewers:
        with begin_read(board.engine) as conn, pytest.raises(NotFound):
            list_records(viewer, conn)


def test_a_long_subject_is_cut_and_text_that_no_engine_holds_is_kept_in_part(
    any_board: Board,
) -> None:
    with begin_write(any_board.engine) as conn:
        conn.execute(insert(tables.team), {"name": "n", "created_at": 0.0})
        team = "a\0b" + "x" * 5000
        note_down(conn, Actor(None, "\ud800", "", "10.0.0.1"), "team.made", team, START)

    (record,) = _records(any_board)
    assert len(record.subject) <= 500
    assert record.action == "team.made"


def _records(board: Board) -> tuple[Record, ...]:
    with begin_read(board.engine) as conn:
        return list_records(HOST, conn)
