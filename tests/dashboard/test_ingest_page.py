"""What who runs the board is told of ingest: who reads what, what waits, what is damaged."""

from __future__ import annotations

from sqlalchemy import select, update

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.flush import NewGap
from orgboard_schema.sql.leases import Holder, Work, renew
from support.boards import Board, scalars
from support.people import sign_in, two_teams


def _read(board: Board, logdir: str, owner: str, work: Work, *, seconds: float = 600) -> None:
    with begin_write(board.engine) as conn:
        query = select(tables.logdir.c.logdir_id).where(tables.logdir.c.path == logdir)
        holder = Holder(owner, "node7", 41)
        renew(conn, conn.scalars(query).one(), holder, work, seconds=seconds, before=None)


def test_who_reads_what_and_how_far_behind(any_board: Board) -> None:
    ana = two_teams(any_board)
    any_board.log("a", [scalars("loss", [1.0])], project="red/one", logdir="/red")
    any_board.log("b", [scalars("loss", [1.0])], project="blue/one", logdir="/blue")
    work = Work("polling", "too many directories", 1, 1, 1, 5000, 12.5, 70, 900, 7.0, 90.0)
    _read(any_board, "/red", "one", work)
    _read(any_board, "/red", "two", Work("watching"), seconds=-60)

    told = ana.get("admin/ingest")
    red, blue = sorted(told["logdirs"], key=lambda row: row["path"], reverse=True)

    assert (red["project"], red["path"], red["runs"], red["files"]) == ("red/one", "/red", 1, 1)
    by_owner = {one["owner"]: one for one in red["ingests"]}
    assert {owner: one["alive"] for owner, one in by_owner.items()} == {"one": True, "two": False}
    assert by_owner["two"]["until"] < told["now"] < by_owner["one"]["until"]
    assert by_owner["one"]["work"] == {
        "watch": "polling",
        "watch_reason": "too many directories",
        "runs": 1,
        "files": 1,
        "unreadable_files": 1,
        "pending_bytes": 5000,
        "lag_s": 12.5,
        "points": 70,
        "bytes": 900,
        "points_per_s": 7.0,
        "bytes_per_s": 90.0,
    }
    assert (blue["path"], blue["ingests"]) == ("/blue", [])


def test_what_is_damaged_is_told_by_reason_and_what_cannot_be_read_by_file(
    any_board: Board,
) -> None:
    ana = two_teams(any_board)
    gaps = [
        NewGap(10, 300, "payload crc"),
        NewGap(400, 5, "payload crc"),
        NewGap(7, 1, "too large"),
    ]
    uid = any_board.log("a/b", gaps=gaps, project="red/one", logdir="/red")
    any_board.log("c", gaps=[NewGap(0, 20, "payload crc")], project="blue/one", logdir="/blue")
    any_board.log(".", project="red/one", logdir="/base")
    with begin_write(any_board.engine) as conn:
        of_run = select(tables.run.c.run_id).where(tables.run.c.name.in_(["a/b", "."]))
        here = tables.source_file.c.run_id.in_(of_run)
        conn.execute(update(tables.source_file).where(here).values(error="Permission denied"))

    told = ana.get("admin/ingest")

    assert told["lost"] == [
        {"reason": "payload crc", "places": 3, "bytes": 325, "runs": 2},
        {"reason": "too large", "places": 1, "bytes": 1, "runs": 1},
    ]
    files = {file["path"]: file for file in told["files"]}
    assert set(files) == {"/red/a/b/events.out.tfevents.1", "/base/events.out.tfevents.1"}
    one = files["/red/a/b/events.out.tfevents.1"]
    assert (one["run"], one["uid"], one["project"]) == ("a/b", uid, "red/one")
    assert (one["error"], told["is_all"]) == ("Permission denied", True)


def test_gaps_of_a_file_that_was_replaced_are_not_told(any_board: Board) -> None:
    ana = two_teams(any_board)
    any_board.log("a", gaps=[NewGap(10, 300, "payload crc")], project="red/one")
    with begin_write(any_board.engine) as conn:
        conn.execute(update(tables.source_file).values(generation=1))

    assert ana.get("admin/ingest")["lost"] == []


def test_others_are_told_nothing(any_board: Board) -> None:
    ana = two_teams(any_board)
    any_board.log("a", project="red/one")

    assert len(ana.get("admin/ingest")["logdirs"]) == 1
    assert sign_in(any_board, "ben").ask("GET", "admin/ingest").status_code == 404
