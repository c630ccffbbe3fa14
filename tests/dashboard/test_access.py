"""Who sees what: told for a project and for an account, it is what the conditions let through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from orgboard_dashboard.queries.errors import Forbidden, NotFound
from orgboard_dashboard.queries.people.access import (
    foresee_grant,
    foresee_visibility,
    own_access,
    visibility_of,
    what_sees,
    who_sees,
)
from orgboard_dashboard.queries.people.accounts import (
    change_account,
    find_account,
    make_account,
)
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.people.members import (
    list_grants,
    make_project,
    make_team,
    set_grant,
    set_member,
    set_visibility,
)
from orgboard_dashboard.queries.visible import ProjectRef, find_project, role_in
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import VISIBILITIES, Role
from support.boards import Board, opened

HOST = SystemViewer()
ACCOUNTS = ("ana", "ben", "eve")
TEAMS = ("red", "blue")
PROJECTS = ("one", "two")
NOW = 1.8e9

Step: TypeAlias = tuple[Any, ...]

ROLE = st.sampled_from([None, *Role])
ACCOUNT, TEAM, PROJECT = map(st.sampled_from, (ACCOUNTS, TEAMS, PROJECTS))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("member"), TEAM, ACCOUNT, ROLE),
        st.tuples(st.just("grant"), TEAM, PROJECT, ACCOUNT, ROLE),
        st.tuples(st.just("visibility"), TEAM, PROJECT, st.sampled_from(VISIBILITIES)),
        st.tuples(st.just("admin"), ACCOUNT, st.booleans()),
        st.tuples(st.just("asleep"), ACCOUNT, st.booleans()),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """Give a board of three people, and an admin, two teams, two projects in each."""
    folder: Path = tmp_path_factory.mktemp("access")
    with opened(str(folder / "board.db")) as board:
        people(board)
        yield board


def people(board: Board) -> None:
    with begin_write(board.engine) as conn:
        make_account(HOST, conn, "root", NOW, kind="person", is_admin=True)
        for name in ACCOUNTS:
            make_account(HOST, conn, name, NOW, kind="person")
        for team in TEAMS:
            make_team(HOST, conn, team, NOW)
            for project in PROJECTS:
                make_project(HOST, conn, team, project, "team", NOW)


CHANGES: dict[str, Any] = {
    "member": set_member,
    "grant": set_grant,
    "visibility": set_visibility,
}


def do(conn: Connection, step: Step) -> None:
    what, *how = step
    if what in CHANGES:
        CHANGES[what](HOST, conn, *how, NOW)
    elif what == "admin":
        change_account(HOST, conn, how[0], NOW, is_admin=how[1])
    else:
        change_account(HOST, conn, how[0], NOW, is_disabled=how[1])


def account(conn: Connection, name: str, is_admin: bool) -> Viewer:
    return Viewer(
        "account",
        name,
        can_edit=True,
        account_id=find_account(HOST, conn, name),
        is_admin=is_admin,
    )


def roles_by_asking(conn: Connection, viewer: Viewer) -> dict[tuple[str, str], str]:
    """Give the role in each project that the viewer of a request has, as pages find it."""
    found: dict[tuple[str, str], str] = {}
    for team in TEAMS:
        for project in PROJECTS:
            try:
                place: ProjectRef = find_project(viewer, conn, team, project)
            except NotFound:
                continue
            found[team, project] = role_in(viewer, conn, place).word
    return found


@settings(max_examples=40)
@given(STEPS)
def test_what_is_told_of_access_is_what_the_conditions_let_through(
    peopled: Board, steps: list[Step]
) -> None:
    with begin_write(peopled.engine) as conn, conn.begin_nested() as tried:
        for step in steps:
            do(conn, step)
        told_of_projects: dict[str, dict[tuple[str, str], str]] = {name: {} for name in ACCOUNTS}
        for team in TEAMS:
            for project in PROJECTS:
                for sight in who_sees(HOST, conn, team, project):
                    if sight.account in told_of_projects:
                        told_of_projects[sight.account][team, project] = sight.role
                    # The reasons lead to the role, and none leads higher.
                    assert max(Role[way.role.upper()] for way in sight.ways).word == sight.role
        asleep = {str(step[1]): bool(step[2]) for step in steps if step[0] == "asleep"}
        admins = {str(step[1]): bool(step[2]) for step in steps if step[0] == "admin"}
        for name in ACCOUNTS:
            told = {(s.team, s.project): s.role for s in what_sees(HOST, conn, name)}
            assert told == told_of_projects[name]
            viewer = account(conn, name, admins.get(name, False))
            expected = {} if asleep.get(name) else roles_by_asking(conn, viewer)
            assert told == expected
            assert {(s.team, s.project): s.role for s in own_access(viewer, conn)} == expected
        tried.rollback()


@settings(max_examples=40)
@given(STEPS, st.sampled_from(VISIBILITIES), ACCOUNT, ROLE)
def test_what_is_foreseen_is_what_comes(
    peopled: Board, steps: list[Step], visibility: str, name: str, role: Role | None
) -> None:
    with begin_write(peopled.engine) as conn, conn.begin_nested() as tried:
        for step in steps:
            do(conn, step)

        def seen() -> dict[str, str]:
            return {sight.account: sight.role for sight in who_sees(HOST, conn, "red", "one")}

        changes: tuple[Any, ...] = (
            (foresee_visibility, set_visibility, (visibility,)),
            (foresee_grant, set_grant, (name, role)),
        )
        for foresee, make, told in changes:
            before, records = seen(), list_records(HOST, conn)
            foreseen = foresee(HOST, conn, "red", "one", *told, NOW)
            assert (seen(), list_records(HOST, conn)) == (before, records)
            make(HOST, conn, "red", "one", *told, NOW)
            after = seen()
            assert {turn.account for turn in foreseen.gain} == after.keys() - before.keys()
            assert {turn.account for turn in foreseen.lose} == before.keys() - after.keys()
            assert {(turn.account, turn.before, turn.after) for turn in foreseen.differ} == {
                (one, before[one], after[one])
                for one in before.keys() & after.keys()
                if before[one] != after[one]
            }
        tried.rollback()


def test_it_is_told_why_somebody_sees_a_project(any_board: Board) -> None:
    people(any_board)
    with begin_write(any_board.engine) as conn:
        set_member(HOST, conn, "red", "ana", Role.EDITOR, NOW)
        set_grant(HOST, conn, "red", "one", "ana", Role.VIEWER, NOW)
        set_grant(HOST, conn, "red", "one", "ben", Role.ADMIN, NOW)
        set_visibility(HOST, conn, "red", "one", "organisation", NOW)

        told = {
            sight.account: (sight.role, [(way.by, way.role) for way in sight.ways])
            for sight in who_sees(HOST, conn, "red", "one")
        }

    assert told == {
        "ana": (
            "editor",
            [("grant", "viewer"), ("team", "editor"), ("organisation", "viewer")],
        ),
        "ben": ("admin", [("grant", "admin"), ("organisation", "viewer")]),
        "eve": ("viewer", [("organisation", "viewer")]),
        "root": ("admin", [("board", "admin"), ("organisation", "viewer")]),
    }


def test_who_sees_a_project_is_told_to_who_runs_it_and_to_nobody_else(any_board: Board) -> None:
    people(any_board)
    with begin_write(any_board.engine) as conn:
        set_member(HOST, conn, "red", "ana", Role.EDITOR, NOW)
        ana, eve = account(conn, "ana", False), account(conn, "eve", False)

        for asked in (who_sees, visibility_of, list_grants):
            with pytest.raises(Forbidden):
                asked(ana, conn, "red", "one")
            with pytest.raises(NotFound):
                asked(eve, conn, "red", "one")
        with pytest.raises(Forbidden):
            foresee_visibility(ana, conn, "red", "one", "private", NOW)
        with pytest.raises(NotFound):
            foresee_grant(eve, conn, "red", "one", "ana", Role.ADMIN, NOW)
        with pytest.raises(NotFound):
            what_sees(ana, conn, "ana")
