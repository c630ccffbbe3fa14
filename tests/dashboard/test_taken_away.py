"""Long answers end when what let somebody in is taken away, and are not taken for whole."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from sqlalchemy import Connection, delete, insert, update

from orgboard_dashboard.accounts.opaque import new_secret, new_token
from orgboard_dashboard.api import public_comments, records
from orgboard_dashboard.api.exports import Wanted, _may_go_on, stream_points
from orgboard_dashboard.outgoing import BrokenOff
from orgboard_dashboard.queries.comments import OnRun, add_comment
from orgboard_dashboard.queries.comments_exported import some_comments
from orgboard_dashboard.queries.exported import places_of
from orgboard_dashboard.queries.guard import reading
from orgboard_dashboard.queries.people.accounts import change_account
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.people.shares import (
    NewShare,
    make_share,
    revoke_share,
    viewer_of_share,
)
from orgboard_dashboard.queries.people.standing import stands
from orgboard_dashboard.queries.people.tokens import NewToken, make_token, revoke_token
from orgboard_dashboard.queries.people.ways_in import (
    IDLE_S,
    guess_at,
    open_session,
    viewer_of_session,
    viewer_of_token,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer, acting_as
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.people import HOST, put
from support.signing_in import START, add_person

TakeAway = Callable[[Connection, Viewer], None]


def _by_session(board: Board, name: str = "ana") -> Viewer:
    with begin_write(board.engine) as conn:
        open_session(conn, guess_at(conn, name), f"of {name}", START, address="", agent="")
        known = viewer_of_session(conn, f"of {name}", START, address="", can_edit=True)
    assert known is not None
    return known.viewer


def _by_token(board: Board) -> Viewer:
    token = new_token("one")
    with begin_write(board.engine) as conn:
        make_token(HOST, conn, "one", token, NewToken("mine", owner="ana"), START)
        known = viewer_of_token(conn, token, START, address="", can_edit=False)
    assert known is not None
    return known.viewer


def _by_share(board: Board) -> Viewer:
    secret = new_secret()
    new = NewShare("/p/default/board/scalars", "link", None)
    with begin_write(board.engine) as conn:
        make_share(HOST, conn, "default", "board", secret, new, START)
        guest = viewer_of_share(conn, secret, START, address="")
    assert guest is not None
    return guest


def _end_session(conn: Connection, viewer: Viewer) -> None:
    conn.execute(delete(tables.session).where(tables.session.c.session_id == viewer.via))


def _disable(conn: Connection, viewer: Viewer) -> None:
    change_account(HOST, conn, viewer.name, START, is_disabled=True)


def _leave_team(conn: Connection, _viewer: Viewer) -> None:
    conn.execute(delete(tables.team_member))


def _hide(conn: Connection, _viewer: Viewer) -> None:
    conn.execute(update(tables.project).values(visibility="private"))


def _revoke_token(conn: Connection, viewer: Viewer) -> None:
    revoke_token(HOST, conn, viewer.via, START)


def _revoke_share(conn: Connection, viewer: Viewer) -> None:
    revoke_share(HOST, conn, "default", "board", viewer.via, START)


def _demote(conn: Connection, viewer: Viewer) -> None:
    change_account(HOST, conn, viewer.name, START, is_admin=False)


@pytest.fixture
def peopled(any_board: Board) -> Board:
    any_board.log("first", [scalars("loss", np.zeros(30_000))], now=START)
    any_board.log("second", [scalars("loss", np.zeros(30_000))], now=START)
    add_person(any_board, "ana")
    add_person(any_board, "boss", is_admin=True)
    put(any_board, "default", "ana", Role.VIEWER)
    return any_board


@pytest.mark.parametrize(
    ("comes", "take_away"),
    [
        *((_by_session, each) for each in (_end_session, _disable, _leave_team, _hide)),
        *((_by_token, each) for each in (_revoke_token, _disable, _leave_team)),
        (_by_share, _revoke_share),
    ],
)
def test_a_file_ends_when_who_asked_may_not_have_it_any_more(
    peopled: Board, comes: Callable[[Board], Viewer], take_away: TakeAway
) -> None:
    viewer, engine = comes(peopled), peopled._served()
    services = Services(engine, lambda: START)
    with reading(engine, viewer) as conn:
        places = places_of(viewer, conn, "default", "board", list(peopled.uids.values()))
    wanted = Wanted(tuple(places), None, "csv")
    stays = partial(_may_go_on, services, viewer)

    def begin() -> Iterator[bytes]:
        clock = itertools.count()
        return stream_points(viewer, engine, wanted, lambda: float(next(clock)), stays=stays)

    whole = b"".join(begin())
    parts = begin()
    came = [next(parts)]
    with begin_write(peopled.engine) as conn:
        take_away(conn, viewer)
    with pytest.raises(BrokenOff):
        came.extend(parts)

    assert whole.count(b",second,") == 30_000
    assert b",second," not in b"".join(came)


def test_a_guest_whose_time_is_up_and_a_host_that_got_accounts_stay_no_longer(
    peopled: Board,
) -> None:
    boss, guest = _by_session(peopled, "boss"), _by_share(peopled)
    asked = [(boss, 0.0), (boss, IDLE_S), (guest, 0.0), (guest, 1e9), (HOST, 0.0)]

    with reading(peopled._served(), HOST) as conn:
        told = [stands(conn, viewer, START + later) for viewer, later in asked]
        local = stands(conn, LOCAL_VIEWER, START)

    assert told == [True, False, True, False, True]
    assert not local


def test_who_runs_the_board_no_more_reads_no_more_of_its_log(peopled: Board) -> None:
    viewer = _by_session(peopled, "boss")
    add_person(peopled, "other", is_admin=True)
    row = {"at": 1.0, "actor": "x", "address": "", "action": "a", "outcome": "done"}
    with begin_write(peopled.engine) as conn:
        conn.execute(insert(tables.audit), [row | {"subject": f"S{n}"} for n in range(1200)])
    services = Services(peopled._served(), lambda: START)

    async def scene() -> str:
        with acting_as(viewer):
            first = await services.ask(list_records)
            whole = [part async for part in records._lines(services, first, "", "")]
            lines = records._lines(services, first, "", "")
            assert [await anext(lines), await anext(lines)] == whole[:2]
            with begin_write(peopled.engine) as conn:
                _demote(conn, viewer)
            with pytest.raises(BrokenOff):
                await anext(lines)
            return b"".join(whole).decode()

    assert ",S0," in asyncio.run(scene())


@pytest.mark.parametrize("take_away", [_end_session, _leave_team])
def test_who_left_reads_no_more_of_what_is_said(peopled: Board, take_away: TakeAway) -> None:
    viewer = _by_session(peopled)
    with begin_write(peopled.engine) as conn:
        add_comment(HOST, conn, OnRun(peopled.uids["first"]), "well", None, START)
    services = Services(peopled._served(), lambda: START)

    async def scene() -> None:
        with acting_as(viewer):
            first = await services.ask(some_comments, "default", "board", None)
            lines = public_comments._lines(services, "default", "board", first)
            assert "well" in await anext(lines)
            with begin_write(peopled.engine) as conn:
                take_away(conn, viewer)
            with pytest.raises(BrokenOff):
                await anext(lines)

    asyncio.run(scene())
