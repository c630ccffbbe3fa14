"""What was right when it was compared and is not any more: to compare a password takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, func, select

from orgboard_dashboard.accounts.passwords import hash_of, is_right
from orgboard_dashboard.api import proof
from orgboard_dashboard.queries.people.accounts import change_account, set_password
from orgboard_dashboard.signin import routes
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.boards import Board
from support.signing_in import START, Browser, Clock, add_person, browser_at, door

ANOTHER = "what nobody knew until just now"


def _another_password(conn: Connection, account_id: int) -> None:
    set_password(conn, account_id, hash_of(ANOTHER), START)


def _asleep(conn: Connection, account_id: int) -> None:
    change_account(SystemViewer(), conn, "ana", START, is_disabled=True)


def overtaken(
    board: Board, account_id: int, change: Callable[[Connection, int], None]
) -> Callable[[str | None, str], bool]:
    """Return what compares as ever, and before it tells does what somebody else does meanwhile."""

    def compare(kept: str | None, password: str) -> bool:
        was_right = is_right(kept, password)
        with begin_write(board.engine) as conn:
            change(conn, account_id)
        return was_right

    return compare


@pytest.fixture
def ana(any_board: Board) -> int:
    add_person(any_board, "boss", is_admin=True)
    return add_person(any_board, "ana")


@pytest.mark.parametrize("change", [_another_password, _asleep])
def test_a_password_that_is_changed_while_it_is_compared_opens_no_session(
    any_board: Board,
    ana: int,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Connection, int], None],
) -> None:
    monkeypatch.setattr(routes, "is_right", overtaken(any_board, ana, change))

    late = asyncio.run(browser_at(door(any_board, Clock())).sign_in("ana"))

    assert (late.status, _sessions(any_board)) == (401, 0)


@pytest.mark.parametrize("path", ["password", "prove"])
def test_who_is_signed_out_while_the_password_is_compared_changes_nothing(
    any_board: Board, ana: int, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    thief = browser_at(door(any_board, Clock()))

    async def steal() -> tuple[int, int]:
        await thief.sign_in("ana")
        monkeypatch.setattr(proof, "is_right", overtaken(any_board, ana, _another_password))
        late = await thief.ask("POST", f"/api/ui/v1/{path}", _body_of(path))
        owner: Browser = browser_at(door(any_board, Clock()), "10.9.0.1")
        return late.status, (await owner.sign_in("ana", ANOTHER)).status

    assert asyncio.run(steal()) == (401, 200)


def _body_of(path: str) -> dict[str, str]:
    known = "a sentence that ana knows by heart"
    new = {"current": known, "password": "one that only a thief would know"}
    return new if path == "password" else {"password": known}


def _sessions(board: Board) -> int:
    with begin_read(board.engine) as conn:
        return int(conn.scalar(select(func.count()).select_from(tables.session)) or 0)
