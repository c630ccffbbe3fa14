"""Several projects looked at together: what one may see of each, told apart, and only looked at."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Connection

from orgboard_dashboard.queries.changes import changed_runs
from orgboard_dashboard.queries.edits import Edit, apply_edits
from orgboard_dashboard.queries.errors import Forbidden, NotFound
from orgboard_dashboard.queries.exported import places_of
from orgboard_dashboard.queries.groups import group_runs
from orgboard_dashboard.queries.hparams import hparams_table
from orgboard_dashboard.queries.people.accounts import account_id_of, make_account
from orgboard_dashboard.queries.people.members import (
    make_project,
    make_team,
    set_member,
    set_visibility,
)
from orgboard_dashboard.queries.remarks import Moment, add_remark, list_remarks
from orgboard_dashboard.queries.runs import RunQuery, list_runs
from orgboard_dashboard.queries.series import find_scalars
from orgboard_dashboard.queries.tags import list_tags
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.read import Picture
from orgboard_schema.sql.registry import parse_project
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars

HOST = SystemViewer()
NOW = time.time()


@pytest.fixture
def teams(any_board: Board) -> Board:
    """Give a board of two teams: vision has faces and cars, speech has words, which is private."""
    with begin_write(any_board.engine) as conn:
        for team, projects in {"vision": ("faces", "cars"), "speech": ("words",)}.items():
            make_team(HOST, conn, team, NOW)
            for project in projects:
                make_project(HOST, conn, team, project, "team", NOW)
        make_account(HOST, conn, "ana", NOW, kind="person")
        set_member(HOST, conn, "vision", "ana", Role.ADMIN, NOW)
    for project, loss in {"vision/faces": 3.0, "vision/cars": 2.0, "speech/words": 1.0}.items():
        any_board.log(
            f"run of {project.partition('/')[2]}",
            [scalars("loss", [9.0, loss])],
            project=project,
            logdir=f"/logs/{project}",
            hparams=f'{{"lr": {loss}}}',
            now=NOW,
        )
    return any_board


def ana(conn: Connection) -> Viewer:
    """Return ana, who runs team vision."""
    return Viewer("account", "ana", account_id=account_id_of(conn, "ana"), can_edit=True)


def names(board: Board, team: str, project: str, query: RunQuery | None = None) -> list[str]:
    """Return the runs that ana sees in a place, each with its project."""
    with begin_read(board.engine) as conn:
        page = list_runs(ana(conn), conn, team, project, query or RunQuery(sort="name"), NOW)
        assert page.total >= len(page.runs)
        return [f"{row.place}: {row.name}" for row in page.runs]


def test_all_projects_are_those_that_one_may_see(teams: Board) -> None:
    assert names(teams, "*", "*") == ["vision/cars: run of cars", "vision/faces: run of faces"]
    assert names(teams, "vision", "*") == names(teams, "*", "*")
    assert names(teams, "*", "cars") == ["vision/cars: run of cars"]
    with pytest.raises(NotFound):
        names(teams, "speech", "*")


def test_what_becomes_visible_is_there_with_the_next_question(teams: Board) -> None:
    with begin_write(teams.engine) as conn:
        set_visibility(HOST, conn, "speech", "words", "organisation", NOW)
    assert "speech/words: run of words" in names(teams, "*", "*")

    with begin_write(teams.engine) as conn:
        set_visibility(HOST, conn, "speech", "words", "private", NOW)
    assert "speech/words: run of words" not in names(teams, "*", "*")


def test_one_project_alone_says_nothing_of_places(teams: Board) -> None:
    assert names(teams, "vision", "cars") == [": run of cars"]


def test_queries_orders_and_metrics_work_across_projects(teams: Board) -> None:
    query = RunQuery("loss < 2.5", "-last:loss", metrics=("last:loss",))

    assert names(teams, "*", "*", query) == ["vision/cars: run of cars"]
    by_loss = names(teams, "*", "*", RunQuery(sort="last:loss"))
    assert [name.split("/")[1] for name in by_loss] == ["cars: run of cars", "faces: run of faces"]


def test_curves_tags_settings_and_news_come_from_all_of_them(teams: Board) -> None:
    with begin_read(teams.engine) as conn:
        viewer = ana(conn)
        uids = tuple(teams.uids.values())
        (tag,) = list_tags(viewer, conn, "*", "*", "scalar")
        found = find_scalars(
            viewer, conn, "*", "*", uids=uids, tag_ids=(tag.id,), picture=Picture("step", 500)
        )
        table = hparams_table(viewer, conn, "*", "*", "", NOW)
        news = changed_runs(viewer, conn, find_project(viewer, conn, "*", "*"), 0)

    seen = {teams.uids["run of faces"], teams.uids["run of cars"]}
    assert tag.runs == 2
    assert {uid for uid, _ in found.series} == seen
    assert found.revision == int(NOW * 1000)
    assert {row.run.place for row in table.rows} == {"vision/faces", "vision/cars"}
    assert {run.uid for run in news} == seen


def test_first_runs_of_two_projects_have_colours_of_their_own(teams: Board) -> None:
    with begin_read(teams.engine) as conn:
        page = list_runs(ana(conn), conn, "*", "*", RunQuery(), NOW)

    assert len({row.color for row in page.runs}) == 2


def test_runs_are_grouped_by_their_projects(teams: Board) -> None:
    with begin_read(teams.engine) as conn:
        uids = tuple(teams.uids.values())
        groups = group_runs(ana(conn), conn, "*", "*", uids, "project")

    assert [group.name for group in groups] == ["project = vision/cars", "project = vision/faces"]


def test_an_export_names_the_project_of_each_run(teams: Board) -> None:
    with begin_read(teams.engine) as conn:
        places = places_of(ana(conn), conn, "*", "*", tuple(teams.uids.values()))

    assert [place.project for place in places] == ["vision/faces", "vision/cars"]


def test_remarks_are_of_the_visible_projects(teams: Board) -> None:
    with begin_write(teams.engine) as conn:
        add_remark(HOST, conn, "vision", "cars", Moment(), "of cars", NOW)
        add_remark(HOST, conn, "speech", "words", Moment(), "of words", NOW)
    with begin_read(teams.engine) as conn:
        assert [remark.text for remark in list_remarks(ana(conn), conn, "*", "*")] == ["of cars"]


def test_several_projects_are_not_changed_together(teams: Board) -> None:
    edit = Edit((teams.uids["run of cars"],), "starred", True)

    with begin_write(teams.engine) as conn, pytest.raises(Forbidden, match="each in its own"):
        apply_edits(ana(conn), conn, "*", "*", [edit], NOW)
    with begin_write(teams.engine) as conn:
        assert apply_edits(ana(conn), conn, "vision", "cars", [edit], NOW).changed == 1


@pytest.mark.parametrize("written", ["*", "team/*", "*/project"])
def test_nothing_is_named_by_what_stands_for_all(written: str) -> None:
    with pytest.raises(ValueError, match="TEAM/PROJECT"):
        parse_project(written)
