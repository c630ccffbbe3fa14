"""How much room everything takes: it adds up, whatever is shared, archived, deleted, restarted."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.guard import reading
from orgboard_dashboard.queries.storage import Measured, Room, Storage, storage_of
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.delete import delete_run, remove_deleted
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import Restart
from orgboard_schema.types import Blob, Media
from support.boards import Board, scalars, values
from support.people import Person, sign_in, two_teams

LONG_AGO = time.time() - 90 * 86_400


def _picture(text: bytes) -> Any:
    return values("seen", "image", [Media((Blob(text, "image/png"),), 1, 1)])


def _fill(board: Board) -> None:
    """Log four runs in three projects of two teams; two of them have the same picture."""
    shared, own = b"shared" * 100, b"own" * 100
    board.log("a", [scalars("loss", range(500)), _picture(shared)], project="red/one")
    board.log("b", [scalars("loss", range(100)), _picture(shared)], project="red/two")
    board.log("c", [_picture(own)], project="blue/one", now=LONG_AGO)
    board.log(
        "d",
        [scalars("loss", range(10)), scalars("loss", range(5, 9), attempt=1)],
        project="blue/one",
        logdir="/other",
        restarts=[Restart(1, None, None, 5)],
    )


def _asked(
    board: Board, *within: str, measured: Measured | None = None, budget_s: float = 60.0
) -> Storage:
    viewer = SystemViewer()
    with reading(board.engine, viewer) as conn:
        kept = measured or Measured()
        return storage_of(viewer, conn, kept, within, time.time(), time.thread_time, budget_s)


def _by_name(found: Storage) -> dict[str, Room]:
    return {room.name: room for room in found.rows}


def test_what_people_opened_from_their_disks_is_their_projects(any_board: Board) -> None:
    _fill(any_board)
    before, of_one = _asked(any_board), _asked(any_board, "blue", "one")
    row = {"upload_id": "g", "name": "net.pb", "kind": "graph_def", "file_size": 9, "size": 9}
    row |= {"sha256": b"g" * 32, "payload": bytes(1000), "author": "", "uploaded_at": 1.0}
    with begin_write(any_board.engine) as conn:
        blue = select(tables.project.c.project_id).join(tables.team)
        here = blue.where(tables.team.c.name == "blue", tables.project.c.name == "one")
        conn.execute(insert(tables.graph_upload), row | {"project_id": conn.scalar(here)})

    after = _asked(any_board)

    assert after.total.media_bytes == before.total.media_bytes + 1000
    assert _by_name(after)["blue"].media_bytes == _by_name(before)["blue"].media_bytes + 1000
    assert _by_name(after)["red"] == _by_name(before)["red"]
    within = _by_name(_asked(any_board, "blue"))["one"]
    assert within.media_bytes == of_one.total.media_bytes + 1000
    again = _asked(any_board, "blue", "one")
    assert (again.rows, again.total.media_bytes) == (of_one.rows, within.media_bytes)


def test_the_parts_add_up_to_what_is_stored_on_every_level(any_board: Board) -> None:
    _fill(any_board)
    board, found = any_board, _asked(any_board)

    assert set(_by_name(found)) == {"red", "blue"}
    assert found.is_whole
    with begin_read(board.engine) as conn:
        points = sum(
            conn.scalar(select(func.coalesce(func.sum(func.length(table.c.payload)), 0))) or 0
            for table in (tables.block, tables.segment, tables.run_head)
        )
        media = conn.scalar(select(func.sum(tables.blob.c.size))) or 0
    assert found.total.point_bytes == points > 0
    assert found.total.media_bytes == pytest.approx(media) == 900
    assert (found.total.runs, found.total.files, found.total.points) == (4, 4, 617)
    for team, projects in (("red", ("one", "two")), ("blue", ("one",))):
        of_team = _asked(board, team)
        assert set(_by_name(of_team)) == set(projects)
        assert of_team.total.bytes == pytest.approx(_by_name(found)[team].bytes)
        runs = [_asked(board, team, project).total.bytes for project in projects]
        assert sum(runs) == pytest.approx(of_team.total.bytes)


def test_a_picture_of_several_runs_counts_in_equal_parts(any_board: Board) -> None:
    _fill(any_board)
    red = _by_name(_asked(any_board, "red"))

    assert red["one"].media_bytes == red["two"].media_bytes == pytest.approx(300)


def test_runs_are_told_with_their_names_the_largest_first(any_board: Board) -> None:
    _fill(any_board)
    with begin_write(any_board.engine) as conn:
        here = tables.run.c.uid == any_board.uids["d"]
        conn.execute(update(tables.run).where(here).values(display_name="the restarted one"))
    found = _asked(any_board, "blue", "one")

    assert {(room.name, room.uid) for room in found.rows} == {
        ("c", any_board.uids["c"]),
        ("the restarted one", any_board.uids["d"]),
    }
    assert [room.bytes for room in found.rows] == sorted(
        (room.bytes for room in found.rows), reverse=True
    )


def test_what_is_archived_deleted_superseded_and_new_is_told(any_board: Board) -> None:
    _fill(any_board)
    board, measured = any_board, Measured()
    before = _asked(board, measured=measured)
    with begin_write(board.engine) as conn:
        archived = tables.run.c.uid == board.uids["a"]
        conn.execute(update(tables.run).where(archived).values(archived_at=1.0))
        run_id = conn.scalars(
            select(tables.run.c.run_id).where(tables.run.c.uid == board.uids["c"])
        ).one()
        delete_run(conn, run_id, now=time.time() + 1e6)
    found = _asked(board, measured=measured)
    red, blue = _by_name(found)["red"], _by_name(found)["blue"]

    assert red.archived_bytes == pytest.approx(_by_name(_asked(board, "red"))["one"].bytes)
    assert blue.leaving_bytes > 300
    assert (blue.runs, red.runs) == (1, 2)
    assert found.total.bytes == pytest.approx(before.total.bytes)
    # Steps 5 to 9 of the first life.
    assert blue.superseded_points == 5
    assert blue.recent_bytes < blue.bytes - blue.leaving_bytes + 1
    assert red.recent_bytes == pytest.approx(red.bytes)

    with begin_write(board.engine) as conn:
        while remove_deleted(conn, 1000):
            pass
    # Media is kept for half a minute.
    measured.media_at = float("-inf")
    assert _by_name(_asked(board, measured=measured))["blue"].leaving_bytes == 0


def test_what_was_measured_is_measured_again_only_when_the_run_changed(any_board: Board) -> None:
    _fill(any_board)
    measured = Measured()
    first = _asked(any_board, measured=measured)
    kept = dict(measured.points)
    # As if it were another size: who looks again would find the true one.
    measured.points = {run: (revision, 1, 0) for run, (revision, _, _) in kept.items()}

    assert _asked(any_board, measured=measured).total.point_bytes == len(kept)
    any_board.log("a", [scalars("loss", range(500, 900), step=range(500, 900))], project="red/one")
    again = _asked(any_board, measured=measured)
    assert first.total.point_bytes / 4 < again.total.point_bytes - len(kept) + 1
    assert sum(1 for _, octets, _ in measured.points.values() if octets == 1) == len(kept) - 1


def test_no_question_measures_for_longer_than_its_budget(any_board: Board) -> None:
    for n in range(300):
        any_board.log(f"run{n}", project="red/one", logdir=f"/logs{n % 3}")
    measured = Measured()
    asked = [_asked(any_board, measured=measured, budget_s=-1.0) for _ in range(3)]

    assert [one.unmeasured for one in asked] == [50, 0, 0]
    assert [one.is_whole for one in asked][:1] == [False]
    assert _asked(any_board, measured=measured).is_whole


def test_a_place_that_is_not_there_is_told_from_one_without_runs(any_board: Board) -> None:
    ana = two_teams(any_board)

    assert ana.get("admin/storage?team=red&project=one")["rows"] == []
    for query in ("team=nobody", "team=red&project=nothing"):
        assert ana.ask("GET", f"admin/storage?{query}").status_code == 404
    assert ana.ask("GET", "admin/storage?project=one").status_code == 400


def test_only_who_runs_the_board_is_told(any_board: Board) -> None:
    ana: Person = two_teams(any_board)
    _fill(any_board)
    told = ana.get("admin/storage")

    assert {row["name"] for row in told["rows"]} == {"red", "blue"}
    assert told["database_bytes"] > 10_000
    assert sign_in(any_board, "ben").ask("GET", "admin/storage").status_code == 404
    ben = Viewer("account", "ben", can_edit=True, account_id=2)
    with begin_read(any_board.engine) as conn, pytest.raises(NotFound):
        storage_of(ben, conn, Measured(), (), 0.0, time.thread_time, 1.0)
