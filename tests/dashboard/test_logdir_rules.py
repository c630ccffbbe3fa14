"""Directories and their projects: rules decide, the longest one first, and move what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from orgboard_dashboard.queries.edits import Edit, apply_edits, write_note
from orgboard_dashboard.queries.errors import BadQuery, Conflict, NotFound
from orgboard_dashboard.queries.people.accounts import make_account
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.people.logdirs import (
    drop_rule,
    list_logdirs,
    list_rules,
    set_rule,
)
from orgboard_dashboard.queries.people.members import make_project, make_team, set_member
from orgboard_dashboard.queries.projects import list_projects
from orgboard_dashboard.queries.remarks import Moment, add_remark, list_remarks
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_ingest.projects import settle_logdir
from orgboard_ingest.roots import root_of
from orgboard_schema.remote import is_url
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.registry import ensure_run
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars

HOST = SystemViewer()
NOW = 1000.0


@pytest.fixture
def people(any_board: Board) -> Board:
    """Give a board with ana, who is in team vision and nowhere else."""
    with begin_write(any_board.engine) as conn:
        make_account(HOST, conn, "ana", NOW, kind="person")
        make_team(HOST, conn, "vision", NOW)
        make_project(HOST, conn, "vision", "faces", "team", NOW)
        set_member(HOST, conn, "vision", "ana", Role.VIEWER, NOW)
    return any_board


def settled(board: Board, path: str, project: str | None = None) -> str:
    """Return the project that ingest puts a directory into, with a run in it."""
    with begin_write(board.engine) as conn:
        where = path if is_url(path) else Path(path)
        logdir_id = settle_logdir(conn, root_of(where), project, now=NOW)
        ensure_run(conn, logdir_id, "run", now=NOW)
    return place_of(board, logdir_id)


def place_of(board: Board, logdir_id: int) -> str:
    """Return TEAM/PROJECT of a logdir, and see that its runs are there too."""
    run, project = tables.run.c, tables.project.c
    with begin_read(board.engine) as conn:
        query = (
            select(tables.team.c.name, project.name, project.project_id)
            .select_from(tables.logdir)
            .join(tables.project)
            .join(tables.team)
            .where(tables.logdir.c.logdir_id == logdir_id)
        )
        team, name, project_id = conn.execute(query).one()
        of_runs = conn.scalars(select(run.project_id).where(run.logdir_id == logdir_id))
        assert set(of_runs) == {project_id}
    return f"{team}/{name}"


def ana(board: Board) -> list[str]:
    """Return the projects that ana sees."""
    with begin_read(board.engine) as conn:
        account_id = conn.scalar(select(tables.account.c.account_id))
        viewer = Viewer("account", "ana", account_id=account_id, can_edit=True)
        return [f"{row.team}/{row.project}" for row in list_projects(viewer, conn, NOW)]


def ruled(board: Board, path: str, to: str, *, is_trial: bool = False) -> tuple[str, ...]:
    """Make a rule, and return the directories that it moves."""
    team, project = to.split("/")
    with begin_write(board.engine) as conn:
        return set_rule(HOST, conn, path, team, project, NOW, is_trial=is_trial).logdirs


def test_a_board_for_one_gives_each_directory_a_project_of_its_own(any_board: Board) -> None:
    assert settled(any_board, "/data/faces") == "default/faces"


def test_on_a_board_with_people_what_nobody_assigned_is_seen_by_who_runs_it(people: Board) -> None:
    assert settled(people, "/data/secret") == "default/Unassigned"
    assert ana(people) == ["vision/faces"]
    with begin_read(people.engine) as conn:
        assert "Unassigned" in {row.project for row in list_projects(HOST, conn, NOW)}


def test_a_flag_goes_before_rules_and_the_longest_rule_before_others(people: Board) -> None:
    with begin_write(people.engine) as conn:
        make_project(HOST, conn, "vision", "all", "team", NOW)
    ruled(people, "/data", "vision/all")
    ruled(people, "/data/faces", "vision/faces")

    assert settled(people, "/data/faces/2026") == "vision/faces"
    assert settled(people, "/data/cars") == "vision/all"
    # A name that only begins alike is another directory.
    assert settled(people, "/database") == "default/Unassigned"
    assert settled(people, "/data/faces/other", "default/mine") == "default/mine"


def test_a_rule_for_a_bucket_holds_for_what_lies_below_it(people: Board) -> None:
    with begin_write(people.engine) as conn:
        make_project(HOST, conn, "vision", "all", "team", NOW)
    assert settled(people, "s3://bucket/team/old") == "default/Unassigned"
    ruled(people, "s3://bucket/team/faces", "vision/faces")

    assert ruled(people, "s3://bucket", "vision/all") == ("s3://bucket/team/old",)
    assert settled(people, "s3://bucket/team/faces/2026") == "vision/faces"
    assert settled(people, "s3://bucket/other") == "vision/all"
    assert settled(people, "s3://bucket-of-others/team/faces") == "default/Unassigned"
    assert settled(people, "gs://bucket/team/faces") == "default/Unassigned"
    assert settled(people, "/bucket/team/faces") == "default/Unassigned"


@pytest.mark.parametrize(
    ("path", "why"),
    [("s3://bucket/", "as ingest does: s3://bucket"), ("s3://a:hunter2@b", "no password")],
)
def test_a_rule_names_a_url_as_ingest_does(people: Board, path: str, why: str) -> None:
    with pytest.raises(BadQuery, match=why) as refused:
        ruled(people, path, "vision/faces")
    assert "hunter2" not in str(refused.value)


def test_a_directory_that_had_a_project_keeps_it_when_people_come(any_board: Board) -> None:
    before = settled(any_board, "/data/old")
    with begin_write(any_board.engine) as conn:
        make_account(HOST, conn, "ana", NOW, kind="person")

    assert settled(any_board, "/data/old") == before == "default/old"


def test_a_rule_moves_what_is_there_with_all_that_was_said_of_it(people: Board) -> None:
    settled(people, "/data/faces/a")
    uid = people.log(
        "run", [scalars("loss", [1.0])], project="default/Unassigned", logdir="/data/faces/a"
    )
    with begin_write(people.engine) as conn:
        apply_edits(HOST, conn, "default", "Unassigned", [Edit((uid,), "tag", ("good",))], NOW)
        write_note(HOST, conn, uid, "a note", None, NOW)
        add_remark(HOST, conn, "default", "Unassigned", Moment(uid, 1), "here", NOW)

    assert ruled(people, "/data/faces", "vision/faces", is_trial=True) == ("/data/faces/a",)
    assert ana(people) == ["vision/faces"]
    assert ruled(people, "/data/faces", "vision/faces") == ("/data/faces/a",)

    with begin_read(people.engine) as conn:
        remarks = list_remarks(HOST, conn, "vision", "faces", (uid,))
        assert [remark.text for remark in remarks] == ["here"]
        assert list_remarks(HOST, conn, "default", "Unassigned") == ()
        listed = {row.path: (row.project, row.runs) for row in list_logdirs(HOST, conn)}
        assert listed == {"/data/faces/a": ("vision/faces", 1)}
    # The daemon that reads it goes on there: what is new is in the same place.
    assert settled(people, "/data/faces/a") == "vision/faces"


def test_a_rule_that_would_join_two_readings_of_a_directory_moves_nothing(people: Board) -> None:
    settled(people, "/data/faces", "vision/faces")
    settled(people, "/data/faces", "default/mine")

    with pytest.raises(Conflict, match="nothing was moved"):
        ruled(people, "/data/faces", "vision/faces")
    with begin_read(people.engine) as conn:
        assert list_rules(HOST, conn) == ()


def test_a_rule_that_is_dropped_leaves_what_is_there(people: Board) -> None:
    ruled(people, "/data", "vision/faces")
    assert settled(people, "/data/a") == "vision/faces"
    with begin_write(people.engine) as conn:
        drop_rule(HOST, conn, "/data", NOW)

    assert settled(people, "/data/a") == "vision/faces"
    assert settled(people, "/data/b") == "default/Unassigned"
    with begin_write(people.engine) as conn, pytest.raises(NotFound):
        drop_rule(HOST, conn, "/data", NOW)


@pytest.mark.parametrize("path", ["data", "/data/", "/data/../etc", "", "/a\0b", "~/data"])
def test_a_path_that_ingest_would_never_write_is_refused(people: Board, path: str) -> None:
    with pytest.raises(BadQuery):
        ruled(people, path, "vision/faces")


def test_rules_are_for_who_runs_the_board_and_are_written_down(people: Board) -> None:
    stranger = Viewer("account", "ana", account_id=1, can_edit=True)
    with begin_write(people.engine) as conn, pytest.raises(NotFound):
        set_rule(stranger, conn, "/data", "vision", "faces", NOW)
    ruled(people, "/data", "vision/faces")

    with begin_read(people.engine) as conn:
        newest = list_records(HOST, conn)[0]
    assert (newest.action, newest.subject, newest.actor) == ("logdir.rule", "/data", "host")
