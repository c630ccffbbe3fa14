"""Runs that were moved one by one: seen there and not here, told before, and fed where they are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from orgboard_dashboard.api.proof import FRESH_S
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.people.embeds import NewEmbed, make_embed
from orgboard_dashboard.queries.people.shares import NewShare, make_share
from orgboard_ingest.commands import ingest, verify
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_database
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.logdirs import move_logdir
from orgboard_schema.sql.registry import ensure_project
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.shadow import begin_shadow
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from support.boards import Board, scalars
from support.event_files import event_file, scalar_event
from support.people import HOST, Person, add_project, put, sign_in, two_teams

NAME = "events.out.tfevents.1"
_run = tables.run.c


@pytest.fixture
def ana(any_board: Board) -> Person:
    """Give who runs a board of two teams, on which red/one has two runs."""
    ana = two_teams(any_board)
    for run in ("a", "b"):
        any_board.log(run, [scalars("loss", [1.0, 2.0])], project="red/one")
    return ana


def _seen(person: Person, place: str) -> list[str]:
    answer = person.ask("GET", f"p/{place}/runs")
    found = answer.json()["runs"] if answer.status_code == 200 else []
    return sorted(row["name"] for row in found)


def _move(
    person: Person, uid: str, *, at: str = "red/one", to: str = "blue/one", **more: Any
) -> Any:
    return person.ask("POST", f"p/{at}/moves", {"runs": [uid], "to": to, **more})


def test_a_moved_run_is_seen_there_with_all_that_was_said_of_it_and_not_here(ana: Person) -> None:
    board, uid = ana.board, ana.board.uids["a"]
    ben, eve = sign_in(board, "ben"), sign_in(board, "eve")
    ana.post(f"r/{uid}/note", {"text": "a good one", "read": None})
    ana.post("p/red/one/remarks", {"run": uid, "step": 1, "text": "look"})
    assert (_seen(ben, "red/one"), _seen(eve, "blue/one")) == (["a", "b"], [])

    assert _move(ana, uid).json() == {"moved": 1}

    assert (_seen(ben, "red/one"), _seen(eve, "blue/one")) == (["b"], ["a"])
    assert [who.ask("GET", f"r/{uid}").status_code for who in (ben, eve)] == [404, 200]
    there = eve.get(f"r/{uid}")
    assert (there["team"], there["project"], there["note"]["text"]) == ("blue", "one", "a good one")
    remarks = [eve.get(f"p/blue/one/remarks?runs={uid}"), ben.get(f"p/red/one/remarks?runs={uid}")]
    assert [len(told["remarks"]) for told in remarks] == [1, 0]
    # And back, by the same address.
    assert _move(ana, uid, at="blue/one", to="red/one").json() == {"moved": 1}
    assert (_seen(ben, "red/one"), _seen(eve, "blue/one")) == (["a", "b"], [])


def test_it_is_told_before_who_gains_and_who_loses_sight(ana: Person) -> None:
    board, uid = ana.board, ana.board.uids["a"]
    put(board, "red", "eve", Role.VIEWER)
    with begin_write(board.engine) as conn:
        for number, uids in enumerate(((uid,), (board.uids["b"],), None)):
            new = NewShare("/p/red/one/runs", "shared", uids)
            make_share(HOST, conn, "red", "one", f"secret{number}", new, time.time())
            card = NewEmbed("loss", "", "shown", ("https://wiki.example",), uids)
            make_embed(HOST, conn, "red", "one", f"card{number}", card, time.time())

    told = _move(ana, uid, trial=True).json()

    assert told == {
        "runs": 1,
        "shares": 2,
        "embeds": 2,
        "gain": [],
        "lose": [{"account": "ben", "before": "editor", "after": ""}],
        "differ": [{"account": "eve", "before": "viewer", "after": "editor"}],
    }
    assert _seen(ana, "blue/one") == []
    nothing = {"runs": 0, "shares": 0, "embeds": 0, "gain": [], "lose": [], "differ": []}
    assert _move(ana, uid, to="red/one", trial=True).json() == nothing


@pytest.mark.parametrize("trial", [True, False])
def test_who_does_not_run_both_moves_nothing_and_learns_nothing(ana: Person, trial: bool) -> None:
    board, uid = ana.board, ana.board.uids["a"]
    add_project(board, "green", "one", "private")
    ben = sign_in(board, "ben")
    # An editor of the one, who does not know the other.
    assert _move(ben, uid, trial=trial).status_code == 403
    put(board, "red/one", "ben", Role.ADMIN)
    unknown = [_move(ben, uid, to=to, trial=trial) for to in ("green/one", "no/where", "", "*/*")]
    assert [reply.status_code for reply in unknown[:3]] == [404] * 3
    assert unknown[0].text == unknown[1].text
    assert unknown[3].status_code in (403, 404)
    put(board, "blue/one", "ben", Role.EDITOR)
    assert _move(ben, uid, trial=trial).status_code == 403
    assert _seen(ana, "red/one") == ["a", "b"]

    put(board, "blue/one", "ben", Role.ADMIN)
    assert _move(ben, uid, trial=trial).status_code == 200


def test_a_run_of_elsewhere_is_not_moved_by_its_name_in_a_project_of_ones_own(ana: Person) -> None:
    board = ana.board
    hidden = board.log("hidden", project="green/one", logdir="/green")
    for place in ("red/one", "blue/one"):
        put(board, place, "ben", Role.ADMIN)
    ben = sign_in(board, "ben")

    assert _move(ben, hidden, trial=True).json()["runs"] == 0
    assert _move(ben, hidden).json() == {"moved": 0}
    assert _seen(ana, "green/one") == ["hidden"]


def test_it_wants_the_password_to_be_fresh_and_is_in_the_log(ana: Person) -> None:
    stale = sign_in(ana.board, "Ana", at=time.time() - FRESH_S - 1)
    refused = _move(stale, ana.board.uids["a"])
    assert (refused.status_code, refused.json()["prove"]) == (403, True)

    _move(ana, ana.board.uids["a"])

    with begin_read(ana.board.engine) as conn:
        (record,) = list_records(HOST, conn, action="run.move")
    assert (record.subject, record.before) == ("red/one", '{"project": "red/one"}')
    assert f'"uids": ["{ana.board.uids["a"]}"]' in record.after
    assert '"project": "blue/one"' in record.after


def test_on_a_board_for_one_it_is_moved_without_a_password(any_board: Board) -> None:
    uid = any_board.log("a", project="red/one")
    add_project(any_board, "blue", "one")
    moved = any_board.ask(
        "POST", "/api/ui/v1/p/red/one/moves", json={"runs": [uid], "to": "blue/one"}
    )

    assert moved.json() == {"moved": 1}


def _log(path: Path, *events: Event) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(event_file(*events))


def _steps(*steps: int, wall: float = 1000.0) -> list[Event]:
    return [scalar_event("loss", step, float(step), wall + step) for step in steps]


def _ingest(board: Board, logdir: Path, *, project: str | None = "red/one") -> None:
    url = board.engine.url.render_as_string(hide_password=False)
    db = url.removeprefix("sqlite:///")
    flags = [] if project is None else ["--project", project]
    assert ingest([str(logdir), "--once", "--db", db, *flags]) == 0
    assert verify([str(logdir), "--db", db]) == 0
    assert list(check_database(board.engine)) == []


def _runs(board: Board) -> list[tuple[str, str, int, int]]:
    """Return team, name, points and attempts of every run that is shown."""
    with begin_read(board.engine) as conn:
        rows = conn.execute(
            select(tables.team.c.name, _run.name, _run.points, _run.attempts)
            .join_from(tables.run, tables.project, tables.project.c.project_id == _run.project_id)
            .join(tables.team)
            .where(_run.standing == 0)
            .order_by(tables.team.c.name, _run.name)
        )
        return [tuple(row) for row in rows]


def _to_blue(board: Board, run: str) -> str:
    ana = sign_in(board, "Ana")
    with begin_read(board.engine) as conn:
        uid: str = conn.scalars(select(_run.uid).where(_run.name == run, _run.standing == 0)).one()
    assert _move(ana, uid).json() == {"moved": 1}
    return uid


def test_ingest_goes_on_feeding_a_moved_run_where_it_is(any_board: Board, tmp_path: Path) -> None:
    two_teams(any_board)
    logdir = tmp_path / "logs"
    for run in ("a", "b"):
        _log(logdir / run / NAME, *_steps(0, 1))
    _ingest(any_board, logdir)
    uid = _to_blue(any_board, "a")

    # The file grows; another one comes, and it is a restart; and a run is new.
    _log(logdir / "a" / NAME, *_steps(2, 3))
    _ingest(any_board, logdir)
    assert _runs(any_board) == [("blue", "a", 4, 1), ("red", "b", 2, 1)]
    start = Event(wall_time=2000.0, step=1, session_log=SessionLog(status=SessionLog.START))
    _log(logdir / "a" / "events.out.tfevents.2", start, *_steps(1, 2, wall=2000.0))
    _log(logdir / "c" / NAME, *_steps(0))
    _ingest(any_board, logdir)

    assert _runs(any_board) == [("blue", "a", 6, 2), ("red", "b", 2, 1), ("red", "c", 1, 1)]
    eve, ben = sign_in(any_board, "eve"), sign_in(any_board, "ben")
    assert eve.get(f"r/{uid}")["run"]["points"] == 6
    assert ben.ask("GET", f"r/{uid}").status_code == 404


def test_a_moved_run_whose_file_was_replaced_is_read_anew_where_it_is(
    any_board: Board, tmp_path: Path
) -> None:
    two_teams(any_board)
    logdir = tmp_path / "logs"
    _log(logdir / "a" / NAME, *_steps(*range(20)))
    _ingest(any_board, logdir)
    uid = _to_blue(any_board, "a")

    (logdir / "a" / NAME).write_bytes(event_file(*_steps(0, 1, 2, wall=5000.0)))
    _ingest(any_board, logdir)

    assert _runs(any_board) == [("blue", "a", 3, 1)]
    assert sign_in(any_board, "eve").get(f"r/{uid}")["run"]["points"] == 3


def test_a_run_that_is_moved_while_it_is_read_anew_stays_where_it_was_put(
    any_board: Board, tmp_path: Path
) -> None:
    two_teams(any_board)
    logdir = tmp_path / "logs"
    _log(logdir / "a" / NAME, *_steps(0, 1, 2))
    _ingest(any_board, logdir)
    with begin_write(any_board.engine) as conn:
        row = conn.execute(select(_run.run_id, _run.revision)).one()
        begin_shadow(conn, row.run_id, revision=row.revision)
    _to_blue(any_board, "a")

    _ingest(any_board, logdir)

    assert _runs(any_board) == [("blue", "a", 3, 1)]


def test_what_was_moved_by_itself_stays_when_its_directory_is_moved(
    any_board: Board, tmp_path: Path
) -> None:
    ana = two_teams(any_board)
    logdir = tmp_path / "logs"
    for run in ("a", "b"):
        _log(logdir / run / NAME, *_steps(0, 1))
    _ingest(any_board, logdir)
    _to_blue(any_board, "a")
    add_project(any_board, "green", "one")

    told = ana.post("directories", {"path": str(logdir), "project": "green/one", "trial": True})
    assert told["runs"] == 1
    with begin_write(any_board.engine) as conn:
        green = ensure_project(conn, "green/one", now=1.0)
        logdir_id = conn.scalars(select(tables.logdir.c.logdir_id)).one()
        assert move_logdir(conn, logdir_id, green, 1.0) == 1

    assert [row[:2] for row in _runs(any_board)] == [("blue", "a"), ("green", "b")]
    _log(logdir / "a" / NAME, *_steps(2))
    _ingest(any_board, logdir, project="green/one")
    assert [row[:3] for row in _runs(any_board)] == [("blue", "a", 3), ("green", "b", 2)]
