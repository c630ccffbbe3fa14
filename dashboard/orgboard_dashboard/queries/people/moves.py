"""Move single runs from one project to another: who runs both decides, told first what it does.

Who sees a run changes with it, as when its directory is assigned; so it takes an admin of both
projects, and not only who may edit: of the one because the run is taken out of it, of the other
because it is told who sees that one.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from orgboard_dashboard.queries.edits import MAX_RUNS
from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.people.access import Foreseen, foresee_move
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.people.embeds import embed_is_open
from orgboard_dashboard.queries.people.members import require_person
from orgboard_dashboard.queries.people.shares import share_stands
from orgboard_dashboard.queries.visible import ProjectRef, Role, find_project, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.logdirs import move_runs as move
from orgboard_schema.sql.text import to_sql

__all__ = ["MovedRuns", "Place", "foresee_runs", "move_runs"]

_run, _share, _embed = tables.run.c, tables.share.c, tables.embed.c

Place = tuple[str, str]
"""A team and a project."""

_MOST_NAMED = 20
"""Runs that the log names; how many there were it tells in any case."""


@dataclass(frozen=True, slots=True)
class MovedRuns:
    """What moving some runs does."""

    runs: int
    shares: int
    """Share links of the project they leave that show one of them, and then do not."""
    embeds: int
    """Cards in other sites' pages, likewise."""
    seen: Foreseen


def foresee_runs(
    viewer: Viewer, conn: Connection, at: Place, uids: Collection[str], to: Place, now: float
) -> MovedRuns:
    """Return what `move_runs` would do; nothing is changed. Raises as it does."""
    found, target = _both(viewer, conn, at, to)
    run_ids = _ids(conn, _these(viewer, found, uids))
    if found == target:
        return MovedRuns(0, 0, 0, Foreseen((), (), ()))
    shown, these = frozenset(uids), found.project_id
    shares = select(_share.uids).where(_share.project_id == these, share_stands(now))
    embeds = select(_embed.uids).where(_embed.project_id == these, embed_is_open(now))
    return MovedRuns(
        len(run_ids),
        _that_show(conn, shares, shown),
        _that_show(conn, embeds, shown),
        foresee_move(conn, at, to),
    )


def move_runs(
    viewer: Viewer, conn: Connection, at: Place, uids: Collection[str], to: Place, now: float
) -> int:
    """Move runs to another project; return how many. What is not there is left out.

    Raises:
        NotFound: there is no such project, here or there, or `viewer` may not see it.
        Forbidden: `viewer` does not run both.
        TooMuch: these are too many runs.
    """
    found, target = _both(viewer, conn, at, to)
    rows = conn.execute(select(_run.run_id, _run.uid).where(_these(viewer, found, uids))).all()
    moved = move(conn, [row.run_id for row in rows], target.project_id, now)
    if moved:
        named = sorted(row.uid for row in rows)[:_MOST_NAMED]
        after = {"project": "/".join(to), "runs": moved, "uids": named}
        before = {"project": "/".join(at)}
        note_down(conn, actor_of(viewer), "run.move", "/".join(at), now, before=before, after=after)
    return moved


def _both(viewer: Viewer, conn: Connection, at: Place, to: Place) -> tuple[ProjectRef, ProjectRef]:
    found = find_project(viewer, conn, *at, Role.ADMIN)
    require_person(viewer)
    return found, find_project(viewer, conn, *to, Role.ADMIN)


def _these(viewer: Viewer, project: ProjectRef, uids: Collection[str]) -> ColumnElement[bool]:
    if len(uids) > MAX_RUNS:
        raise TooMuch(f"These are {len(uids)} runs; {MAX_RUNS} can be moved at once.")
    return _run.uid.in_([to_sql(uid) for uid in uids]) & runs_of(viewer, project)


def _ids(conn: Connection, these: ColumnElement[bool]) -> list[int]:
    return list(conn.scalars(select(_run.run_id).where(these)))


def _that_show(conn: Connection, asked: Select[Any], uids: frozenset[str]) -> int:
    """Count the lists of uids, which may be of all runs, that one of these is in."""
    return sum(
        told is None or not uids.isdisjoint(json.loads(told)) for told in conn.scalars(asked)
    )
