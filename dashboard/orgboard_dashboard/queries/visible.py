"""What a viewer may see, as conditions in SQL. Every query on runs begins here.

A permission is part of the statement and never an `if` after it: a row that may not be
seen is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    false,
    or_,
    select,
    true,
)

from orgboard_dashboard.queries.errors import Forbidden, NotFound
from orgboard_dashboard.queries.guard import made_condition
from orgboard_dashboard.viewer import Viewer, Within
from orgboard_schema.sql import tables, text
from orgboard_schema.sql.roles import ORGANISATION, TEAM, Role
from orgboard_schema.sql.standing import SHOWN

__all__ = [
    "ANY",
    "ProjectRef",
    "Role",
    "find_project",
    "find_run",
    "find_runs",
    "role_in",
    "role_of",
    "runs_of",
    "visible_projects",
    "visible_runs",
]


ANY: Final = "*"
"""Written for a team or a project: all that the viewer may see."""


@dataclass(frozen=True, slots=True)
class ProjectRef:
    """A project that the viewer may see, or several of them at once."""

    project_id: int
    """0 of several."""
    team: str
    project: str
    several: tuple[int, ...] | None = None
    """Their ids, in order; None: it is one."""


def visible_runs(
    viewer: Viewer, standing: int = SHOWN, least: Role = Role.VIEWER
) -> ColumnElement[bool]:
    """Return the condition on `tables.run` that holds for what `viewer` may see.

    `standing` asks for others than the shown ones: of `orgboard_schema.sql.standing`. `least`
    asks for those of which `viewer` may do more.
    """
    made_condition(viewer)
    holds = tables.run.c.standing == standing
    if viewer.logdirs is not None:
        hashes = [text.sha256(path) for path in viewer.logdirs]
        read_here = select(tables.logdir.c.logdir_id).where(tables.logdir.c.path_sha256.in_(hashes))
        holds &= tables.run.c.logdir_id.in_(read_here)
    if viewer.within is not None and viewer.within.uids is not None:
        holds &= tables.run.c.uid.in_(viewer.within.uids)
    if not _is_limited(viewer, least):
        return holds
    allowed = select(tables.project.c.project_id).where(_allows(viewer, least))
    return holds & tables.run.c.project_id.in_(allowed)


def visible_projects(viewer: Viewer, least: Role = Role.VIEWER) -> ColumnElement[bool]:
    """Return the condition on `tables.project`; one whose runs are yet to come is visible too."""
    made_condition(viewer)
    holds = _allows(viewer, least) if _is_limited(viewer, least) else true()
    if viewer.logdirs is None:
        return holds
    hashes = [text.sha256(path) for path in viewer.logdirs]
    shown = select(tables.logdir.c.project_id).where(tables.logdir.c.path_sha256.in_(hashes))
    return holds & tables.project.c.project_id.in_(shown)


def runs_of(
    viewer: Viewer, project: ProjectRef, standing: int = SHOWN, least: Role = Role.VIEWER
) -> ColumnElement[bool]:
    """Return the condition on `tables.run` for those of a project that `viewer` may see."""
    return _in(project) & visible_runs(viewer, standing, least)


def _in(project: ProjectRef) -> ColumnElement[bool]:
    of = tables.run.c.project_id
    return of == project.project_id if project.several is None else of.in_(project.several)


def _is_limited(viewer: Viewer, least: Role) -> bool:
    """Tell whether roles or places keep anything from `viewer`."""
    reads_only = least > Role.VIEWER and not viewer.can_edit
    is_guarded = reads_only or viewer.within is not None or viewer.kind == "token"
    return is_guarded or not viewer.may_everything


def _allows(viewer: Viewer, least: Role) -> ColumnElement[bool]:
    """Return the condition on `tables.project` that its rules give `viewer` at least that role.

    The role is the highest of: what was granted on the project; the role in its team, when the
    project is the team's or the organisation's; viewer for every account, when it is the
    organisation's; admin for who runs the installation. Nothing takes a role away.
    """
    if least > Role.VIEWER and not viewer.can_edit:
        return false()
    if least > Role.EDITOR and viewer.kind == "token":
        # A token reads or writes; no scope gives what an admin's role does, whoever its owner is.
        return false()
    here = _inside(viewer.within)
    if viewer.may_everything:
        return here
    if viewer.kind == "share":
        of_a_project = viewer.within is not None and viewer.within.project_id is not None
        return here if least == Role.VIEWER and of_a_project else false()
    if viewer.account_id is None:
        return false()
    return here & or_(*_roles(viewer.account_id, least))


def role_of(account_id: ColumnElement[int], is_admin: ColumnElement[int]) -> ColumnElement[int]:
    """Return the role that an account has in `tables.project`, by the same rules; 0: none.

    For questions about others than who asks: what one of them may do, and who may do it.
    """
    ranked = sorted(Role, reverse=True)
    return case(
        (is_admin == 1, int(Role.ADMIN)),
        *((or_(*_roles(account_id, role)), int(role)) for role in ranked),
        else_=0,
    )


def _roles(account_id: int | ColumnElement[int], least: Role) -> list[ColumnElement[bool]]:
    project, grant, member = tables.project.c, tables.project_grant.c, tables.team_member.c
    granted = select(grant.project_id).where(
        grant.account_id == account_id, grant.role >= int(least)
    )
    in_team = select(member.team_id).where(
        member.account_id == account_id, member.role >= int(least)
    )
    ways: list[ColumnElement[bool]] = [
        project.project_id.in_(granted),
        project.visibility.in_((TEAM, ORGANISATION)) & project.team_id.in_(in_team),
    ]
    if least == Role.VIEWER:
        ways.append(project.visibility == ORGANISATION)
    return ways


def _inside(within: Within | None) -> ColumnElement[bool]:
    project = tables.project.c
    if within is None:
        return true()
    holds: ColumnElement[bool] = true()
    if within.team_id is not None:
        holds &= project.team_id == within.team_id
    if within.project_id is not None:
        holds &= project.project_id == within.project_id
    return holds


def find_project(
    viewer: Viewer, conn: Connection, team: str, project: str, least: Role = Role.VIEWER
) -> ProjectRef:
    """Return the project of that name, in which `viewer` has at least the role `least`.

    `*` in place of a name stands for all that there are: several are looked at together, and
    changed each in its own.

    Raises:
        NotFound: there is none that `viewer` may see.
        Forbidden: `viewer` may see it, and do less.
    """
    if ANY in (team, project):
        return _find_several(viewer, conn, team, project, least)
    # The statement may have been built before, for another question of this one's.
    made_condition(viewer)
    named = {"team": text.to_sql(team), "project": text.to_sql(project)}
    found = conn.execute(_find_project(viewer, least), named).one_or_none()
    if found is None:
        raise NotFound
    if not found.allowed:
        raise Forbidden
    return ProjectRef(found.project_id, team, project)


def _find_several(
    viewer: Viewer, conn: Connection, team: str, project: str, least: Role
) -> ProjectRef:
    query = select(tables.project.c.project_id).join(tables.team).where(visible_projects(viewer))
    if team != ANY:
        query = query.where(tables.team.c.name == text.to_sql(team))
    if project != ANY:
        query = query.where(tables.project.c.name == text.to_sql(project))
    ids = tuple(conn.scalars(query.order_by(tables.project.c.project_id)))
    if not ids:
        raise NotFound
    if least > Role.VIEWER:
        raise Forbidden("Several projects are looked at together, and changed each in its own.")
    return ProjectRef(0, team, project, ids)


# Built once for each viewer: to build a statement costs more than to run it.
@lru_cache(maxsize=512)
def _find_project(viewer: Viewer, least: Role) -> Select[int, bool]:
    more = visible_projects(viewer, least) if least > Role.VIEWER else true()
    return (
        select(tables.project.c.project_id, case((more, 1), else_=0).label("allowed"))
        .join(tables.team)
        .where(
            tables.team.c.name == bindparam("team"),
            tables.project.c.name == bindparam("project"),
            visible_projects(viewer),
        )
    )


def role_in(viewer: Viewer, conn: Connection, project: ProjectRef) -> Role:
    """Return what `viewer` may do in a project that it may see."""
    if project.several is not None:
        return Role.VIEWER
    here = tables.project.c.project_id == project.project_id
    rows = conn.execute(
        select(
            *(
                case((visible_projects(viewer, role), 1), else_=0)
                for role in (Role.EDITOR, Role.ADMIN)
            )
        ).where(here)
    ).one()
    return Role(Role.VIEWER + sum(rows))


def find_runs(
    viewer: Viewer, conn: Connection, project: ProjectRef, uids: tuple[str, ...]
) -> dict[str, int]:
    """Return the run ids of those `uids` that are in the project and visible."""
    if not uids:
        return {}
    rows = conn.execute(
        select(tables.run.c.uid, tables.run.c.run_id).where(
            runs_of(viewer, project), tables.run.c.uid.in_(uids)
        )
    )
    return {row.uid: row.run_id for row in rows}


def find_run(viewer: Viewer, conn: Connection, uid: str, least: Role = Role.VIEWER) -> int:
    """Return the id of one run, of which `viewer` has at least the role `least`.

    Raises:
        NotFound: there is none that `viewer` may see.
        Forbidden: `viewer` may see it, and do less.
    """
    here = tables.run.c.uid == text.to_sql(uid)
    found = conn.scalar(select(tables.run.c.run_id).where(here, visible_runs(viewer)))
    if found is None:
        raise NotFound
    if least > Role.VIEWER:
        more = visible_runs(viewer, least=least)
        if conn.scalar(select(tables.run.c.run_id).where(here, more)) is None:
            raise Forbidden
    return int(found)
