"""Who is let in when the first byte comes, and no more when the last one does, changes nothing.

Nor does who waits for the database meanwhile: a change asks again in its own transaction.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update

from orgboard_dashboard.accounts.opaque import new_token
from orgboard_dashboard.queries.errors import SignedOut
from orgboard_dashboard.queries.people.accounts import change_account
from orgboard_dashboard.queries.people.shares import NewShare, make_share
from orgboard_dashboard.queries.people.tokens import NewToken, make_token
from orgboard_dashboard.queries.people.ways_in import viewer_of_session
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import LOCAL_VIEWER, SystemViewer, Viewer, Within, acting_as
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.boards import Board, scalars
from support.signing_in import START, Clock, add_person, browser_at, door

API = "/api/ui/v1"
_account = tables.account.c


def _state(board: Board, name: str) -> tuple[bool, bool]:
    """Return whether an account runs the board, and whether it is asleep."""
    with begin_read(board.engine) as conn:
        row = conn.execute(select(tables.account).where(_account.name == name)).one()
    return bool(row.is_admin), row.disabled_at is not None


def _change(board: Board, name: str, **to: Any) -> None:
    with begin_write(board.engine) as conn:
        change_account(SystemViewer(), conn, name, START, **to)


@pytest.mark.parametrize(
    ("taken", "left"),
    [({"is_disabled": True}, (True, True)), ({"is_admin": False}, (False, False))],
    ids=["disabled", "demoted"],
)
def test_a_change_whose_words_come_late_is_made_with_the_rights_of_its_last_byte(
    any_board: Board, taken: dict[str, bool], left: tuple[bool, bool]
) -> None:
    add_person(any_board, "ana", is_admin=True)
    add_person(any_board, "zed", is_admin=True)
    zed = browser_at(door(any_board, Clock()))

    async def ask() -> list[int]:
        await zed.sign_in("zed")

        async def take_away() -> None:
            await asyncio.to_thread(_change, any_board, "zed", **taken)

        body = {"admin": True, "disabled": False}
        zed.meanwhile = take_away
        late = await zed.ask("PATCH", f"{API}/accounts/zed", body)
        return [late.status, (await zed.ask("GET", f"{API}/me")).status]

    assert asyncio.run(ask()) == [401, 401]
    assert _state(any_board, "zed") == left


def test_a_question_whose_words_come_late_is_not_answered_either(any_board: Board) -> None:
    uid = any_board.log("run", [scalars("loss", [1.0])])
    add_person(any_board, "ana", is_admin=True)
    add_person(any_board, "zed", is_admin=True)
    ana, zed = (browser_at(door(any_board, Clock())) for _ in range(2))
    question = {"runs": [uid], "cards": [{"tag": 1}], "width": 100}

    async def ask() -> list[int]:
        for one, name in ((ana, "ana"), (zed, "zed")):
            await one.sign_in(name)

        async def nothing() -> None:
            await asyncio.sleep(0)

        async def disable() -> None:
            await asyncio.to_thread(_change, any_board, "zed", is_disabled=True)

        told = []
        for one, meanwhile in ((ana, nothing), (zed, nothing), (zed, disable)):
            one.meanwhile = meanwhile
            reply = await one.ask("POST", f"{API}/p/default/board/scalars", question)
            told.append(reply.status)
        return told

    assert asyncio.run(ask()) == [200, 200, 401]


@pytest.fixture
def admin(any_board: Board) -> Viewer:
    """Give who runs the board, signed in."""
    add_person(any_board, "ana", is_admin=True)
    add_person(any_board, "zed", is_admin=True)
    browser = browser_at(door(any_board, Clock()))

    async def come() -> Viewer:
        await browser.sign_in("zed")
        secret = browser.cookies["ob_session"]
        with begin_read(any_board.engine) as conn:
            known = viewer_of_session(conn, secret, START, address="", can_edit=True)
        assert known is not None
        return known.viewer

    return asyncio.run(come())


def _edit(board: Board, viewer: Viewer) -> str:
    """Change nothing in a transaction that writes, as `viewer`."""

    def change(_viewer: Viewer, _conn: object) -> str:
        return "done"

    async def edit() -> str:
        with acting_as(viewer):
            return await Services(board.engine, Clock()).edit(change)

    return asyncio.run(edit())


def test_a_change_is_made_by_who_still_may_when_it_is_made(any_board: Board, admin: Viewer) -> None:
    assert _edit(any_board, admin) == "done"
    with begin_write(any_board.engine) as conn:
        conn.execute(update(tables.account).where(_account.name == "zed").values(is_admin=0))

    with pytest.raises(SignedOut, match="may do less"):
        _edit(any_board, admin)

    with begin_write(any_board.engine) as conn:
        conn.execute(update(tables.account).where(_account.name == "zed").values(is_admin=1))
    assert _edit(any_board, admin) == "done"
    _change(any_board, "zed", is_disabled=True)
    with pytest.raises(SignedOut):
        _edit(any_board, admin)


def test_a_token_changes_nothing_once_it_is_revoked(any_board: Board, admin: Viewer) -> None:
    with begin_write(any_board.engine) as conn:
        make_token(admin, conn, "job1", new_token("job1"), NewToken("job", "write"), START)
    program = Viewer("token", "zed", can_edit=True, account_id=admin.account_id, via="job1")
    assert _edit(any_board, program) == "done"

    with begin_write(any_board.engine) as conn:
        conn.execute(update(tables.token).values(revoked_at=START))

    with pytest.raises(SignedOut):
        _edit(any_board, program)


def test_a_guest_changes_nothing_once_the_link_is_revoked(any_board: Board, admin: Viewer) -> None:
    any_board.log("run", [scalars("loss", [1.0])])
    with begin_write(any_board.engine) as conn:
        new = NewShare("/p/default/board/runs", "t", None)
        share = make_share(admin, conn, "default", "board", "s" * 32, new, START)
    guest = Viewer("share", "guest", within=Within(project_id=1), via=share.id)
    assert _edit(any_board, guest) == "done"

    with begin_write(any_board.engine) as conn:
        conn.execute(update(tables.share).values(revoked_at=START))

    with pytest.raises(SignedOut):
        _edit(any_board, guest)


def test_the_one_person_of_a_board_changes_nothing_once_it_has_accounts(any_board: Board) -> None:
    assert _edit(any_board, LOCAL_VIEWER) == "done"

    add_person(any_board, "ana")

    with pytest.raises(SignedOut):
        _edit(any_board, LOCAL_VIEWER)
